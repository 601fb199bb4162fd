use std::sync::Arc;

use super::parameters::Parameters;
use super::reply::{Reply, ResponseMode};
use crate::directory::{App, Authority, Directory, Platform};
use crate::random;
use crate::refusal::Refusal;
use crate::scope::Scopes;
use crate::tokens::ClaimsRequest;

/// An authorization request that has passed every check (RFC 6749 section 4.1.1, RFC 7636
/// section 4.3, OpenID Connect Core section 3.1.2.1).
#[derive(Debug)]
pub(super) struct AuthorizationRequest<'a> {
    pub(super) authority: Authority,
    pub(super) app: &'a Arc<App>,
    pub(super) platform: Platform,
    pub(super) reply: Reply<'a>,
    pub(super) response_type: ResponseType,
    pub(super) scopes: Scopes,
    pub(super) challenge: Option<&'a str>,
    pub(super) nonce: Option<&'a str>,
    pub(super) login_hint: Option<&'a str>,
    pub(super) prompt: Prompt,
    pub(super) claims: ClaimsRequest,
    /// Whether the answer is to carry `client_info`, from which MSAL makes its account ids.
    pub(super) wants_client_info: bool,
}

/// What the authorization endpoint itself hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResponseType {
    pub(super) code: bool,
    pub(super) id_token: bool,
}

/// Whether and what the person is to be asked (OpenID Connect Core section 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Nothing was said: who it is, unless `login_hint` means somebody who is signed in. Entra
    /// would take the only one who is signed in without a hint too: who develops wants to choose.
    AsNeeded,
    /// Who it is, whoever is signed in.
    Account,
    /// Who it is, and then for consent.
    Consent,
    /// Nobody is to be asked anything.
    None,
}

impl<'a> AuthorizationRequest<'a> {
    /// The parameters that mean something. The account page sends them again.
    pub(super) const PARAMETERS: [&'static str; 15] = [
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
        "claims",
        "client_info",
        "client-request-id",
        "return-client-request-id",
    ];

    /// Checks in Entra's order: first everything that decides where an answer may go.
    pub(super) fn check(
        tenant: &str,
        directory: &'a Directory,
        parameters: &'a Parameters,
    ) -> Result<Self, Rejected<'a>> {
        let to = Addressee::check(tenant, directory, parameters).map_err(Rejected::OnPage)?;
        let mut reply =
            Reply { redirect_uri: to.redirect_uri, state: None, mode: ResponseMode::Query };
        let rejected = |reply| move |refusal| Rejected::ToApp { reply, refusal };
        reply.state = parameters.optional("state").map_err(rejected(reply))?;
        let response_type = ResponseType::check(&to, parameters).map_err(rejected(reply))?;
        reply.mode = response_type.mode(parameters).map_err(rejected(reply))?;
        let Addressee { authority, app, platform, .. } = to;
        let rest = || {
            // Entra names the tenant that the request is for, if it is for one.
            let scopes = Scopes::parse(directory, tenant, parameters.required("scope")?)?;
            let challenge = code_challenge(parameters, platform, response_type)?;
            let nonce = parameters.optional("nonce")?;
            if response_type.id_token && nonce.is_none() {
                return Err(Refusal::missing("nonce"));
            }
            if parameters.optional("resource")?.is_some() {
                return Err(Refusal::resource_parameter());
            }
            Ok(Self {
                authority,
                app,
                platform,
                reply,
                response_type,
                scopes,
                challenge,
                nonce,
                login_hint: parameters.optional("login_hint")?,
                prompt: Prompt::check(parameters)?,
                claims: claims(parameters)?.unwrap_or_default(),
                wants_client_info: parameters.optional("client_info")? == Some("1"),
            })
        };
        rest().map_err(rejected(reply))
    }
}

/// Why a request is not served, and how the browser is told.
#[derive(Debug)]
pub(super) enum Rejected<'a> {
    /// On a page of our own: redirecting to an address that is not registered would make this an
    /// open redirector (RFC 6749 section 4.1.2.1).
    OnPage(Refusal),
    /// By an answer to the app.
    ToApp {
        /// Where to.
        reply: Reply<'a>,
        /// What to say.
        refusal: Refusal,
    },
}

