//! The API with a development tenant in another process, whose URL is in `ENTRA_DEV_URL`. Several
//! programs can share it, for example in CI. Without this variable, the test starts a tenant.

mod support;

use std::env;

use entra_dev::DevTenant;
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};
use support::Api;

#[tokio::test]
async fn a_tenant_in_another_process_is_used_over_http() {
    let (url, _own) = match variable("ENTRA_DEV_URL") {
        Some(url) => (url, None),
        None => {
            let tenant = DevTenant::start().await.unwrap();
            (tenant.base_url().to_owned(), Some(tenant))
        }
    };
    let tenant = Tenant::create(&url).await;
    let api = Api::start(&url, tenant.text("/id"), tenant.client_id("Todo API"));
    for (forgery, status) in [
        (json!({ "person": "uma" }), StatusCode::OK),
        (json!({ "person": "uma", "expires_in": -3600 }), StatusCode::UNAUTHORIZED),
        (json!({ "person": "tia" }), StatusCode::UNAUTHORIZED),
    ] {
        let forged = tenant.send(Method::POST, "/tokens", &forgery).await;
        let token = forged["access_token"].as_str().unwrap();
        assert_eq!(api.status(Method::GET, "/me", token).await, status, "{forgery}");
    }
    tenant.send(Method::DELETE, "", &Value::Null).await;
}

/// A tenant with people, apps, keys, faults and a clock of its own.
struct Tenant {
    client: Client,
    created: Value,
}

impl Tenant {
    async fn create(url: &str) -> Self {
        let controls = json!({ "controls": format!("{url}/_dev/tenants") });
        let mut tenant = Self { client: Client::new(), created: controls };
        tenant.created = tenant.send(Method::POST, "", &json!({})).await;
        // Access tokens name the URL at which the API reads the keys.
        let issuer = "/directory/apps/Todo%20API/token_issuer";
        tenant.send(Method::PUT, issuer, &json!(url)).await;
        tenant
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let url: Url = format!("{}{path}", self.text("/controls")).parse().unwrap();
        let mut request = self.client.request(method, url.clone()).json(body);
        if let Some(token) = variable("ENTRA_DEV_CONTROL_TOKEN") {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let is_success = response.status().is_success();
        let body = response.text().await.unwrap();
        // The body of an error says what is wrong with the request.
        assert!(is_success, "{url}: {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }

    fn client_id(&self, app: &str) -> &str {
        let apps = self.created["directory"]["apps"].as_array().unwrap();
        let app = apps.iter().find(|known| known["name"] == app).unwrap();
        app["client_id"].as_str().unwrap()
    }

    fn text(&self, pointer: &str) -> &str {
        self.created.pointer(pointer).and_then(Value::as_str).unwrap()
    }
}

#[allow(clippy::disallowed_methods, reason = "about the machine that runs the test")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
