//! Tokens for managed identities: the protocols of App Service and of the Azure Instance Metadata
//! Service (IMDS).
//!
//! A tenant represents one Azure resource, which has all managed identities of the tenant. Clients
//! find it through `IDENTITY_ENDPOINT` or `AZURE_POD_IDENTITY_AUTHORITY_HOST`, and then never ask
//! the link-local address of Azure.

mod denial;
mod identity_request;
mod protocol;

use std::sync::Arc;

use poem::{Endpoint, FromRequest, Request, Response, http::StatusCode, web::Data};
use serde_json::json;

use crate::{
    audit::{Entry, Outcome},
    tokens::{AccessToken, ClaimsRequest, Proof, Subject},
};

use self::{denial::Denial, identity_request::IdentityRequest, protocol::Protocol};

use super::{context::Context, correlation::Correlation, recorded, response::json};

/// `GET /{tenant}/msi/token`: the protocol of App Service
/// (<https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>).
pub(super) const APP_SERVICE: TokenService = TokenService(Protocol::AppService);

/// `GET /metadata/identity/oauth2/token`, also below `/{tenant}`: the protocol of IMDS
/// (<https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>).
pub(super) const IMDS: TokenService = TokenService(Protocol::Imds);

/// The lifetime of a token of a managed identity, in seconds.
const LIFETIME: u64 = 24 * 60 * 60;

/// A service that gives tokens to the programs of the resource.
#[derive(Clone, Copy)]
pub(super) struct TokenService(Protocol);

/// A token, and for which identity.
struct Granted {
    client_id: String,
    access_token: String,
    resource: String,
}

impl Endpoint for TokenService {
    type Output = Response;

    async fn call(&self, http: Request) -> poem::Result<Response> {
        let Data(context) = Data::<&Arc<Context>>::from_request_without_body(&http).await?;
        let Self(protocol) = self;
        let directory = context.directory();
        let request = IdentityRequest::new(*protocol, &http, &directory);
        let tenant = request.tenant_segment().to_owned();
        let correlation = Correlation::of(&http, &request.parameters);
        let answer = request.check(context).and_then(|()| grant(&request, context));
        let (response, entry) = match answer {
            Ok(granted) => {
                let response = protocol.token_response(&granted, context.now());
                let client_id = Some(granted.client_id);
                (response, Entry { client_id, ..Entry::new(NAME, &tenant, Outcome::Granted) })
            }
            Err(denial) => {
                let response = protocol.error_response(&denial, &correlation, context.now());
                let client_id = request.named_client();
                (response, Entry { client_id, ..Entry::new(NAME, &tenant, denial.outcome()) })
            }
        };
        context.record(Entry {
            correlation_id: Some(correlation.id()),
            detail: Some(protocol.name().to_owned()),
            request: Some(recorded::record(&http, &request.parameters)),
            ..entry
        });
        Ok(response)
    }
}

/// The name in the audit trail.
const NAME: &str = "managedidentity";

/// Issues a token with the app roles that the identity has. As in Entra, an identity without app
/// roles gets a token without `roles`, unless the API requires an assignment.
fn grant(request: &IdentityRequest<'_>, context: &Context) -> Result<Granted, Denial> {
    let identity = request.identity()?;
    let resource = request.resource(&identity.tenant)?;
    if !identity.is_admitted_by(resource) {
        return Err(Denial::not_assigned(identity, resource));
    }
    let claims = ClaimsRequest { capabilities: request.capabilities(), contexts: Vec::new() };
    let token = context.issuer.access_token(&AccessToken {
        resource,
        client: identity,
        proof: Proof::Certificate,
        subject: Subject::App { tenant: &identity.tenant, agent: None },
        claims: &claims,
        confirmation: None,
        lifetime: LIFETIME,
    });
    Ok(Granted {
        client_id: identity.client_id.clone(),
        access_token: token.map_err(|error| Denial::signing_failed(&error))?,
        resource: request.resource_name()?.to_owned(),
    })
}

impl Protocol {
    /// The token, with times in seconds as strings, as in Azure.
    fn token_response(self, granted: &Granted, now: u64) -> Response {
        let Granted { client_id, access_token, resource } = granted;
        let expires_on = now.saturating_add(LIFETIME).to_string();
        let body = match self {
            Self::AppService => json!({
                "access_token": access_token,
                "expires_on": expires_on,
                "resource": resource,
                "token_type": "Bearer",
                "client_id": client_id,
            }),
            Self::Imds => json!({
                "access_token": access_token,
                "refresh_token": "",
                "expires_in": LIFETIME.to_string(),
                "expires_on": expires_on,
                "not_before": now.to_string(),
                "resource": resource,
                "token_type": "Bearer",
            }),
        };
        json(StatusCode::OK, &body)
    }

    fn error_response(self, denial: &Denial, correlation: &Correlation, now: u64) -> Response {
        let (status, body) = match self {
            Self::AppService => denial.of_app_service(correlation.id(), now),
            Self::Imds => denial.of_imds(correlation.id(), now),
        };
        json(status, &body)
    }
}
