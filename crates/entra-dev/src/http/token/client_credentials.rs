use super::{Issued, TokenRequest};
use crate::refusal::Refusal;
use crate::scope::Scopes;

/// Gives an app a token on its own account ("OAuth 2.0 client credentials flow").
pub(super) fn redeem(mut request: TokenRequest<'_>) -> Result<Issued, Refusal> {
    request.client = request.client.confidential()?;
    let TokenRequest { context, tenant, parameters, client, .. } = &request;
    let text = parameters.required("scope")?;
    let scopes = Scopes::parse(context.directory(), tenant, text)?;
    if !scopes.is_default_only() {
        return Err(Refusal::default_scope_needed(text));
    }
    let resource = scopes.only_resource()?;
    let has_a_role = client.app.permissions.contains_key(&resource.client_id);
    if resource.assignment_required && !has_a_role {
        return Err(Refusal::assignment_of_app_missing(&client.app.client_id, &resource.name));
    }
    request.issue_to_app(resource)
}
