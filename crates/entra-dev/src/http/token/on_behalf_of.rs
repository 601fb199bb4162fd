//! The on-behalf-of grant
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>).

use std::sync::Arc;

use crate::{
    directory::Person, http::request::Answer, jws::UnverifiedJws, refusal::Refusal,
    tokens::AccessTokenError,
};

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
    // People call an agent through the API of its blueprint.
    let blueprint = app.agent_blueprint.as_deref().and_then(|id| request.directory().app(id));
    let api = blueprint.unwrap_or(app);
    // Only access tokens name their client.
    let is_id_token =
        |token: &UnverifiedJws<'_>| token.claim("azp").or(token.claim("appid")).is_none();
    let token = request.context.issuer.verify_access_token(api, assertion);
    let token = token.map_err(|error| match error {
        AccessTokenError::Malformed => Refusal::jwt_malformed(),
        AccessTokenError::Signature => {
            Refusal::on_behalf_of_assertion("its signature is not this tenant's")
        }
        AccessTokenError::Expired | AccessTokenError::NotYetValid => {
            Refusal::on_behalf_of_assertion_expired()
        }
        AccessTokenError::Audience(_) | AccessTokenError::Issuer(_)
            if UnverifiedJws::parse(assertion).as_ref().is_some_and(is_id_token) =>
        {
            Refusal::id_token_assertion()
        }
        AccessTokenError::Audience(audience) => {
            Refusal::on_behalf_of_assertion_audience(&audience, &api.client_id)
        }
        AccessTokenError::Issuer(_) => {
            Refusal::on_behalf_of_assertion("its issuer is not this tenant")
        }
        AccessTokenError::Bound => Refusal::on_behalf_of_assertion("it is bound to a key"),
    })?;
    if is_id_token(&token) {
        return Err(Refusal::id_token_assertion());
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
