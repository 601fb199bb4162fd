use std::sync::Arc;

use serde::Serialize;

use super::TokenRequest;
use crate::directory::App;
use crate::grants::Grant;
use crate::http::authorization_request::claims;
use crate::http::sign_in;
use crate::keys::SignError;
use crate::refusal::Refusal;
use crate::scope::Scopes;
use crate::tokens::{AccessToken, IdToken, Subject, client_info, lifetime};

/// The answer to a successful request (RFC 6749 section 5.1), with Entra's members.
#[derive(Serialize)]
pub(super) struct Tokens {
    token_type: &'static str,
    /// `None` for an app on its own account ("OAuth 2.0 client credentials flow").
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

/// The answer, and whose it is.
pub(super) struct Issued {
    pub(super) tokens: Tokens,
    /// The sign-in name; `None` for an app on its own account.
    pub(super) person: Option<String>,
}

impl TokenRequest<'_> {
    /// What the request asks for, which one API must be able to give; `None` where it does not say,
    /// and means what the person has granted.
    pub(super) fn scopes(&self) -> Result<Option<Scopes>, Refusal> {
        let Some(text) = self.parameters.optional("scope")? else { return Ok(None) };
        let scopes = Scopes::parse(self.context.directory(), self.tenant, text)?;
        scopes.only_resource()?;
        Ok(Some(scopes))
    }

    /// Tokens of one API for the person who gave the grant. `refresh_token` makes the one that
    /// comes with them, if the person has allowed for one.
    pub(super) fn issue(
        &self,
        grant: &Grant,
        scopes: &Scopes,
        refresh_token: impl FnOnce() -> String,
    ) -> Result<Issued, Refusal> {
        let Grant { app, person, .. } = grant;
        let resource = scopes.resource();
        if !self.authority.admits(self.context.directory(), person) {
            let name = &person.sign_in_name;
            return Err(Refusal::account_of_another_tenant(name, self.tenant, app).of_a_grant());
        }
        scopes.check_known_in(&person.tenant)?;
        if !sign_in::has_consent(self.context, app, person, scopes) {
            return Err(Refusal::consent_missing(&app.client_id, &app.name));
        }
        sign_in::check_assignment(resource, person).map_err(Refusal::of_a_grant)?;
        let lifetime = lifetime();
        let issuer = &self.context.issuer;
        let subject = Subject::Person { person, scopes: scopes.names_at(resource) };
        let access_token = self.access_token(resource, app, subject, grant, lifetime)?;
        let id_token = scopes.has("openid").then(|| {
            issuer.id_token(&IdToken {
                base_url: self.base_url,
                client_id: &app.client_id,
                person,
                scopes,
                nonce: grant.nonce.as_deref(),
                code: None,
                lifetime,
            })
        });
        let offline = scopes.offline() || grant.scopes.offline();
        let wants_client_info = self.parameters.optional("client_info")? == Some("1");
        let tokens = Tokens {
            token_type: "Bearer",
            scope: Some(scopes.granted_by(resource)),
            expires_in: lifetime,
            ext_expires_in: lifetime,
            access_token,
            refresh_token: offline.then(refresh_token),
            id_token: id_token.transpose().map_err(failed)?,
            client_info: wants_client_info.then(|| client_info(person)),
        };
        Ok(Issued { tokens, person: Some(person.sign_in_name.clone()) })
    }

    /// An access token for an app on its own account.
    pub(super) fn issue_to_app(&self, resource: &App) -> Result<Issued, Refusal> {
        let tenant = self.authority.tenant().ok_or_else(Refusal::credentials_need_a_tenant)?;
        let lifetime = lifetime();
        let access_token = self.context.issuer.access_token(&AccessToken {
            resource,
            client: &self.client.app,
            proof: self.client.proof,
            subject: Subject::App { tenant: &tenant.id },
            claims: &claims(self.parameters)?.unwrap_or_default(),
            lifetime,
        });
        let tokens = Tokens {
            token_type: "Bearer",
            scope: None,
            expires_in: lifetime,
            ext_expires_in: lifetime,
            access_token: access_token.map_err(failed)?,
            refresh_token: None,
            id_token: None,
            client_info: None,
        };
        Ok(Issued { tokens, person: None })
    }

    fn access_token(
        &self,
        resource: &Arc<App>,
        client: &App,
        subject: Subject<'_>,
        grant: &Grant,
        lifetime: u64,
    ) -> Result<String, Refusal> {
        // What is asked for now counts; otherwise what was asked for when the person signed in.
        let asked = claims(self.parameters)?;
        let claims = asked.as_ref().unwrap_or(&grant.claims);
        let proof = self.client.proof;
        let token = AccessToken { resource, client, proof, subject, claims, lifetime };
        self.context.issuer.access_token(&token).map_err(failed)
    }
}

fn failed(error: SignError) -> Refusal {
    tracing::error!(%error, "the development tenant failed to sign a token");
    Refusal::failed()
}
