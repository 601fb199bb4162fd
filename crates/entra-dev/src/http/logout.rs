use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use url::Url;

use super::parameters::Parameters;
use super::{Context, cookie, pages, token};
use crate::audit::{Entry, Outcome};
use crate::directory::{App, Authority};
use crate::jws::UnverifiedJws;
use crate::refusal::Refusal;

/// `GET /{tenant}/oauth2/v2.0/logout` (OpenID Connect RP-Initiated Logout section 2).
#[handler]
pub(super) fn show(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Response {
    let parameters = Parameters::of_query(request);
    sign_out(context, &tenant, request, &parameters)
}

/// `POST /{tenant}/oauth2/v2.0/logout`, which the specification asks for too.
#[handler]
pub(super) async fn submit(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    match token::read_form(body).await {
        Ok(parameters) => sign_out(context, &tenant, request, &parameters),
        Err(refusal) => {
            note(context, &tenant, None, refusal.outcome());
            pages::refused(refusal.status, &refusal.report(context.now()))
        }
    }
}

/// Signs out whom the hints mean, or everybody in this browser, and goes back to the app if the
/// address is one of an app's own.
fn sign_out(
    context: &Context,
    tenant: &str,
    request: &Request,
    parameters: &Parameters,
) -> Response {
    let answer = Way::check(context, tenant, parameters);
    let outcome = answer.as_ref().map_or_else(Refusal::outcome, |_| Outcome::Granted);
    let given = parameters.optional("client_id").ok().flatten().map(str::to_owned);
    let client_id = answer.as_ref().map_or(given, |way| way.client_id.clone());
    note(context, tenant, client_id, outcome);
    let way = match answer {
        Ok(way) => way,
        Err(refusal) => return pages::refused(refusal.status, &refusal.report(context.now())),
    };
    if let Some(session) = cookie::session(request, context.urls.of(request)) {
        context.sessions.sign_out(session, way.account.as_deref(), context.now());
    }
    match way.back {
        None => pages::signed_out(),
        Some(back) => Response::builder()
            .status(StatusCode::FOUND)
            .header("location", back.as_str())
            .header("cache-control", "no-store")
            .header("referrer-policy", "no-referrer")
            .finish(),
    }
}

fn note(context: &Context, tenant: &str, client_id: Option<String>, outcome: Outcome) {
    let (time, tenant) = (context.now(), tenant.to_owned());
    context.audit.note(Entry {
        time,
        endpoint: "logout",
        tenant,
        client_id,
        outcome,
        ..Entry::default()
    });
}

/// Who is to be signed out, and where the browser goes then.
struct Way {
    client_id: Option<String>,
    /// The `oid`; `None` means everybody.
    account: Option<String>,
    back: Option<Url>,
}

impl Way {
    fn check(context: &Context, tenant: &str, parameters: &Parameters) -> Result<Self, Refusal> {
        let directory = context.directory();
        Authority::parse(directory, tenant).ok_or_else(|| Refusal::tenant_unknown(tenant))?;
        // A hint may have expired, and it decides nothing but who is signed out of this browser.
        let hint = parameters.optional("id_token_hint")?.and_then(UnverifiedJws::parse);
        let hint = |name| hint.as_ref().and_then(|hint| hint.claim(name));
        let client_id = parameters.optional("client_id")?.or(hint("aud"));
        let account = match parameters.optional("logout_hint")?.or(hint("oid")) {
            Some(account) => directory.person(account).ok().map(|person| person.oid.clone()),
            None => None,
        };
        let back = match parameters.optional("post_logout_redirect_uri")? {
            None => None,
            Some(uri) => Some(registered(context, client_id, uri, parameters.optional("state")?)?),
        };
        Ok(Self { client_id: client_id.map(str::to_owned), account, back })
    }
}

/// The address with the state, if it is registered: for this app, or, where the request names
/// none, for any.
fn registered(
    context: &Context,
    client_id: Option<&str>,
    uri: &str,
    state: Option<&str>,
) -> Result<Url, Refusal> {
    let is_its = |app: &Arc<App>| {
        client_id.is_none_or(|id| app.client_id.eq_ignore_ascii_case(id))
            && app.platform_of(uri).is_some()
    };
    let known = context.directory().apps().iter().any(is_its);
    let unknown = || Refusal::redirect_uri_unknown(uri, client_id.unwrap_or("any application"));
    let mut back = Url::parse(uri).ok().filter(|_| known).ok_or_else(unknown)?;
    if let Some(state) = state {
        back.query_pairs_mut().append_pair("state", state);
    }
    Ok(back)
}