/// Who asks, and where the answer goes.
pub(super) struct Addressee<'a> {
    pub(super) authority: Authority,
    pub(super) app: &'a Arc<App>,
    pub(super) redirect_uri: &'a str,
    platform: Platform,
}

impl<'a> Addressee<'a> {
    pub(super) fn check(
        tenant: &str,
        directory: &'a Directory,
        parameters: &'a Parameters,
    ) -> Result<Self, Refusal> {
        let authority =
            Authority::parse(directory, tenant).ok_or_else(|| Refusal::tenant_unknown(tenant))?;
        let client_id = parameters.required("client_id")?;
        let app =
            directory.app(client_id).ok_or_else(|| Refusal::app_unknown(client_id, tenant))?;
        app_belongs(app, &authority)?;
        let redirect_uri = parameters.required("redirect_uri")?;
        let platform = app
            .platform_of(redirect_uri)
            .ok_or_else(|| Refusal::redirect_uri_unknown(redirect_uri, &app.client_id))?;
        Ok(Self { authority, app, redirect_uri, platform })
    }
}

/// Whether the app may be used at this authority.
pub(super) fn app_belongs(app: &App, authority: &Authority) -> Result<(), Refusal> {
    if !app.single_tenant || authority.tenant().is_some_and(|tenant| tenant.id == app.tenant) {
        return Ok(());
    }
    match authority.tenant() {
        Some(tenant) => Err(Refusal::app_unknown(&app.client_id, &tenant.id)),
        None => Err(Refusal::app_single_tenant(&app.client_id, &app.name)),
    }
}

/// The `claims` parameter, where there is one.
pub(super) fn claims(parameters: &Parameters) -> Result<Option<ClaimsRequest>, Refusal> {
    let parse = |text| ClaimsRequest::parse(text).ok_or_else(Refusal::claims_malformed);
    parameters.optional("claims")?.map(parse).transpose()
}

impl ResponseType {
    fn check(to: &Addressee<'_>, parameters: &Parameters) -> Result<Self, Refusal> {
        let text = parameters.required("response_type")?;
        let mut types = Self { code: false, id_token: false };
        for word in text.split(' ') {
            match word {
                "code" => types.code = true,
                "id_token" if to.app.id_token_issuance => types.id_token = true,
                _ => return Err(Refusal::response_type(text)),
            }
        }
        Ok(types)
    }

    /// How the answer travels: a token never by the query, which servers log.
    fn mode(self, parameters: &Parameters) -> Result<ResponseMode, Refusal> {
        let default = if self.id_token { ResponseMode::Fragment } else { ResponseMode::Query };
        let Some(text) = parameters.optional("response_mode")? else { return Ok(default) };
        ResponseMode::parse(text)
            .filter(|mode| !(self.id_token && *mode == ResponseMode::Query))
            .ok_or_else(|| Refusal::response_mode(text))
    }
}

impl Prompt {
    fn check(parameters: &Parameters) -> Result<Self, Refusal> {
        match parameters.optional("prompt")? {
            None => Ok(Self::AsNeeded),
            Some("login" | "select_account" | "create") => Ok(Self::Account),
            Some("none") => Ok(Self::None),
            Some("consent") => Ok(Self::Consent),
            Some(other) => Err(Refusal::prompt_unsupported(other)),
        }
    }
}

/// The S256 challenge, which a single-page app has to send. A method left out means `plain`
/// (RFC 7636 section 4.3).
fn code_challenge(
    parameters: &Parameters,
    platform: Platform,
    response_type: ResponseType,
) -> Result<Option<&str>, Refusal> {
    let Some(challenge) = parameters.optional("code_challenge")? else {
        let needed = response_type.code && platform == Platform::SinglePage;
        return if needed { Err(Refusal::challenge_missing()) } else { Ok(None) };
    };
    if parameters.optional("code_challenge_method")? != Some("S256") {
        return Err(Refusal::challenge_method());
    }
    if random::is_secret(challenge) {
        Ok(Some(challenge))
    } else {
        Err(Refusal::challenge_malformed())
    }
}
