use poem::http::StatusCode;
use url::form_urlencoded::byte_serialize;

use super::parameters::Parameters;
use crate::apps::{App, Apps};
use crate::directory::Authority;
use crate::refusal::Refusal;
use crate::scope::Scope;

/// An authorization request that has passed every check (RFC 6749 section 4.1.1, RFC 7636
/// section 4.3, OpenID Connect Core section 3.1.2.1).
#[derive(Debug)]
pub(super) struct AuthorizationRequest<'a> {
    pub(super) authority: Authority,
    pub(super) app: &'a App,
    pub(super) reply: ReplyTo<'a>,
    pub(super) scope: Scope,
    pub(super) code_challenge: &'a str,
    pub(super) nonce: Option<&'a str>,
    pub(super) login_hint: Option<&'a str>,
}

impl<'a> AuthorizationRequest<'a> {
    /// The parameters that mean something. The account page sends them again.
    pub(super) const PARAMETERS: [&'static str; 11] = [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
        "prompt",
    ];

    /// Checks in Entra's order: first everything that decides where an answer may go.
    pub(super) fn check(
        tenant: &str,
        apps: &'a Apps,
        parameters: &'a Parameters,
    ) -> Result<Self, Rejected<'a>> {
        let (authority, app, redirect_uri) =
            addressee(tenant, apps, parameters).map_err(Rejected::OnPage)?;
        let to_app = |state| {
            move |refusal| Rejected::ToApp { reply: ReplyTo { redirect_uri, state }, refusal }
        };
        let state = parameters.optional("state").map_err(to_app(None))?;
        let reply = ReplyTo { redirect_uri, state };
        let asked = Asked::check(parameters).map_err(to_app(state))?;
        let Asked { scope, code_challenge, nonce, login_hint } = asked;
        Ok(Self { authority, app, reply, scope, code_challenge, nonce, login_hint })
    }
}

/// Why a request is not served, and how the browser is told.
#[derive(Debug)]
pub(super) enum Rejected<'a> {
    /// On a page of our own: redirecting to an address that is not registered would make this an
    /// open redirector (RFC 6749 section 4.1.2.1).
    OnPage(Refusal),
    /// By a redirect to the app.
    ToApp {
        /// Where to.
        reply: ReplyTo<'a>,
        /// What to say.
        refusal: Refusal,
    },
}

/// A registered redirect URI, and the state to be handed back with every answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplyTo<'a> {
    pub(super) redirect_uri: &'a str,
    pub(super) state: Option<&'a str>,
}

impl ReplyTo<'_> {
    /// The redirect URI with these parameters, and the state, added to its query.
    ///
    /// A space becomes `%20`, since many a script decodes with `decodeURIComponent`.
    pub(super) fn location(&self, parameters: &[(&str, &str)]) -> String {
        let mut location = self.redirect_uri.to_owned();
        let state = self.state.map(|state| ("state", state));
        for (name, value) in parameters.iter().copied().chain(state) {
            location.push(if location.contains('?') { '&' } else { '?' });
            location.push_str(name);
            location.push('=');
            for part in byte_serialize(value.as_bytes()) {
                location.push_str(if part == "+" { "%20" } else { part });
            }
        }
        location
    }
}

/// The status of a redirect: 303 after a form, so that the form is not sent on (RFC 9700
/// section 4.12).
pub(super) fn redirect_status(after_a_form: bool) -> StatusCode {
    if after_a_form { StatusCode::SEE_OTHER } else { StatusCode::FOUND }
}

/// Who asks, and where the answer goes.
fn addressee<'a>(
    tenant: &str,
    apps: &'a Apps,
    parameters: &'a Parameters,
) -> Result<(Authority, &'a App, &'a str), Refusal> {
    let authority = Authority::parse(tenant).ok_or_else(|| Refusal::tenant_unknown(tenant))?;
    let client_id = parameters.required("client_id")?;
    let app = apps.find(client_id).ok_or_else(|| Refusal::app_unknown(client_id, tenant))?;
    let redirect_uri = parameters.required("redirect_uri")?;
    if app.may_redirect_to(redirect_uri) {
        Ok((authority, app, redirect_uri))
    } else {
        Err(Refusal::redirect_uri_unknown(redirect_uri, app.client_id))
    }
}

/// What is asked for.
struct Asked<'a> {
    scope: Scope,
    code_challenge: &'a str,
    nonce: Option<&'a str>,
    login_hint: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn check(parameters: &'a Parameters) -> Result<Self, Refusal> {
        match parameters.required("response_type")? {
            "code" => {}
            other => return Err(Refusal::response_type(other)),
        }
        match parameters.optional("response_mode")? {
            None | Some("query") => {}
            Some(_) => return Err(Refusal::response_mode()),
        }
        let scope = Scope::parse(parameters.required("scope")?)?;
        let code_challenge = code_challenge(parameters)?;
        let nonce = parameters.optional("nonce")?;
        let login_hint = parameters.optional("login_hint")?;
        // There are no sessions, so somebody always has to be asked.
        match parameters.optional("prompt")? {
            Some(prompt) if prompt.split(' ').any(|value| value == "none") => {
                Err(Refusal::login_required())
            }
            _ => Ok(Self { scope, code_challenge, nonce, login_hint }),
        }
    }
}

/// The S256 challenge. A method left out means `plain` (RFC 7636 section 4.3).
fn code_challenge(parameters: &Parameters) -> Result<&str, Refusal> {
    let challenge =
        parameters.optional("code_challenge")?.ok_or_else(Refusal::challenge_missing)?;
    if parameters.optional("code_challenge_method")? != Some("S256") {
        return Err(Refusal::challenge_method());
    }
    let url_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if challenge.len() == 43 && challenge.bytes().all(url_safe) {
        Ok(challenge)
    } else {
        Err(Refusal::challenge_malformed())
    }
}
