//! Authorization requests, parsed and checked.

use std::sync::Arc;

use crate::{
    directory::{App, Authority, Platform},
    random,
    refusal::Refusal,
    scope::Scopes,
    tokens::ClaimsRequest,
};

use super::{
    parameters::Parameters,
    redirect::{Redirect, ResponseMode},
    request::TenantRequest,
};

/// An authorization request that has passed every check (RFC 6749, section 4.1.1; RFC 7636, section
/// 4.3; OpenID Connect Core, section 3.1.2.1).
#[derive(Debug)]
pub(super) struct AuthorizationRequest<'a> {
    pub(super) authority: Authority,
    pub(super) app: &'a Arc<App>,
    pub(super) platform: Platform,
    pub(super) redirect: Redirect<'a>,
    pub(super) response_type: ResponseType,
    pub(super) scopes: Scopes,
    pub(super) challenge: Option<&'a str>,
    pub(super) nonce: Option<&'a str>,
    pub(super) login_hint: Option<&'a str>,
    pub(super) prompt: Prompt,
    pub(super) claims: ClaimsRequest,
    pub(super) wants_client_info: bool,
}

/// What the authorization endpoint returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResponseType {
    pub(super) code: bool,
    pub(super) id_token: bool,
}

/// The `prompt` parameter (OpenID Connect Core, section 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// No prompt: the account page is shown, unless `login_hint` names a person who is signed in.
    /// Entra would also skip the page if only one account is signed in, but developers want to
    /// choose.
    AsNeeded,
    /// The account page is always shown.
    Account,
    /// The account page is shown, then the consent page.
    Consent,
    /// No page may be shown.
    None,
}

/// The parameters that the account page repeats.
pub(super) const PARAMETERS: [&str; 16] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "resource",
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

impl<'a> AuthorizationRequest<'a> {
    /// Checks in the same order as Entra: first everything that decides where a response may go.
    pub(super) fn parse(request: &'a TenantRequest<'_>) -> Result<Self, Rejection<'a>> {
        let parameters = &request.parameters;
        let client = RedirectingClient::parse(request).map_err(Rejection::OnPage)?;
        let mut redirect =
            Redirect { uri: client.redirect_uri, state: None, mode: ResponseMode::Query };
        let to_app = |redirect| move |refusal| Rejection::ToApp { redirect, refusal };
        redirect.state = parameters.optional("state").map_err(to_app(redirect))?;
        let mode = parameters.optional("response_mode").map_err(to_app(redirect))?;
        let types = parameters.required("response_type");
        // Errors go the same way, even if the type is not supported.
        redirect.mode = mode
            .and_then(ResponseMode::parse)
            .unwrap_or_else(|| ResponseMode::default_for(types.as_ref().map_or("", |types| types)));
        let types = types.map_err(to_app(redirect))?;
        let response_type = ResponseType::parse(client.app, types).map_err(to_app(redirect))?;
        if let Some(mode) = mode {
            response_type.check_mode(mode).map_err(to_app(redirect))?;
        }
        Self::parse_rest(request, client, redirect, response_type).map_err(to_app(redirect))
    }

    fn parse_rest(
        request: &'a TenantRequest<'_>,
        client: RedirectingClient<'a>,
        redirect: Redirect<'a>,
        response_type: ResponseType,
    ) -> Result<Self, Refusal> {
        let parameters = &request.parameters;
        let RedirectingClient { authority, app, platform, .. } = client;
        let scopes = request.scopes()?;
        let challenge = code_challenge(parameters, platform, response_type)?;
        let nonce = parameters.optional("nonce")?;
        if response_type.id_token && nonce.is_none() {
            return Err(Refusal::missing("nonce"));
        }
        Ok(Self {
            authority,
            app,
            platform,
            redirect,
            response_type,
            scopes,
            challenge,
            nonce,
            login_hint: parameters.optional("login_hint")?,
            prompt: Prompt::parse(parameters)?,
            claims: request.claims()?.unwrap_or_default(),
            wants_client_info: request.wants_client_info()?,
        })
    }
}

/// Why an authorization request is rejected, and where the error is shown.
#[derive(Debug)]
pub(super) enum Rejection<'a> {
    /// On a page: a redirect to an unregistered URI would make this an open redirector (RFC 6749,
    /// section 4.1.2.1).
    OnPage(Refusal),
    /// In a redirect to the app.
    ToApp { redirect: Redirect<'a>, refusal: Refusal },
}

/// The client of a request that ends with a redirect, and its checked redirect URI.
pub(super) struct RedirectingClient<'a> {
    pub(super) authority: Authority,
    pub(super) app: &'a Arc<App>,
    pub(super) redirect_uri: &'a str,
    platform: Platform,
}

impl<'a> RedirectingClient<'a> {
    pub(super) fn parse(request: &'a TenantRequest<'_>) -> Result<Self, Refusal> {
        let authority = request.authority()?;
        let client_id = request.parameters.required("client_id")?;
        let app = request.app(client_id, &authority)?;
        let redirect_uri = request.parameters.required("redirect_uri")?;
        let platform = app
            .platform_of(redirect_uri)
            .ok_or_else(|| Refusal::redirect_uri_unknown(redirect_uri, &app.client_id))?;
        Ok(Self { authority, app, redirect_uri, platform })
    }
}

impl ResponseType {
    fn parse(app: &App, text: &str) -> Result<Self, Refusal> {
        let mut types = Self { code: false, id_token: false };
        for word in text.split(' ') {
            match word {
                "code" => types.code = true,
                "id_token" if app.id_token_issuance => types.id_token = true,
                "token" => return Err(Refusal::response_type_token()),
                _ => return Err(Refusal::response_type(text)),
            }
        }
        Ok(types)
    }

    /// Checks the requested response mode. A token must not be sent in the query, because servers
    /// log it.
    fn check_mode(self, text: &str) -> Result<(), Refusal> {
        match ResponseMode::parse(text) {
            Some(ResponseMode::Query) if self.id_token => Err(Refusal::response_mode(text)),
            Some(_) => Ok(()),
            None => Err(Refusal::response_mode(text)),
        }
    }
}

impl Prompt {
    fn parse(parameters: &Parameters) -> Result<Self, Refusal> {
        match parameters.optional("prompt")? {
            None => Ok(Self::AsNeeded),
            Some("login" | "select_account" | "create") => Ok(Self::Account),
            Some("none") => Ok(Self::None),
            Some("consent") => Ok(Self::Consent),
            Some(other) => Err(Refusal::prompt_unsupported(other)),
        }
    }
}

/// The S256 code challenge, which single-page apps must send. A missing method means `plain` (RFC
/// 7636, section 4.3).
fn code_challenge(
    parameters: &Parameters,
    platform: Platform,
    response_type: ResponseType,
) -> Result<Option<&str>, Refusal> {
    let Some(challenge) = parameters.optional("code_challenge")? else {
        let required = response_type.code && platform == Platform::SinglePage;
        return if required { Err(Refusal::challenge_missing()) } else { Ok(None) };
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
