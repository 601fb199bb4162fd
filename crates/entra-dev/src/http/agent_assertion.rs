//! The tokens with which an agent authenticates, and with which it proves that it acts for its user
//! account (<https://learn.microsoft.com/entra/agent-id/agent-oauth-protocols>).
//!
//! An agent has no credential. Its blueprint authenticates and gets a token for the agent; the
//! agent sends that token as its client assertion.

use crate::{
    directory::App,
    jws::UnverifiedJws,
    refusal::Refusal,
    tokens::{AccessTokenError, Proof, path_subject},
};

use super::request::TenantRequest;

/// Checks the client assertion of an agent: a token that the blueprint with this client id has got
/// for it.
pub(super) fn check(
    request: &TenantRequest<'_>,
    agent: &App,
    blueprint: &str,
) -> Result<Proof, Refusal> {
    let token = request.parameters.required("client_assertion")?;
    let token = exchange_token(request, agent, token)?;
    let directory = request.directory();
    let blueprint = directory.app(blueprint);
    let expected = blueprint.map(|app| path_subject(&agent.tenant, app, &agent.client_id));
    check_party(&token, blueprint.map_or("", |app| &app.client_id), &expected.unwrap_or_default())?;
    // Entra says the same for an assertion as for a certificate.
    Ok(Proof::Certificate)
}

/// Checks the credential for the user account of an agent: a token that the agent has got for
/// itself.
pub(super) fn check_user_credential(
    request: &TenantRequest<'_>,
    agent: &App,
) -> Result<(), Refusal> {
    let token = request.parameters.required("user_federated_identity_credential")?;
    exchange_token(request, agent, token)
        .and_then(|token| check_party(&token, &agent.client_id, &agent.client_id))
        .map_err(Refusal::at_token)
}

/// The verified token, which must be for the token exchange in the tenant of the agent.
fn exchange_token<'a>(
    request: &TenantRequest<'_>,
    agent: &App,
    token: &'a str,
) -> Result<UnverifiedJws<'a>, Refusal> {
    let api = request.directory().token_exchange();
    let issuer = &request.context.issuer;
    let token = issuer.verify_access_token(api, token).map_err(|error| match error {
        AccessTokenError::Malformed => Refusal::jwt_malformed(),
        AccessTokenError::Signature => {
            Refusal::assertion_invalid("no key of this tenant has signed it")
        }
        AccessTokenError::Expired | AccessTokenError::NotYetValid => {
            Refusal::assertion_not_in_time()
        }
        AccessTokenError::Audience(audience) => Refusal::exchange_audience(&audience),
        AccessTokenError::Issuer(issuer) => Refusal::exchange_issuer(&issuer),
        AccessTokenError::Bound => Refusal::assertion_invalid("it is bound to a key"),
    })?;
    match token.claim("tid") == Some(&agent.tenant) {
        true => Ok(token),
        false => Err(Refusal::exchange_issuer(token.claim("iss").unwrap_or_default())),
    }
}

/// Checks which app has got the token, and what it is good for.
fn check_party(token: &UnverifiedJws<'_>, client: &str, subject: &str) -> Result<(), Refusal> {
    let actual = token.claim("sub").unwrap_or_default();
    match token.claim("azp") == Some(client) && actual == subject {
        true => Ok(()),
        false => Err(Refusal::exchange_subject(actual)),
    }
}
