//! The client credentials grant
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>).

use crate::{http::request::Answer, refusal::Refusal};

use super::token_request::TokenRequest;

/// Issues a token to the app itself.
pub(super) fn redeem(token_request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let TokenRequest { request, client, .. } = token_request;
    client.check_confidential()?;
    let scopes = request.scopes()?;
    if !scopes.is_default_only() {
        return Err(Refusal::default_scope_needed(request.parameters.required("scope")?));
    }
    let resource = scopes.only_resource()?;
    let has_a_role = client.app.permissions.contains_key(&resource.client_id);
    if resource.assignment_required && !has_a_role {
        return Err(Refusal::assignment_of_app_missing(&client.app.client_id, &resource.name));
    }
    token_request.issue_to_app(resource)
}
