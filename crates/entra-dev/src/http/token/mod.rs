//! The token endpoint: one file for each grant.

mod authorization_code;
mod client_credentials;
mod device_code;
mod on_behalf_of;
mod refresh_token;
mod tokens;

use std::sync::Arc;

use poem::http::StatusCode;
use poem::http::header::ORIGIN;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};

use self::tokens::Issued;
use super::client::Client;
use super::correlation::Correlation;
use super::parameters::Parameters;
use super::{Context, cors, json, refuse_correlated};
use crate::audit::{Entry, Outcome};
use crate::directory::{Authority, Platform};
use crate::refusal::Refusal;
use crate::tokens::Proof;

/// `POST /{tenant}/oauth2/v2.0/token` (RFC 6749 section 4.1.3).
#[handler]
pub(super) async fn redeem(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let (answer, parameters) = match Parameters::of_request(request, body).await {
        Err(refusal) => (Err(refusal), Parameters::default()),
        Ok(parameters) => (answer(context, &tenant, request, &parameters), parameters),
    };
    let client_id = Client::named(request, &parameters);
    let correlation = Correlation::of(request, &parameters);
    let outcome = answer.as_ref().map_or_else(Refusal::outcome, |_| Outcome::Granted);
    context.note(Entry {
        client_id: client_id.clone(),
        correlation_id: Some(correlation.id()),
        detail: parameters.optional("grant_type").ok().flatten().map(str::to_owned),
        person: answer.as_ref().ok().and_then(|issued| issued.person.clone()),
        ..Entry::of("token", &tenant, outcome)
    });
    let response = correlation.on(match answer {
        Ok(Issued { tokens, .. }) => json(StatusCode::OK, &tokens),
        Err(refusal) => refuse_correlated(context, &refusal, &correlation),
    });
    cors::allow_registered(context, client_id.as_deref(), request.headers().get(ORIGIN), response)
}

/// The preflight: Swagger UI sends `X-Requested-With`, which needs one.
#[handler]
pub(super) fn preflight(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    let answer = cors::preflight(request, "POST");
    cors::allow_registered(context, None, request.headers().get(ORIGIN), answer)
}

/// A request to the token endpoint whose client is known.
struct TokenRequest<'a> {
    context: &'a Context,
    tenant: &'a str,
    authority: Authority,
    parameters: &'a Parameters,
    client: Client,
    /// Whether a script in a browser has sent it.
    cross_origin: bool,
    /// The URL of the listener that was asked.
    base_url: &'a str,
}

fn answer(
    context: &Context,
    tenant: &str,
    request: &Request,
    parameters: &Parameters,
) -> Result<Issued, Refusal> {
    let authority = Authority::parse(context.directory(), tenant)
        .ok_or_else(|| Refusal::tenant_unknown(tenant))?;
    let grant_type = parameters.required("grant_type")?;
    let grant: fn(TokenRequest<'_>) -> Result<Issued, Refusal> = match grant_type {
        "authorization_code" => authorization_code::redeem,
        "refresh_token" => refresh_token::redeem,
        "client_credentials" => client_credentials::redeem,
        // MSAL sends the one name from Python and the other from Node.
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => device_code::redeem,
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => on_behalf_of::redeem,
        other => return Err(Refusal::grant_unsupported(other)),
    };
    let client = Client::authenticate(context, tenant, &authority, request, parameters)?;
    grant(TokenRequest {
        context,
        tenant,
        authority,
        parameters,
        client,
        cross_origin: request.headers().contains_key(ORIGIN),
        base_url: context.urls.of(request),
    })
}

impl TokenRequest<'_> {
    /// Checks that what was given to one kind of program is redeemed by one: a script from the
    /// page it lives in, a server with its credential.
    fn check_platform(&self, platform: Platform) -> Result<(), Refusal> {
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
}
