//! Secrets, redirect URIs, groups, roles and assignments, changed one by one.

use entra_dev::ids::{CONTOSO, DAEMON_CLIENT_ID};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    live_directory::{PATH, signed_in},
    support::{Answer, Form, TestTenant, WEB, client_credentials},
};

async fn add(tenant: &TestTenant, path: &str, value: &str) -> Answer {
    let answer = tenant.post_json(&format!("{PATH}/{path}"), &json!(value)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(answer.json(), value);
    answer
}

async fn part(tenant: &TestTenant, path: &str) -> Value {
    tenant.get_json(&format!("{PATH}/{path}")).await
}

async fn remove(tenant: &TestTenant, path: &str) {
    tenant.delete(&format!("{PATH}/{path}")).await.assert_done();
}

async fn authenticated(tenant: &TestTenant, secret: &str) -> bool {
    let scope = "api://33333333-3333-4333-8333-333333333333/.default";
    let form = client_credentials(DAEMON_CLIENT_ID, secret, scope);
    tenant.post("token", &form).await.status == StatusCode::OK
}

#[tokio::test]
async fn secrets_can_be_added_changed_and_removed() {
    let tenant = TestTenant::start().await;
    let secrets = "apps/Nightly%20job/secrets";
    let answer = add(&tenant, secrets, "a/b c").await;
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("{PATH}/apps/{DAEMON_CLIENT_ID}/secrets/a%2Fb%20c"));
    assert_eq!(tenant.get_json(location).await, "a/b c");
    assert!(authenticated(&tenant, "a/b c").await && authenticated(&tenant, "dev-secret").await);

    let answer = tenant.put_json(location, &json!("changed")).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!("changed")));
    assert!(!authenticated(&tenant, "a/b c").await && authenticated(&tenant, "changed").await);

    remove(&tenant, &format!("{secrets}/dev-secret")).await;
    assert!(!authenticated(&tenant, "dev-secret").await);
    assert_eq!(part(&tenant, secrets).await, json!(["changed"]));
    tenant.put_json(&format!("{PATH}/{secrets}"), &json!(["one", "two"])).await;
    assert!(!authenticated(&tenant, "changed").await && authenticated(&tenant, "two").await);
}

#[tokio::test]
async fn redirect_uris_can_be_added_and_removed() {
    let tenant = TestTenant::start().await;
    let uri = "https://shop.example/signed-in?a=b";
    let form = WEB.authorization("openid").with("redirect_uri", uri);
    tenant.authorize(CONTOSO, &form).await.assert_page_refusal(50011);
    let answer = add(&tenant, "apps/Web%20site/redirect_uris/web", uri).await;
    assert_eq!(tenant.authorize(CONTOSO, &form).await.status, StatusCode::OK);
    let location = answer.header("location").unwrap().to_owned();
    assert!(
        location.ends_with("/redirect_uris/web/https%3A%2F%2Fshop.example%2Fsigned-in%3Fa%3Db")
    );
    tenant.delete(&location).await.assert_done();
    tenant.authorize(CONTOSO, &form).await.assert_page_refusal(50011);
}

