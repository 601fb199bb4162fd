//! The on-behalf-of grant
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>).

use std::sync::Arc;

use crate::{directory::Person, http::request::Answer, refusal::Refusal, tokens::VerifyError};

use super::token_request::TokenRequest;

/// Issues a token with which an API calls another API on behalf of its own caller.
pub(super) fn redeem(token_request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let TokenRequest { request, client, .. } = token_request;
    let parameters = &request.parameters;
    client.check_confidential()?;
    if parameters.optional("requested_token_use")? != Some("on_behalf_of") {
        return Err(Refusal::requested_token_use());
    }
    let person = caller(token_request, parameters.required("assertion")?)?;
    token_request.issue_for(person)
}

/// The person who has called the API with this access token.
fn caller(token_request: &TokenRequest<'_>, assertion: &str) -> Result<Arc<Person>, Refusal> {
    let TokenRequest { request, client, authority, .. } = token_request;
    let app = &client.app;
    let token = request.context.issuer.verify(assertion).map_err(|error| match error {
        VerifyError::Malformed => Refusal::jwt_malformed(),
        VerifyError::Signature => {
            Refusal::on_behalf_of_assertion("its signature is not this tenant's")
        }
        VerifyError::Time => Refusal::on_behalf_of_assertion_expired(),
    })?;
    // Only access tokens name their client.
    if token.claim("azp").or(token.claim("appid")).is_none() {
        return Err(Refusal::id_token_assertion());
    }
    let audience = token.claim("aud").unwrap_or_default();
    // People call an agent through the API of its blueprint.
    let blueprint = app.agent_blueprint.as_deref().and_then(|id| request.directory().app(id));
    let api = blueprint.unwrap_or(app);
    if !api.is_resource(audience) {
        return Err(Refusal::on_behalf_of_assertion_audience(audience, &api.client_id));
    }
    if !token.claims.contains_key("scp") {
        return Err(Refusal::app_only_assertion(&app.client_id));
    }
    let directory = request.directory();
    token
        .claim("oid")
        .and_then(|oid| directory.person(oid).ok())
        .filter(|person| token.claim("tid") == Some(person.tenant.as_str()))
        .filter(|person| authority.admits(directory, person))
        .cloned()
        .ok_or_else(|| Refusal::on_behalf_of_assertion("its user is not in this tenant"))
}
