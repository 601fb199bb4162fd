use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use url::Url;

use super::parameters::Parameters;
use super::{Context, cookie, pages};
use crate::audit::{Entry, Outcome};
use crate::directory::{App, Authority, Person};
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
    match Parameters::of_form(body).await {
        Ok(parameters) => sign_out(context, &tenant, request, &parameters),
        Err(refusal) => refuse(context, &tenant, None, &refusal),
    }
}

/// Signs out whom the hint means, or, without one, everybody in this browser, and goes back to the
/// app if the address is one of an app's own. Where it is not, as in Entra, a page says that they
/// are signed out.
fn sign_out(
    context: &Context,
    tenant: &str,
    request: &Request,
    parameters: &Parameters,
) -> Response {
    let now = context.now();
    let way = match Way::check(context, tenant, parameters) {
        Ok(way) => way,
        Err(refusal) => {
            let client_id = parameters.optional("client_id").ok().flatten();
            return refuse(context, tenant, client_id.map(str::to_owned), &refusal);
        }
    };
    let Way { client_id, hint, then } = way;
    let detail = then.not_gone_to().map(|uri| format!("not registered: {uri}"));
    let entry = |outcome| Entry { client_id, detail, ..Entry::of("logout", tenant, outcome) };
    if let Some(session) = cookie::session(request, context.urls.of(request)) {
        let signed_in = signed_in(context, session);
        let means = |hint: &str| signed_in.iter().find(|person| person.is_called(hint));
        match hint.as_deref().map(means) {
            None => context.sessions.sign_out(session, None, now),
            Some(Some(person)) => context.sessions.sign_out(session, Some(&person.oid), now),
            Some(None) if signed_in.is_empty() => {}
            // Somebody else is signed in, whom the app does not mean.
            Some(None) => {
                context.note(entry(Outcome::Asked));
                return pages::logout::ask(tenant, parameters, &signed_in);
            }
        }
    }
    context.note(entry(Outcome::Granted));
    match then {
        Then::Stay { not_gone_to } => pages::logout::done(not_gone_to.as_deref()),
        Then::GoBack(address) => Response::builder()
            .status(StatusCode::FOUND)
            .header("location", address.as_str())
            .header("cache-control", "no-store")
            .header("referrer-policy", "no-referrer")
            .finish(),
    }
}

/// Who is signed in in this browser.
fn signed_in<'a>(context: &'a Context, session: &str) -> Vec<&'a Arc<Person>> {
    let accounts = context.sessions.accounts(session, context.now());
    accounts.iter().filter_map(|oid| context.directory().person(oid).ok()).collect()
}

fn refuse(
    context: &Context,
    tenant: &str,
    client_id: Option<String>,
    refusal: &Refusal,
) -> Response {
    context.note(Entry { client_id, ..Entry::of("logout", tenant, refusal.outcome()) });
    pages::refused(refusal.status, &refusal.report(context.now()))
}

/// Who is to be signed out, and where the browser goes then.
struct Way {
    client_id: Option<String>,
    /// A name of the account.
    hint: Option<String>,
    then: Then,
}

/// Where the browser is to be afterwards.
enum Then {
    /// Here. The request may have asked for an address that is none of the app's.
    Stay { not_gone_to: Option<String> },
    /// At an address of the app's own.
    GoBack(Url),
}

impl Way {
    fn check(context: &Context, tenant: &str, parameters: &Parameters) -> Result<Self, Refusal> {
        let directory = context.directory();
        Authority::parse(directory, tenant).ok_or_else(|| Refusal::tenant_unknown(tenant))?;
        // An ID token may have expired, and it decides nothing but who is signed out of this
        // browser.
        let id_token = parameters.optional("id_token_hint")?.and_then(UnverifiedJws::parse);
        let claim = |name| id_token.as_ref().and_then(|token| token.claim(name));
        let client_id = parameters.optional("client_id")?.or(claim("aud"));
        let hint = parameters.optional("logout_hint")?.or(claim("oid"));
        let state = parameters.optional("state")?;
        let asked = parameters.optional("post_logout_redirect_uri")?;
        let back = asked.and_then(|uri| registered(context, client_id, uri, state));
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let then = match back {
            Some(address) => Then::GoBack(address),
            None => Then::Stay { not_gone_to: owned(asked) },
        };
        Ok(Self { client_id: owned(client_id), hint: owned(hint), then })
    }
}

impl Then {
    fn not_gone_to(&self) -> Option<&str> {
        match self {
            Self::Stay { not_gone_to } => not_gone_to.as_deref(),
            Self::GoBack(_) => None,
        }
    }
}

/// The address with the state, if it is registered: for this app, or, where the request names
/// none, for any.
fn registered(
    context: &Context,
    client_id: Option<&str>,
    uri: &str,
    state: Option<&str>,
) -> Option<Url> {
    let is_its = |app: &Arc<App>| {
        client_id.is_none_or(|id| app.client_id.eq_ignore_ascii_case(id))
            && app.platform_of(uri).is_some()
    };
    context.directory().apps().iter().find(|app| is_its(app))?;
    let mut back = Url::parse(uri).ok()?;
    if let Some(state) = state {
        back.query_pairs_mut().append_pair("state", state);
    }
    Some(back)
}