#[tokio::test]
async fn memberships_can_be_added_and_removed_by_name_or_id() {
    let tenant = TestTenant::start().await;
    let sales = "9a000000-0000-4000-8000-000000000002";
    let engineering = "9a000000-0000-4000-8000-000000000001";
    let claims = ["groups"];
    let path = format!("{PATH}/apps/Todo%20API/optional_claims");
    tenant.put_json(&path, &json!(claims)).await;
    let groups = || async { signed_in(&tenant, "uma").await["groups"].clone() };
    assert_eq!(groups().await, json!([engineering]));

    add(&tenant, "people/uma/groups", sales).await;
    assert_eq!(groups().await, json!([engineering, sales]));
    // She is a member already, whatever the name.
    for known in [sales, "Sales", "Engineering", engineering] {
        let answer = tenant.post_json(&format!("{PATH}/people/uma/groups"), &json!(known)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
    remove(&tenant, "people/uma/groups/Sales").await;
    remove(&tenant, &format!("people/uma/groups/{engineering}")).await;
    assert_eq!(groups().await, Value::Null);
}

#[tokio::test]
async fn roles_can_be_declared_and_assigned() {
    let tenant = TestTenant::start().await;
    add(&tenant, "apps/Todo%20API/app_roles", "Reader").await;
    // The first assignment in an API creates the list.
    add(&tenant, "people/noel/roles/Todo%20API", "Reader").await;
    let by_id = "people/noel/roles/33333333-3333-4333-8333-333333333333";
    add(&tenant, by_id, "User").await;
    assert_eq!(signed_in(&tenant, "noel").await["roles"], json!(["Reader", "User"]));
    assert_eq!(part(&tenant, "people/noel/roles").await, json!({ "Todo API": ["Reader", "User"] }));
    remove(&tenant, &format!("{by_id}/Reader")).await;
    assert_eq!(signed_in(&tenant, "noel").await["roles"], json!(["User"]));
    remove(&tenant, by_id).await;
    assert_eq!(part(&tenant, "people/noel/roles").await, json!({}));

    let path = format!("{PATH}/apps/Web%20site/permissions/Todo%20API");
    let answer = tenant.put_json(&path, &json!(["Todos.ReadWrite.All"])).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let scope = "api://33333333-3333-4333-8333-333333333333/.default";
    let form = client_credentials(WEB.client_id, "web-secret", scope);
    let token = tenant.post("token", &form).await.token("access_token");
    assert_eq!(TestTenant::claims(&token)["roles"], json!(["Todos.ReadWrite.All"]));
}

#[tokio::test]
async fn a_renamed_entry_keeps_its_members_and_assignments() {
    let tenant = TestTenant::start().await;
    let rename = |path: &str, name: &str| {
        let (path, name) = (format!("{PATH}/{path}"), json!({ "name": name }));
        let tenant = &tenant;
        async move {
            let answer = tenant.patch_json(&path, &name).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        }
    };
    rename("apps/Todo%20API", "Tasks API").await;
    rename("groups/Engineering", "Builders").await;
    rename("tenants/Contoso", "Contoso Ltd").await;
    let answer = tenant.put_json(&format!("{PATH}/people/uma/name"), &json!("ursula")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let person = part(&tenant, "people/ursula").await;
    assert_eq!(person["roles"], json!({ "Tasks API": ["User"] }));
    assert_eq!(
        (&person["groups"], &person["tenant"]),
        (&json!(["Builders"]), &json!("Contoso Ltd"))
    );
    assert_eq!(signed_in(&tenant, "ursula").await["roles"], json!(["User"]));
}

#[tokio::test]
async fn a_removed_entry_takes_along_what_belongs_to_it() {
    let tenant = TestTenant::start().await;
    remove(&tenant, "groups/Engineering").await;
    assert_eq!(part(&tenant, "people/ada/groups").await, json!([]));
    remove(&tenant, "apps/33333333-3333-4333-8333-333333333333").await;
    assert_eq!(part(&tenant, "people/ada/roles").await, json!({}));
    assert_eq!(part(&tenant, "apps/Nightly%20job/permissions").await, json!({}));
    remove(&tenant, "tenants/Contoso").await;
    let document = tenant.get_json(PATH).await;
    let names: Vec<_> = document["people"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["pia", "tia"]);
    assert_eq!((&document["apps"], &document["groups"]), (&json!([]), &json!([])));
    tenant.authorize(CONTOSO, &Form::authorization()).await.assert_page_refusal(90002);
}

#[tokio::test]
async fn an_agent_is_removed_with_its_blueprint_and_its_account_with_the_agent() {
    let entries = r#"
[[apps]]
client_id = "f1000000-0000-4000-8000-000000000001"
name = "Blueprint"
tenant = "Contoso"

[[apps]]
client_id = "f1000000-0000-4000-8000-000000000002"
name = "Agent"
tenant = "Contoso"
agent_blueprint = "Blueprint"

[[people]]
name = "robin"
display_name = "Robin"
sign_in_name = "robin@contoso.example"
oid = "f1000000-0000-4000-8000-000000000003"
tenant = "Contoso"
agent_identity = "f1000000-0000-4000-8000-000000000002"
"#;
    let tenant = TestTenant::start_having(entries).await;
    remove(&tenant, "apps/Blueprint").await;
    for path in ["apps/Agent", "people/robin"] {
        tenant.get(&format!("{PATH}/{path}")).await.assert_problem(404, "there is no");
    }
}

#[tokio::test]
async fn an_app_can_get_its_own_signing_key_and_lose_it() {
    let tenant = TestTenant::start().await;
    let path = format!("{PATH}/apps/Todo%20API/own_signing_key");
    let kid =
        || async { crate::support::token_header(&tenant.tenant.access_token("ada").unwrap()) };
    let before = kid().await["kid"].clone();
    assert_eq!(tenant.put_json(&path, &json!(true)).await.status, StatusCode::OK);
    let own = kid().await["kid"].clone();
    assert_ne!(own, before);
    let keys = format!("/{CONTOSO}/discovery/v2.0/keys");
    let appid = format!("{keys}?appid=33333333-3333-4333-8333-333333333333");
    assert_eq!(tenant.get_json(&appid).await["keys"][0]["kid"], own);
    tenant.delete(&path).await.assert_done();
    assert_eq!(kid().await["kid"], before);
    assert_eq!(tenant.get_json(&appid).await, tenant.get_json(&keys).await);
}
