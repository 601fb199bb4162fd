//! Requests to the token endpoint, and the tokens they get.

use std::sync::Arc;

use poem::http::StatusCode;
use serde::Serialize;

use crate::{
    directory::{App, Authority, Person, Platform},
    grants::Grant,
    http::{
        client::Client,
        request::{Answer, TenantRequest},
        response::json,
        sign_in::{SignIn, check_assignment},
    },
    refusal::Refusal,
    scope::Scopes,
    tokens::{
        AccessToken, ClaimsRequest, Confirmation, IdToken, Proof, Subject, client_info, lifetime,
    },
};

/// A request whose client is known.
pub(super) struct TokenRequest<'a> {
    pub(super) request: &'a TenantRequest<'a>,
    pub(super) authority: Authority,
    pub(super) client: Client,
    /// The key to which the access token is to be bound.
    pub(super) confirmation: Option<Confirmation>,
    /// Whether a script in a browser has sent it.
    pub(super) cross_origin: bool,
}

/// A successful response (RFC 6749, section 5.1), with the additional members of Entra.
#[derive(Serialize)]
struct TokenResponse {
    token_type: &'static str,
    /// `None` for client credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    expires_in: u64,
    ext_expires_in: u64,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<String>,
}

impl TokenRequest<'_> {
    /// Checks that the request comes from the kind of program that got the grant: a script in a
    /// browser, or a server with its credential.
    pub(super) fn check_platform(&self, platform: Platform) -> Result<(), Refusal> {
        match platform {
            Platform::SinglePage if !self.cross_origin => Err(Refusal::origin_missing()),
            Platform::Web | Platform::Native if self.cross_origin => {
                Err(Refusal::origin_unexpected())
            }
            Platform::Web if self.client.proof == Proof::None => {
                Err(Refusal::client_not_authenticated())
            }
            _ => Ok(()),
        }
    }

    /// The requested scopes, which must be of one API. `None` means the scopes of the grant.
    pub(super) fn requested_scopes(&self) -> Result<Option<Scopes>, Refusal> {
        if self.request.parameters.optional("scope")?.is_none() {
            return Ok(None);
        }
        let scopes = self.request.scopes()?;
        scopes.only_resource()?;
        Ok(Some(scopes))
    }

    /// Issues tokens for one API to the person of the grant. `refresh_token` is called if the
    /// person has allowed a refresh token.
    pub(super) fn issue(
        &self,
        grant: &Grant,
        scopes: &Scopes,
        refresh_token: impl FnOnce() -> String,
    ) -> Result<Answer, Refusal> {
        self.check_grant(grant, scopes)?;
        let Grant { app, person, .. } = grant;
        let resource = scopes.resource();
        let lifetime = lifetime();
        // The `claims` of this request take precedence over those of the sign-in.
        let claims = self.request.claims()?.unwrap_or_else(|| grant.claims.clone());
        let subject = Subject::Person { person, scopes: scopes.names_at(resource) };
        let access_token = self.access_token(resource, app, subject, &claims, lifetime)?;
        let id_token = scopes.has("openid").then(|| {
            self.request.context.issuer.id_token(&IdToken {
                base_url: self.request.base_url,
                app,
                person,
                scopes,
                nonce: grant.nonce.as_deref(),
                code: None,
                through_browser: false,
                lifetime,
            })
        });
        let offline = scopes.offline() || grant.scopes.offline();
        let wants_client_info = self.request.wants_client_info()?;
        let tokens = TokenResponse {
            token_type: self.token_type(),
            scope: Some(scopes.granted_by(resource)),
            expires_in: lifetime,
            ext_expires_in: lifetime,
            access_token,
            id_token: id_token.transpose().map_err(|error| Refusal::signing_failed(&error))?,
            refresh_token: offline.then(refresh_token),
            client_info: wants_client_info.then(|| client_info(person)),
        };
        Ok(Answer::granted(json(StatusCode::OK, &tokens)).with_person(person))
    }

    /// Issues tokens for a person who is not there, for the requested scopes.
    pub(super) fn issue_for(&self, person: Arc<Person>) -> Result<Answer, Refusal> {
        let Self { request, authority, client, .. } = self;
        let scopes = request.scopes()?;
        scopes.only_resource()?;
        let grant = Grant {
            app: Arc::clone(&client.app),
            person,
            authority: authority.clone(),
            platform: Platform::Web,
            scopes: scopes.clone(),
            claims: request.claims()?.unwrap_or_default(),
            nonce: None,
        };
        self.issue(&grant, &scopes, || {
            request.context.refresh_tokens.issue(grant.clone(), request.now())
        })
    }

    /// Issues an access token to the app itself: to call this API or, with the client id of one of
    /// its agents, to prove that it acts for the agent.
    pub(super) fn issue_to_app(
        &self,
        resource: &App,
        agent: Option<&str>,
    ) -> Result<Answer, Refusal> {
        let tenant = self.authority.tenant().ok_or_else(Refusal::credentials_need_a_tenant)?;
        let lifetime = lifetime();
        let claims = self.request.claims()?.unwrap_or_default();
        let subject = Subject::App { tenant: &tenant.id, agent };
        let tokens = TokenResponse {
            token_type: self.token_type(),
            scope: None,
            expires_in: lifetime,
            ext_expires_in: lifetime,
            access_token: self.access_token(
                resource,
                &self.client.app,
                subject,
                &claims,
                lifetime,
            )?,
            refresh_token: None,
            id_token: None,
            client_info: None,
        };
        Ok(Answer::granted(json(StatusCode::OK, &tokens)))
    }

    /// Checks that the person may still use the app and the API.
    fn check_grant(&self, grant: &Grant, scopes: &Scopes) -> Result<(), Refusal> {
        let Grant { app, person, .. } = grant;
        let (authority, tenant) = (&self.authority, self.request.tenant);
        let (context, directory) = (self.request.context, self.request.directory());
        if !authority.admits(directory, person) {
            let name = &person.sign_in_name;
            return Err(Refusal::account_of_another_tenant(name, tenant, app).at_token());
        }
        scopes.check_known_in(&person.tenant)?;
        if !(SignIn { context, directory, authority, app, scopes }).has_consent(person) {
            return Err(Refusal::consent_missing(&app.client_id, &app.name));
        }
        check_assignment(scopes.resource(), person).map_err(Refusal::at_token)
    }

    fn token_type(&self) -> &'static str {
        if self.confirmation.is_some() { "pop" } else { "Bearer" }
    }

    fn access_token(
        &self,
        resource: &App,
        client: &App,
        subject: Subject<'_>,
        claims: &ClaimsRequest,
        lifetime: u64,
    ) -> Result<String, Refusal> {
        let proof = self.client.proof;
        let confirmation = self.confirmation.as_ref();
        let token =
            AccessToken { resource, client, proof, subject, claims, confirmation, lifetime };
        let signed = self.request.context.issuer.access_token(&token);
        signed.map_err(|error| Refusal::signing_failed(&error))
    }
}
