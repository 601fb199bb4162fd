//! The agent in the README, and its requests.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;

use super::{Answer, Form, TestTenant, client_credentials};

pub(crate) const BLUEPRINT: &str = "f1000000-0000-4000-8000-000000000001";
pub(crate) const AGENT: &str = "f1000000-0000-4000-8000-000000000002";
pub(crate) const AGENT_USER: &str = "f1000000-0000-4000-8000-000000000003";
pub(crate) const LIBRARY_API: &str = "f1000000-0000-4000-8000-000000000004";
pub(crate) const EXCHANGE: &str = "api://AzureADTokenExchange/.default";

const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The example in the README.
pub(crate) fn agent_entries() -> String {
    let (_, rest) = include_str!("../../../README.md").split_once("```toml\n[[apps]]").unwrap();
    let (entries, _) = rest.split_once("```").unwrap();
    format!("[[apps]]{entries}")
}

/// The request of the blueprint for a token with which the agent authenticates.
pub(crate) fn blueprint_request() -> Form {
    client_credentials(BLUEPRINT, "blueprint-secret", EXCHANGE).with("fmi_path", AGENT)
}

/// A request of the agent with its client assertion.
pub(crate) fn agent_request(grant_type: &str, assertion: &str, scope: &str) -> Form {
    Form::empty()
        .with("grant_type", grant_type)
        .with("client_id", AGENT)
        .with("client_assertion_type", BEARER)
        .with("client_assertion", assertion)
        .with("scope", scope)
}

impl TestTenant {
    pub(crate) async fn start_with_agent() -> Self {
        Self::start_having(&agent_entries()).await
    }

    /// The token with which the agent authenticates.
    pub(crate) async fn agent_assertion(&self) -> String {
        self.post("token", &blueprint_request()).await.token("access_token")
    }

    /// The token that the agent gets for itself.
    pub(crate) async fn agent_token(&self, scope: &str) -> String {
        let assertion = self.agent_assertion().await;
        let form = agent_request("client_credentials", &assertion, scope);
        self.post("token", &form).await.token("access_token")
    }

    /// The request of the agent for tokens of its user account.
    pub(crate) async fn user_account_request(&self, scope: &str) -> Form {
        let assertion = self.agent_assertion().await;
        let credential = self.agent_token(EXCHANGE).await;
        agent_request("user_fic", &assertion, scope)
            .with("user_federated_identity_credential", &credential)
            .with("user_id", AGENT_USER)
    }

    /// The response to that request.
    pub(crate) async fn user_account(&self, scope: &str) -> Answer {
        let answer = self.post("token", &self.user_account_request(scope).await).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer
    }

    /// The response to the agent that acts for the person who called its blueprint.
    pub(crate) async fn on_behalf_of_caller(&self, account: &str, scope: &str) -> Answer {
        let caller = Form::authorization().with("scope", &format!("api://{BLUEPRINT}/ask"));
        let caller = self.sign_in(CONTOSO, &caller, account).await;
        let caller = caller["access_token"].as_str().unwrap();
        let assertion = self.agent_assertion().await;
        let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let form = agent_request(grant_type, &assertion, scope)
            .with("requested_token_use", "on_behalf_of")
            .with("assertion", caller);
        self.post("token", &form).await
    }
}
