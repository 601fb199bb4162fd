//! Refusals that concern agents, in alphabetical order.

use poem::http::StatusCode;

use super::Refusal;

impl Refusal {
    /// The user account of an agent signs in like a person.
    pub(crate) fn agent_user_signs_in(account: &str) -> Self {
        let text = format!(
            "Error validating credentials: '{account}' is the user account of an agent, which has \
             no credentials. Its agent gets tokens for it with the grant type 'user_fic'."
        );
        Self::new("invalid_grant", 50126, text)
    }

    /// A blueprint requests a token for itself.
    pub(crate) fn blueprint_app_only(client_id: &str, resource: &str) -> Self {
        let text = format!(
            "Agentic application '{client_id}' is not permitted to request app-only tokens for \
             resource '{resource}': it is a blueprint, so its agents request them."
        );
        Self::new("unauthorized_client", 82001, text)
    }

    /// A token that is not for the token exchange.
    pub(crate) fn exchange_audience(audience: &str) -> Self {
        Self::no_federated_identity(700_212, "audience", audience)
    }

    /// A token of another tenant.
    pub(crate) fn exchange_issuer(issuer: &str) -> Self {
        Self::no_federated_identity(700_211, "issuer", issuer)
    }

    /// A token of another app, or for another agent.
    pub(crate) fn exchange_subject(subject: &str) -> Self {
        Self::no_federated_identity(700_213, "subject", subject)
    }

    /// `fmi_path` without the scope that it is for.
    pub(crate) fn fmi_path_elsewhere(resource: &str) -> Self {
        let text = format!(
            "The parameter 'fmi_path' is only for the scope 'api://AzureADTokenExchange/.default', \
             but the scope is of '{resource}'."
        );
        Self::new("invalid_request", 90023, text)
    }

    /// A blueprint does not say for which agent the token is.
    pub(crate) fn fmi_path_missing() -> Self {
        let text = "All agentic applications requesting a token exchange token must include the \
                    fmipath parameter on the token request: 'fmi_path' is the client id of the \
                    agent.";
        Self::new("invalid_request", 82008, text)
    }

    /// `fmi_path` names no agent of this blueprint.
    pub(crate) fn fmi_path_unknown(path: &str, client_id: &str) -> Self {
        let text = format!(
            "Application with identifier '{path}' was not found among the agents of the blueprint \
             '{client_id}': in the directory, 'agent_blueprint' of an agent names its blueprint."
        );
        Self::new("unauthorized_client", 700_016, text)
    }

    /// `user_fic` by an app that is not an agent.
    pub(crate) fn user_credential_of_no_agent(client_id: &str) -> Self {
        let text = format!(
            "Application '{client_id}' may not use the grant type 'user_fic': it is not an agent."
        );
        Self::new("unauthorized_client", 700_213, text)
    }

    /// `user_fic` for a person, or for the user account of another agent.
    pub(crate) fn user_of_another_agent(account: &str, client_id: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion subject \
             '{client_id}': '{account}' is not the user account of this agent."
        );
        Self::new("invalid_grant", 700_213, text)
    }

    /// `user_fic` without the user, or with two.
    pub(crate) fn user_not_named() -> Self {
        let text = "The request must contain the following parameter: 'user_id' or 'username', but \
                    not both.";
        Self::new("invalid_request", 900_144, text)
    }

    fn no_federated_identity(code: u32, part: &str, value: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion {part} '{value}'. \
             The assertion of an agent is the token that its blueprint gets at the agent's tenant \
             for 'api://AzureADTokenExchange/.default' with the agent's client id as 'fmi_path'."
        );
        let status = StatusCode::UNAUTHORIZED;
        Self { status, ..Self::new("invalid_client", code, text) }
    }
}
