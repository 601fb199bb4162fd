//! Blueprints, agents and their user accounts in a directory.

use std::path::Path;

use entra_dev::{Directory, Edit, EditError};
use serde_json::{Value, json};

use crate::support::{
    AGENT, Answer, Credential, TestTenant, agent_entries, agent_request, blueprint_request,
};

fn directory() -> Directory {
    let text = format!("{}\n{}", Directory::EXAMPLE, agent_entries());
    Directory::parse(&text, Path::new("")).unwrap()
}

#[test]
fn a_directory_with_agents_survives_its_export() {
    let directory = directory();
    let toml = Directory::parse(&directory.to_toml(), Path::new("")).unwrap();
    assert_eq!(toml.to_json(), directory.to_json());
    let json = directory.to_json().to_string();
    let json = Directory::parse_json(&json, Path::new("")).unwrap();
    assert_eq!(json.to_toml(), directory.to_toml());
    assert!(directory.to_toml().contains("agent_identity = \"Research agent\""));
}

#[test]
fn each_fault_of_an_agent_is_named() {
    let certificate = Credential::generate().pem;
    let no_credentials = "an agent has no credentials: its blueprint authenticates for it";
    let no_sign_in = "nobody signs in to an agent";
    for (path, patch, pointer, said) in [
        (
            ["apps", "Research agent"],
            json!({ "secrets": ["x"] }),
            "#/agent_blueprint",
            no_credentials,
        ),
        (
            ["apps", "Research agent"],
            json!({ "expired_secrets": ["x"] }),
            "#/agent_blueprint",
            no_credentials,
        ),
        (
            ["apps", "Research agent"],
            json!({ "certificates": [certificate] }),
            "#/agent_blueprint",
            no_credentials,
        ),
        (
            ["apps", "Research agent"],
            json!({ "federated_credentials": [{ "issuer": "https://a.example", "subject": "s" }] }),
            "#/agent_blueprint",
            no_credentials,
        ),
        (
            ["apps", "Research agent"],
            json!({ "managed_identity": "user-assigned" }),
            "#/agent_blueprint",
            no_credentials,
        ),
        (
            ["apps", "Research agent"],
            json!({ "redirect_uris": { "web": ["http://localhost/"] } }),
            "#/agent_blueprint",
            no_sign_in,
        ),
        (
            ["apps", "Research agent"],
            json!({ "public_client": true }),
            "#/agent_blueprint",
            no_sign_in,
        ),
        (
            ["apps", "Research agent"],
            json!({ "added_to": ["Fabrikam"] }),
            "#/agent_blueprint",
            "an agent is in one tenant only",
        ),
        (
            ["apps", "Research agent"],
            json!({ "agent_blueprint": "Nobody" }),
            "#/agent_blueprint",
            "there is no app \"Nobody\"",
        ),
        (
            ["apps", "Research agent"],
            json!({ "agent_blueprint": "Research agent" }),
            "#/agent_blueprint",
            "is an agent itself",
        ),
        (
            ["apps", "Research agent"],
            json!({ "tenant": "Fabrikam" }),
            "people/robin/agent_identity",
            "the user account of \"Research agent\" must be in its tenant, \"Fabrikam\"",
        ),
        (
            ["apps", "Research blueprint"],
            json!({ "tenant": "Fabrikam", "single_tenant": true }),
            "apps/Research agent/agent_blueprint",
            "\"Research blueprint\" is a single-tenant app",
        ),
        (
            ["people", "uma"],
            json!({ "agent_identity": AGENT }),
            "people/robin/agent_identity",
            "\"Research agent\" has another user account already",
        ),
        (
            ["people", "uma"],
            json!({ "agent_identity": "Web site" }),
            "#/agent_identity",
            "\"Web site\" is not an agent",
        ),
    ] {
        let Err(EditError::Faults(faults)) = directory().edit(&Edit::patch(path, patch.clone()))
        else {
            panic!("{patch} was accepted");
        };
        let is_it = |pointer: &str| {
            faults.iter().any(|fault| fault.pointer == pointer && fault.detail.contains(said))
        };
        assert!(is_it(pointer), "{patch}: {faults:?}");
    }
}

#[tokio::test]
async fn a_running_tenant_gets_an_agent_over_http() {
    let tenant = TestTenant::start().await;
    let document = directory().to_json();
    let named = |collection: &str, names: &[&str]| -> Vec<Value> {
        let entries = document[collection].as_array().unwrap().iter();
        let is_it = |entry: &&Value| names.iter().any(|name| entry["name"] == **name);
        entries.filter(is_it).cloned().collect()
    };
    let apps = named("apps", &["Library API", "Research blueprint", "Research agent"]);
    let [blueprint, agent, library] = &apps[..] else { panic!("{document}") };
    let apps = "/_dev/directory/apps";
    tenant
        .post_json(apps, agent)
        .await
        .assert_problem(400, "there is no app \"Research blueprint\"");
    for app in [library, blueprint, agent] {
        assert_eq!(tenant.post_json(apps, app).await.status, 201, "{app}");
    }
    let person = &named("people", &["robin"])[0];
    assert_eq!(tenant.post_json("/_dev/directory/people", person).await.status, 201);
    let scope = format!("api://{}/read", library["client_id"].as_str().unwrap());
    let token = TestTenant::claims(&tenant.user_account(&scope).await.token("access_token"));
    assert_eq!(token["xms_sub_fct"], "13 3");
    let file = tenant.get("/_dev/directory.toml").await.body;
    let again = Directory::parse(&file, Path::new("")).unwrap();
    assert_eq!(again.to_json(), tenant.get_json("/_dev/directory").await);
}

#[tokio::test]
async fn an_isolated_tenant_has_agents_of_its_own() {
    let tenant = TestTenant::start_with_agent().await;
    let isolated = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let apps = isolated["directory"]["apps"].as_array().unwrap();
    let id = |name: &str| {
        let app = apps.iter().find(|app| app["name"] == name).unwrap();
        app["client_id"].as_str().unwrap().to_owned()
    };
    assert_ne!(id("Research agent"), AGENT);
    let form = blueprint_request()
        .with("client_id", &id("Research blueprint"))
        .with("fmi_path", &id("Research agent"));
    let url = format!("{}/oauth2/v2.0/token", isolated["authority"].as_str().unwrap());
    let assertion = Answer::of(form.on(tenant.browser.post(&url))).await;
    let assertion = assertion.token("access_token");
    let form =
        agent_request("client_credentials", &assertion, &format!("{}/.default", id("Library API")));
    let form = form.with("client_id", &id("Research agent"));
    let answer = Answer::of(form.on(tenant.browser.post(&url))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // The shared agent cannot use it.
    let form = form.with("client_id", AGENT);
    tenant.post("token", &form).await.assert_refusal(401, "invalid_client", 700_211);
}
