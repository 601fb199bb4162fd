//! The grant with which an agent acts as its own user account
//! (<https://learn.microsoft.com/entra/agent-id/agent-user-oauth-flow>).

use std::sync::Arc;

use crate::{
    directory::Person,
    http::{agent_assertion, request::Answer},
    refusal::Refusal,
};

use super::token_request::TokenRequest;

/// Issues tokens for the user account of the agent.
pub(super) fn redeem(token_request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let TokenRequest { request, client, .. } = token_request;
    client.check_confidential()?;
    if client.app.agent_blueprint.is_none() {
        return Err(Refusal::user_credential_of_no_agent(&client.app.client_id));
    }
    if request
        .parameters
        .optional("requested_token_use")?
        .is_some_and(|value| value != "on_behalf_of")
    {
        return Err(Refusal::requested_token_use());
    }
    agent_assertion::check_user_credential(request, &client.app)?;
    token_request.issue_for(user_account(token_request)?)
}

/// The user account that the request names, which must be that of the agent.
fn user_account(token_request: &TokenRequest<'_>) -> Result<Arc<Person>, Refusal> {
    let TokenRequest { request, client, .. } = token_request;
    let (parameters, directory) = (&request.parameters, request.directory());
    let (name, found) = match (parameters.optional("user_id")?, parameters.optional("username")?) {
        (Some(oid), None) => (oid, directory.person_with_oid(&oid.to_ascii_lowercase())),
        (None, Some(name)) => {
            let is_it = |person: &&Arc<Person>| person.sign_in_name.eq_ignore_ascii_case(name);
            (name, directory.people().iter().find(is_it))
        }
        _ => return Err(Refusal::user_not_named()),
    };
    let person = found.ok_or_else(|| Refusal::account_unknown(name).at_token())?;
    match person.agent_identity.as_ref() == Some(&client.app.client_id) {
        true => Ok(Arc::clone(person)),
        false => Err(Refusal::user_of_another_agent(name, &client.app.client_id)),
    }
}
