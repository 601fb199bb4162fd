//! Requests to Microsoft Graph.

use entra_dev::ids::MICROSOFT_GRAPH;
use serde_json::{Value, json};

use super::{Answer, SINGLE_PAGE, TestTenant, text};

pub(crate) const GRAPH_PATH: &str = "/graph/v1.0";

/// A token for Graph.
pub(crate) enum GraphToken {
    /// Of a person with these scopes.
    Person(&'static str, String),
    /// Of an app with this app role.
    App(String),
}

impl GraphToken {
    pub(crate) async fn get(&self, tenant: &TestTenant) -> String {
        match self {
            Self::Person(person, scopes) => tenant.graph_token(person, scopes).await,
            Self::App(role) => {
                let claims = json!({ "roles": [role] });
                let body = json!({ "kind": "app", "resource": MICROSOFT_GRAPH, "claims": claims });
                tenant.forged(body).await
            }
        }
    }
}

impl TestTenant {
    /// The token that a person gets for Graph with these scopes.
    pub(crate) async fn graph_token(&self, person: &str, scopes: &str) -> String {
        text(&SINGLE_PAGE.sign_in(self, scopes, person).await, "access_token")
    }

    /// Sends a GET request to Graph.
    pub(crate) async fn graph(&self, token: &str, path: &str) -> Answer {
        let url = self.url(&format!("{GRAPH_PATH}{path}"));
        Answer::of(self.browser.get(url).bearer_auth(token)).await
    }

    /// Calls an action of Graph.
    pub(crate) async fn graph_action(&self, token: &str, path: &str, body: &Value) -> Answer {
        let url = self.url(&format!("{GRAPH_PATH}{path}"));
        let request = self.browser.post(url).header("content-type", "application/json");
        Answer::of(request.bearer_auth(token).body(body.to_string())).await
    }
}

impl Answer {
    /// Asserts that this is an error in the format of Graph whose message contains this text.
    #[track_caller]
    pub(crate) fn assert_graph_error(&self, status: u16, code: &str, said: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        let error = &self.json()["error"];
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
        for name in ["date", "request-id", "client-request-id"] {
            assert!(error["innerError"][name].is_string(), "{error}");
        }
    }
}
