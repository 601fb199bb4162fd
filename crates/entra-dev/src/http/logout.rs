//! `/{tenant}/oauth2/v2.0/logout`: signs people out of this browser (OpenID Connect RP-Initiated
//! Logout, section 2).

use std::sync::Arc;

use poem::http::StatusCode;
use url::Url;

use crate::{directory::App, jws::UnverifiedJws, refusal::Refusal};

use super::{
    operation::Operation,
    pages, redirect,
    request::{Answer, TenantRequest},
};

/// GET and POST, both of which the specification requires.
pub(super) const LOGOUT: Operation = Operation::page("logout", handle);

/// Signs out the hinted account or, without a hint, all accounts of this browser. Then it redirects
/// to the app if the URI is registered. Otherwise, as in Entra, a page confirms the logout.
fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let logout = LogoutRequest::parse(request)?;
    let detail = logout.unregistered_uri.as_ref().map(|uri| format!("not registered: {uri}"));
    let answer = respond(request, &logout);
    Ok(answer.with_client_id(logout.client_id).with_detail(detail))
}

fn respond(request: &TenantRequest<'_>, logout: &LogoutRequest) -> Answer {
    if let Some(session) = request.session() {
        let signed_in = request.signed_in();
        let find = |hint: &str| signed_in.iter().find(|person| person.is_called(hint));
        let (sessions, now) = (&request.context.sessions, request.now());
        match logout.hint.as_deref().map(find) {
            None => sessions.sign_out(session, None, now),
            Some(Some(person)) => sessions.sign_out(session, Some(&person.oid), now),
            Some(None) if signed_in.is_empty() => {}
            // Only people whom the hint does not name are signed in.
            Some(None) => {
                let hidden = request.parameters.hidden(&PARAMETERS);
                return Answer::asked(pages::logout::ask(request.tenant, &hidden, &signed_in));
            }
        }
    }
    Answer::granted(match &logout.redirect {
        Some(location) => redirect::to(location.as_str(), StatusCode::FOUND),
        None => pages::logout::done(logout.unregistered_uri.as_deref()),
    })
}

/// The parameters that the page repeats.
const PARAMETERS: [&str; 4] = ["client_id", "id_token_hint", "post_logout_redirect_uri", "state"];

struct LogoutRequest {
    client_id: Option<String>,
    /// The short name, sign-in name or `oid` of the account.
    hint: Option<String>,
    /// The registered redirect URI with the state.
    redirect: Option<Url>,
    /// The redirect URI, if it is not registered.
    unregistered_uri: Option<String>,
}

impl LogoutRequest {
    fn parse(request: &TenantRequest<'_>) -> Result<Self, Refusal> {
        request.authority()?;
        let parameters = &request.parameters;
        // The token is not verified and may have expired: it only decides who is signed out of
        // this browser.
        let id_token = parameters.optional("id_token_hint")?.and_then(UnverifiedJws::parse);
        let claim = |name| id_token.as_ref().and_then(|token| token.claim(name));
        let client_id = parameters.optional("client_id")?.or(claim("aud"));
        let hint = parameters.optional("logout_hint")?.or(claim("oid"));
        let state = parameters.optional("state")?;
        let uri = parameters.optional("post_logout_redirect_uri")?;
        let redirect = uri.and_then(|uri| registered(request, client_id, uri, state));
        let unregistered_uri = uri.filter(|_| redirect.is_none()).map(str::to_owned);
        let (client_id, hint) = (client_id.map(str::to_owned), hint.map(str::to_owned));
        Ok(Self { client_id, hint, redirect, unregistered_uri })
    }
}

/// The redirect URI with the state, if it is registered for this app or, without a client id, for
/// any app.
fn registered(
    request: &TenantRequest<'_>,
    client_id: Option<&str>,
    uri: &str,
    state: Option<&str>,
) -> Option<Url> {
    let is_registered = |app: &Arc<App>| {
        client_id.is_none_or(|id| app.client_id.eq_ignore_ascii_case(id))
            && app.platform_of(uri).is_some()
    };
    request.directory().apps().iter().find(|app| is_registered(app))?;
    let mut location = Url::parse(uri).ok()?;
    if let Some(state) = state {
        location.query_pairs_mut().append_pair("state", state);
    }
    Some(location)
}
