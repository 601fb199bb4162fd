//! Agents of Microsoft Entra Agent ID, as an API sees them in its tokens.

use entra_dev::ids::CONTOSO;
use serde_json::{Value, json};

use crate::support::{Form, Program, TestTenant, WEB, claims, client_credentials, section, text};

const BLUEPRINT: &str = "f1000000-0000-4000-8000-000000000001";
const AGENT: Program = Program {
    client_id: "f1000000-0000-4000-8000-000000000002",
    secret: Some("agent-secret"),
    ..WEB
};
const LIBRARY_API: &str = "f1000000-0000-4000-8000-000000000004";

/// The example in the README.
fn entries() -> String {
    let (_, rest) = include_str!("../../README.md").split_once("```toml\n[[apps]]").unwrap();
    let (entries, _) = rest.split_once("```").unwrap();
    format!("[[apps]]{entries}")
}

fn facets(claims: &Value) -> Value {
    let names = ["xms_act_fct", "xms_sub_fct", "xms_par_app_azp"];
    names.map(|name| claims.get(name).cloned().unwrap_or_default()).into_iter().collect()
}

/// The claims of the access token that a client gets for the Library API and this account.
async fn signed_in(tenant: &TestTenant, client: &Program, account: &str) -> Value {
    let scope = format!("api://{LIBRARY_API}/read");
    claims(&client.sign_in(tenant, &scope, account).await, "access_token")
}

#[tokio::test]
async fn an_agent_that_acts_for_a_user_is_the_actor() {
    let tenant = TestTenant::start_having(&entries()).await;
    let token = signed_in(&tenant, &AGENT, "uma").await;
    assert_eq!(facets(&token), json!(["3 9 11", "3", BLUEPRINT]));
    assert_eq!(token["azp"], AGENT.client_id);
    assert_eq!(token["preferred_username"], "uma@contoso.example");
}

#[tokio::test]
async fn an_agents_user_account_is_the_subject() {
    let tenant = TestTenant::start_having(&entries()).await;
    let token = signed_in(&tenant, &AGENT, "robin").await;
    assert_eq!(facets(&token), json!(["3 9 11", "13 3", BLUEPRINT]));
    // Which app acts has nothing to do with whose account it is.
    let token = signed_in(&tenant, &WEB, "robin").await;
    assert_eq!(facets(&token), json!(["3 9", "13 3", null]));
}

#[tokio::test]
async fn an_agent_as_an_app_is_actor_and_subject() {
    let tenant = TestTenant::start_having(&entries()).await;
    let scope = format!("{LIBRARY_API}/.default");
    let app_only = async |client_id: &str, secret: &str| {
        let answer = tenant.post("token", &client_credentials(client_id, secret, &scope)).await;
        TestTenant::claims(&answer.token("access_token"))
    };
    let agent = app_only(AGENT.client_id, "agent-secret").await;
    assert_eq!(facets(&agent), json!(["3 9 11", "9 3 11", BLUEPRINT]));
    assert_eq!(agent["oid"], agent["sub"]);
    let ordinary = app_only(WEB.client_id, "web-secret").await;
    assert_eq!(facets(&ordinary), json!(["3 9", "9 3", null]));
}

#[tokio::test]
async fn people_and_ordinary_apps_have_no_facet_of_agents() {
    let tenant = TestTenant::start_having(&entries()).await;
    let token = signed_in(&tenant, &WEB, "uma").await;
    assert_eq!(facets(&token), json!(["3 9", "3", null]));
}

#[tokio::test]
async fn an_api_learns_only_what_it_asks_for_about_agents() {
    for (optional, expected) in [
        ("", json!([null, null, null])),
        ("\"xms_act_fct\"", json!(["3 9 11", null, null])),
        ("\"xms_sub_fct\"", json!([null, "13 3", null])),
        ("\"xms_par_app_azp\"", json!([null, null, BLUEPRINT])),
    ] {
        let all = "\"xms_act_fct\", \"xms_sub_fct\", \"xms_par_app_azp\"";
        let tenant = TestTenant::start_having(&entries().replace(all, optional)).await;
        let token = signed_in(&tenant, &AGENT, "robin").await;
        assert_eq!(facets(&token), expected, "{optional}");
    }
}

#[tokio::test]
async fn a_v1_token_has_the_same_claims_about_agents() {
    let v1 = "name = \"Library API\"\naccess_token_version = 1";
    let entries = entries().replace("name = \"Library API\"", v1);
    let tenant = TestTenant::start_having(&entries).await;
    let token = signed_in(&tenant, &AGENT, "robin").await;
    assert_eq!(token["appid"], AGENT.client_id);
    assert_eq!(facets(&token), json!(["3 9 11", "13 3", BLUEPRINT]));
}

#[tokio::test]
async fn an_id_token_says_nothing_about_agents() {
    let asking = "optional_claims = [\"xms_act_fct\", \"xms_sub_fct\", \"xms_par_app_azp\"]\n";
    let blueprint = "agent_blueprint = \"Research blueprint\"\n";
    let entries = entries().replace(blueprint, &format!("{blueprint}{asking}"));
    let tenant = TestTenant::start_having(&entries).await;
    let scope = format!("openid api://{LIBRARY_API}/read");
    let answer = AGENT.sign_in(&tenant, &scope, "robin").await;
    assert_eq!(facets(&claims(&answer, "id_token")), json!([null, null, null]));
    assert!(!text(&answer, "id_token").is_empty());
}

#[tokio::test]
async fn the_page_for_developers_shows_agents() {
    let tenant = TestTenant::start_having(&entries()).await;
    let page = tenant.dev_page().await;
    let people = section(&page, "Who can sign in");
    assert!(people.contains("<td>user account of the agent Research agent</td>"), "{people}");
    let apps = section(&page, "Apps");
    assert!(apps.contains("<td>agent of the blueprint Research blueprint</td>"), "{apps}");
    // The account page lists the account, because nobody else can sign it in.
    let page = tenant.authorize(CONTOSO, &Form::authorization()).await;
    assert!(page.body.contains("Robin (research agent)"), "{}", page.body);
}
