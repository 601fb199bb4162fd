//! Permissions that agents inherit from their blueprint.

use std::{collections::BTreeSet, path::Path};

use entra_dev::{Directory, Edit, EditError, ids::CONTOSO};
use serde_json::{Value, json};

use crate::support::{
    AGENT, Answer, BLUEPRINT, Browser, Form, LIBRARY_API, TestTenant, agent_entries, section,
};

const BLUEPRINT_ENTRY: &str = "/_dev/directory/apps/Research%20blueprint";

/// The agent has one app role in the Library API, and its blueprint has two.
async fn start() -> TestTenant {
    let roles = "app_roles = [\"Books.Read.All\"]";
    let more = "app_roles = [\"Books.Read.All\", \"Books.Lend.All\"]";
    let entries = agent_entries().replace(roles, more);
    let tenant = TestTenant::start_having(&entries).await;
    let granted = json!({ "Library API": ["Books.Lend.All", "Books.Read.All"] });
    patch(&tenant, BLUEPRINT_ENTRY, json!({ "permissions": granted })).await;
    tenant
}

async fn patch(tenant: &TestTenant, path: &str, patch: Value) {
    let answer = tenant.patch_json(path, &patch).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn scope() -> String {
    format!("api://{LIBRARY_API}/read")
}

async fn roles(tenant: &TestTenant) -> Value {
    let token = tenant.agent_token(&format!("{LIBRARY_API}/.default")).await;
    TestTenant::claims(&token)["roles"].clone()
}

#[tokio::test]
async fn an_agent_has_the_app_roles_of_its_blueprint_that_are_inheritable() {
    let tenant = start().await;
    assert_eq!(roles(&tenant).await, json!(["Books.Read.All"]));
    patch(&tenant, BLUEPRINT_ENTRY, json!({ "inheritable_permissions": ["Reports API"] })).await;
    assert_eq!(roles(&tenant).await, json!(["Books.Read.All"]), "of another API");
    patch(&tenant, BLUEPRINT_ENTRY, json!({ "inheritable_permissions": ["Library API"] })).await;
    assert_eq!(roles(&tenant).await, json!(["Books.Read.All", "Books.Lend.All"]));
    // An agent without an app role of its own has them, too.
    tenant.delete("/_dev/directory/apps/Research%20agent/permissions").await.assert_done();
    assert_eq!(roles(&tenant).await, json!(["Books.Lend.All", "Books.Read.All"]));
    // What the blueprint has not been granted is not inherited.
    tenant.delete(&format!("{BLUEPRINT_ENTRY}/permissions")).await.assert_done();
    assert_eq!(roles(&tenant).await, Value::Null);
}

#[tokio::test]
async fn app_roles_are_inherited_only_by_tokens_of_the_agent_itself() {
    let tenant = start().await;
    patch(&tenant, BLUEPRINT_ENTRY, json!({ "inheritable_permissions": [LIBRARY_API] })).await;
    let token = tenant.user_account(&scope()).await.token("access_token");
    let token = TestTenant::claims(&token);
    assert_eq!((&token["scp"], &token["roles"]), (&json!("read"), &Value::Null));
}

#[tokio::test]
async fn the_pages_show_the_app_roles_that_an_agent_inherits() {
    let tenant = start().await;
    tenant.delete("/_dev/directory/apps/Research%20agent/permissions").await.assert_done();
    let scopes = async || {
        let page = tenant.get(&format!("/_dev/apps/{AGENT}")).await.body;
        let lines = page.lines().filter_map(|line| line.trim().strip_prefix("scope "));
        // The page has them once for each language.
        lines.map(|scope| scope.trim().to_owned()).collect::<BTreeSet<_>>()
    };
    let holders = async || {
        let page = tenant.dev_page().await;
        let roles = section(&page, "App roles");
        let row = |role: &str| {
            let (_, row) = roles.split_once(&format!("<code>{role}</code> @ Library API")).unwrap();
            row.split("</tr>").next().unwrap().contains("Research agent")
        };
        [row("Books.Read.All"), row("Books.Lend.All")]
    };
    assert!(scopes().await.contains(&scope()), "{:?}", scopes().await);
    assert_eq!(holders().await, [false, false]);
    patch(&tenant, BLUEPRINT_ENTRY, json!({ "inheritable_permissions": ["Library API"] })).await;
    assert_eq!(scopes().await, BTreeSet::from([format!("api://{LIBRARY_API}/.default")]));
    assert_eq!(holders().await, [true, true]);
}

#[tokio::test]
async fn the_table_of_apps_marks_the_permissions_that_an_agent_inherits() {
    let tenant = start().await;
    let shown = async |app: &str| {
        let page = tenant.dev_page().await;
        let (_, row) = section(&page, "Apps").split_once(&format!(">{app}</th>")).unwrap();
        let cell = row.split("data-label=\"Permissions\">").nth(1).unwrap();
        cell.split("</td>").next().unwrap().to_owned()
    };
    let own = "<code>Books.Read.All</code> @ Library API";
    assert_eq!(shown("Research agent").await, own);
    let inheritable = json!({ "inheritable_permissions": ["Library API", "Microsoft Graph"] });
    patch(&tenant, BLUEPRINT_ENTRY, inheritable).await;
    // A role that is also its own is shown once, as in the token.
    let lend = "<code>Books.Lend.All</code> @ Library API";
    assert_eq!(shown("Research agent").await, format!("{own}<br>{lend} (inherited)"));
    assert_eq!(shown("Research blueprint").await, format!("{lend}<br>{own}"));
    assert_eq!(roles(&tenant).await, json!(["Books.Read.All", "Books.Lend.All"]));
    tenant.delete("/_dev/directory/apps/Research%20agent/permissions").await.assert_done();
    let both = format!("{lend} (inherited)<br>{own} (inherited)");
    assert_eq!(shown("Research agent").await, both);
    assert_eq!(roles(&tenant).await, json!(["Books.Lend.All", "Books.Read.All"]));
}

#[tokio::test]
async fn an_agent_inherits_the_roles_of_its_blueprint_in_graph() {
    let tenant = start().await;
    let permissions = json!({ "Microsoft Graph": ["User.Read.All"] });
    let inheritable = json!(["Microsoft Graph"]);
    let both = json!({ "permissions": permissions, "inheritable_permissions": inheritable });
    patch(&tenant, BLUEPRINT_ENTRY, both).await;
    let token = tenant.agent_token("https://graph.microsoft.com/.default").await;
    assert_eq!(TestTenant::claims(&token)["roles"], json!(["User.Read.All"]));
    assert_eq!(tenant.graph(&token, "/users/uma@contoso.example").await.status, 200);
}

#[tokio::test]
async fn an_agent_inherits_the_consent_of_an_administrator_for_its_blueprint() {
    let tenant = start().await;
    let agent = "/_dev/directory/apps/Research%20agent";
    patch(&tenant, agent, json!({ "consent_required": true })).await;
    let ask = async || {
        let form = tenant.user_account_request(&scope()).await;
        tenant.post("token", &form).await
    };
    let refused = |answer: Answer| {
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert_eq!(answer.json()["error_codes"], json!([65001]));
    };
    refused(ask().await);
    // An administrator has approved every permission of an app that requires no consent.
    patch(&tenant, BLUEPRINT_ENTRY, json!({ "inheritable_permissions": ["Library API"] })).await;
    assert_eq!(ask().await.status, 200);
    let client = json!({
        "consent_required": true,
        "redirect_uris": { "web": ["http://localhost:3000/auth/callback"] },
    });
    patch(&tenant, BLUEPRINT_ENTRY, client).await;
    refused(ask().await);
    let form = Form::authorization()
        .with("client_id", BLUEPRINT)
        .with("redirect_uri", "http://localhost:3000/auth/callback")
        .with("scope", &scope());
    // Consent of a person is only for that person and the blueprint.
    consent(&tenant, &form, "uma").await;
    refused(ask().await);
    consent(&tenant, &form.with("for_everybody", "on"), "ada").await;
    assert_eq!(ask().await.status, 200);
    tenant.delete(&format!("{BLUEPRINT_ENTRY}/inheritable_permissions")).await.assert_done();
    refused(ask().await);
}

async fn consent(tenant: &TestTenant, form: &Form, account: &str) {
    let browser = Browser::new(tenant);
    let answer = browser.pick(CONTOSO, &form.clone().with("consent", "accept"), account).await;
    assert!(answer.redirect_parameter("code").is_some(), "{}", answer.body);
}

#[tokio::test]
async fn inheritable_permissions_follow_the_directory() {
    let tenant = start().await;
    patch(&tenant, BLUEPRINT_ENTRY, json!({ "inheritable_permissions": ["Library API"] })).await;
    let page = tenant.dev_page().await;
    let apps = section(&page, "Apps");
    assert!(apps.contains("agents inherit permissions of Library API"), "{apps}");
    let file = tenant.get("/_dev/directory.toml").await.body;
    let again = Directory::parse(&file, Path::new("")).unwrap();
    assert_eq!(again.to_json(), tenant.get_json("/_dev/directory").await);
    // A new name of the API, and its removal.
    patch(&tenant, "/_dev/directory/apps/Library%20API", json!({ "name": "Books" })).await;
    let entry = tenant.get_json(BLUEPRINT_ENTRY).await;
    assert_eq!(entry["inheritable_permissions"], json!(["Books"]));
    tenant.delete("/_dev/directory/apps/Books").await.assert_done();
    let entry = tenant.get_json(BLUEPRINT_ENTRY).await;
    assert_eq!(entry["inheritable_permissions"], json!([]));
}

#[test]
fn each_fault_of_inheritable_permissions_is_named() {
    let text = format!("{}\n{}", Directory::EXAMPLE, agent_entries());
    let directory = Directory::parse(&text, Path::new("")).unwrap();
    for (app, names, said) in [
        ("Research blueprint", json!(["Nothing"]), "there is no app \"Nothing\""),
        ("Research blueprint", json!("Library API"), "invalid type"),
        (AGENT, json!(["Library API"]), "an agent has no agents"),
        ("Todo worker", json!(["Library API"]), "inheritable_permissions"),
    ] {
        let change = Edit::patch(["apps", app], json!({ "inheritable_permissions": names }));
        let Err(EditError::Faults(faults)) = directory.edit(&change) else { panic!("{names}") };
        assert!(faults.iter().any(|fault| fault.detail.contains(said)), "{names}: {faults:?}");
    }
}
