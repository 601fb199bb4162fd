//! The client credentials grant
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>).

use crate::{http::request::Answer, refusal::Refusal};

use super::token_request::TokenRequest;

/// Issues a token to the app itself.
pub(super) fn redeem(token_request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let TokenRequest { request, client, .. } = token_request;
    client.check_confidential()?;
    check_added(token_request)?;
    let scopes = request.scopes()?;
    if !scopes.is_default_only() {
        return Err(Refusal::default_scope_needed(request.parameters.required("scope")?));
    }
    let resource = scopes.only_resource()?;
    if !client.app.is_admitted_by(resource) {
        return Err(Refusal::assignment_of_app_missing(&client.app.client_id, &resource.name));
    }
    token_request.issue_to_app(resource)
}

/// Checks that the tenant has a service principal of the app. A person who signs in would create it,
/// but here is nobody: the app is of this tenant, the directory says that it was added, or an
/// administrator has consented for everybody
/// (<https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals>).
fn check_added(token_request: &TokenRequest<'_>) -> Result<(), Refusal> {
    let TokenRequest { request, authority, client, .. } = token_request;
    let (app, consents) = (&client.app, &request.context.consents);
    match authority.tenant() {
        Some(tenant)
            if !(app.is_added_to(&tenant.id) || consents.include(&tenant.id, &app.client_id)) =>
        {
            Err(Refusal::app_not_added(&app.client_id, &tenant.name))
        }
        _ => Ok(()),
    }
}
