//! The client credentials grant
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>).

use crate::{directory::App, http::request::Answer, ids::MICROSOFT_GRAPH, refusal::Refusal};

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
    let agent = agent(token_request, resource)?;
    token_request.issue_to_app(resource, agent)
}

/// The client id of the agent for which a blueprint requests the token: `fmi_path`
/// (<https://learn.microsoft.com/entra/agent-id/agent-autonomous-app-oauth-flow>). A blueprint gets
/// no token for itself, except for Microsoft Graph, where Entra lets it manage its agents.
fn agent<'a>(
    token_request: &'a TokenRequest<'_>,
    resource: &App,
) -> Result<Option<&'a str>, Refusal> {
    let TokenRequest { request, client, .. } = token_request;
    let client_id = &client.app.client_id;
    let directory = request.directory();
    let mut agents = directory.agents_of(client_id);
    let is_exchange = resource.client_id == directory.token_exchange().client_id;
    match request.parameters.optional("fmi_path")? {
        Some(path) if is_exchange => {
            let agent = agents.find(|agent| agent.client_id.eq_ignore_ascii_case(path));
            let agent = agent.ok_or_else(|| Refusal::fmi_path_unknown(path, client_id))?;
            Ok(Some(&agent.client_id))
        }
        Some(_) => Err(Refusal::fmi_path_elsewhere(&resource.name)),
        None if agents.next().is_none() || resource.client_id == MICROSOFT_GRAPH => Ok(None),
        None if is_exchange => Err(Refusal::fmi_path_missing()),
        None => Err(Refusal::blueprint_app_only(client_id, &resource.client_id)),
    }
}

/// Checks that the tenant has a service principal of the app. A person who signs in would create
/// it, but here is nobody: the app is of this tenant, the directory says that it was added, or an
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
