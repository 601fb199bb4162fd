//! Agents of Microsoft Entra Agent ID, as an API sees them in its tokens.

use entra_dev::ids::{CONTOSO, TOKEN_EXCHANGE};
use serde_json::{Value, json};

use crate::support::{
    AGENT, AGENT_USER, BLUEPRINT, EXCHANGE, Form, LIBRARY_API, TestTenant, WEB, agent_entries,
    blueprint_request, claims, client_credentials, section,
};

/// The permission of the Library API.
fn scope() -> String {
    format!("api://{LIBRARY_API}/read")
}

fn facets(claims: &Value) -> Value {
    let names = ["xms_act_fct", "xms_sub_fct", "xms_par_app_azp"];
    names.map(|name| claims.get(name).cloned().unwrap_or_default()).into_iter().collect()
}

#[tokio::test]
async fn an_agent_that_acts_for_a_person_is_the_actor() {
    let tenant = TestTenant::start_with_agent().await;
    let answer = tenant.on_behalf_of_caller("uma", &scope()).await;
    let token = TestTenant::claims(&answer.token("access_token"));
    assert_eq!(facets(&token), json!(["3 9 11", "3", BLUEPRINT]));
    assert_eq!((&token["azp"], &token["azpacr"]), (&json!(AGENT), &json!("2")));
    assert_eq!(token["preferred_username"], "uma@contoso.example");
}

#[tokio::test]
async fn an_agents_user_account_is_the_subject() {
    let tenant = TestTenant::start_with_agent().await;
    let token = tenant.user_account(&scope()).await;
    let token = TestTenant::claims(&token.token("access_token"));
    assert_eq!(facets(&token), json!(["3 9 11", "13 3", BLUEPRINT]));
    assert_eq!((&token["azp"], &token["oid"]), (&json!(AGENT), &json!(AGENT_USER)));
    assert_eq!((&token["scp"], &token["tid"]), (&json!("read"), &json!(CONTOSO)));
}

#[tokio::test]
async fn an_agent_as_an_app_is_actor_and_subject() {
    let tenant = TestTenant::start_with_agent().await;
    let scope = format!("{LIBRARY_API}/.default");
    let agent = TestTenant::claims(&tenant.agent_token(&scope).await);
    assert_eq!(facets(&agent), json!(["3 9 11", "9 3 11", BLUEPRINT]));
    // An agent has no app registration, so its ids are the same.
    for name in ["azp", "oid", "sub"] {
        assert_eq!(agent[name], AGENT, "{name}");
    }
    assert_eq!((&agent["roles"], &agent["azpacr"]), (&json!(["Books.Read.All"]), &json!("2")));
    let form = client_credentials(WEB.client_id, "web-secret", &scope);
    let ordinary = TestTenant::claims(&tenant.post("token", &form).await.token("access_token"));
    assert_eq!(facets(&ordinary), json!(["3 9", "9 3", null]));
}

#[tokio::test]
async fn the_tokens_between_are_those_of_entra() {
    let tenant = TestTenant::start_with_agent().await;
    let answer = tenant.post("token", &blueprint_request()).await;
    let blueprint = TestTenant::claims(&answer.token("access_token"));
    let agent = TestTenant::claims(&tenant.agent_token(EXCHANGE).await);
    for token in [&blueprint, &agent] {
        let issuer = tenant.url(&format!("/{CONTOSO}/v2.0"));
        for (name, value) in
            [("aud", TOKEN_EXCHANGE), ("iss", &issuer), ("idtyp", "app"), ("ver", "2.0")]
        {
            assert_eq!(token[name], value, "{token}");
        }
    }
    // The tenant and the blueprint are in it as base64url of their bytes.
    let subject = format!("/eid1/c/pub/t/EREREREREUGBEREREREREQ/a/AAAA8QAAAECAAAAAAAAAAQ/{AGENT}");
    assert_eq!(blueprint["sub"], subject);
    assert_eq!((&blueprint["azp"], &blueprint["azpacr"]), (&json!(BLUEPRINT), &json!("1")));
    assert_eq!(facets(&blueprint), json!(["3 9", "9 3", null]));
    assert_eq!((&agent["azp"], &agent["sub"]), (&json!(AGENT), &json!(AGENT)));
    assert_eq!(facets(&agent), json!(["3 9 11", "9 3 11", BLUEPRINT]));
}

#[tokio::test]
async fn people_and_ordinary_apps_have_no_facet_of_agents() {
    let tenant = TestTenant::start_with_agent().await;
    let token = claims(&WEB.sign_in(&tenant, &scope(), "uma").await, "access_token");
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
        let tenant = TestTenant::start_having(&agent_entries().replace(all, optional)).await;
        let token = tenant.user_account(&scope()).await.token("access_token");
        assert_eq!(facets(&TestTenant::claims(&token)), expected, "{optional}");
    }
}

#[tokio::test]
async fn a_v1_token_has_the_same_claims_about_agents() {
    let v1 = "name = \"Library API\"\naccess_token_version = 1";
    let entries = agent_entries().replace("name = \"Library API\"", v1);
    let tenant = TestTenant::start_having(&entries).await;
    let token = tenant.user_account(&scope()).await.token("access_token");
    let token = TestTenant::claims(&token);
    assert_eq!((&token["appid"], &token["appidacr"]), (&json!(AGENT), &json!("2")));
    assert_eq!(facets(&token), json!(["3 9 11", "13 3", BLUEPRINT]));
}

#[tokio::test]
async fn an_id_token_says_nothing_about_agents() {
    let asking = "optional_claims = [\"xms_act_fct\", \"xms_sub_fct\", \"xms_par_app_azp\"]\n";
    let blueprint = "agent_blueprint = \"Research blueprint\"\n";
    let entries = agent_entries().replace(blueprint, &format!("{blueprint}{asking}"));
    let tenant = TestTenant::start_having(&entries).await;
    let answer = tenant.user_account(&format!("openid {}", scope())).await;
    let token = TestTenant::claims(&answer.token("id_token"));
    assert_eq!(facets(&token), json!([null, null, null]));
    assert_eq!(token["aud"], AGENT);
}

#[tokio::test]
async fn the_page_for_developers_shows_agents() {
    let tenant = TestTenant::start_with_agent().await;
    let page = tenant.dev_page().await;
    let people = section(&page, "Who can sign in");
    assert!(people.contains(">user account of the agent Research agent</td>"), "{people}");
    let apps = section(&page, "Apps");
    assert!(apps.contains(">agent of the blueprint Research blueprint</td>"), "{apps}");
}

#[tokio::test]
async fn nobody_signs_in_with_the_user_account_of_an_agent() {
    let tenant = TestTenant::start_with_agent().await;
    let page = tenant.authorize(CONTOSO, &Form::authorization()).await;
    assert!(!page.body.contains("Robin (research agent)"), "{}", page.body);
    assert!(page.body.contains("Uma Ulrich"), "{}", page.body);
    let answer = tenant.pick(CONTOSO, &Form::authorization(), "robin").await;
    assert!(answer.body.contains("AADSTS50126"), "{} {}", answer.status, answer.body);
}
