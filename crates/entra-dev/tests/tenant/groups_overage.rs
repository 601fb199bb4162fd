//! Tokens of people in many groups, and where their groups are.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Form, TestTenant, WEB, api_scope, claims, on_behalf_of, text};

const OID: &str = "9b000000-0000-4000-8000-0000000000aa";

/// A tenant in which somebody is in this many groups, and the Todo API and the web site ask for
/// them.
async fn start(groups: usize) -> TestTenant {
    let tenant = TestTenant::start().await;
    let id = |number: usize| format!("9b000000-0000-4000-8000-0000000{number:05}");
    let ids: Vec<_> = (0..groups).map(id).collect();
    let mut directory = tenant.get_json("/_dev/directory").await;
    for (number, id) in ids.iter().enumerate() {
        let group = json!({ "id": id, "name": format!("G{number}"), "tenant": "Contoso" });
        directory["groups"].as_array_mut().unwrap().push(group);
    }
    directory["people"].as_array_mut().unwrap().push(json!({
        "name": "many",
        "display_name": "Many Groups",
        "sign_in_name": "many@contoso.example",
        "oid": OID,
        "tenant": "Contoso",
        "groups": ids,
    }));
    for app in directory["apps"].as_array_mut().unwrap() {
        if [API_CLIENT_ID, WEB.client_id].iter().any(|id| app["client_id"] == *id) {
            app["optional_claims"] = json!(["groups"]);
        }
    }
    let answer = tenant.put_json("/_dev/directory", &directory).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    tenant
}

/// The claims about groups.
fn about_groups(token: &Value) -> Value {
    let names = ["groups", "hasgroups", "_claim_names", "_claim_sources"];
    let claims = token.as_object().unwrap().iter();
    claims
        .filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

#[tokio::test]
async fn a_token_has_up_to_200_groups() {
    let tenant = start(200).await;
    let body = WEB.sign_in(&tenant, &format!("openid {}", api_scope()), "many").await;
    for token in ["access_token", "id_token"] {
        let token = claims(&body, token);
        assert_eq!(token["groups"].as_array().map(Vec::len), Some(200));
        assert_eq!(about_groups(&token).as_object().unwrap().len(), 1, "{token}");
    }
}

#[tokio::test]
async fn a_token_with_more_groups_says_where_they_are() {
    let tenant = start(201).await;
    let body = WEB.sign_in(&tenant, &format!("openid {}", api_scope()), "many").await;
    let endpoint = tenant.url(&format!("/graph/v1.0/users/{OID}/getMemberObjects"));
    let expected = json!({
        "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": endpoint } },
    });
    for token in ["access_token", "id_token"] {
        assert_eq!(about_groups(&claims(&body, token)), expected, "{token}");
    }

    // The API follows it with a token of its own.
    let assertion = text(&body, "access_token");
    let form = on_behalf_of(&assertion, "https://graph.microsoft.com/User.Read");
    let token = tenant.post("token", &form).await.token("access_token");
    let request = tenant.browser.post(&endpoint).bearer_auth(&token);
    let request = request.body(json!({ "securityEnabledOnly": true }).to_string());
    let answer = Answer::of(request).await;
    assert_eq!(answer.json()["value"].as_array().map(Vec::len), Some(201), "{}", answer.body);
    // The token that has the claim is not for Graph.
    let request = tenant.browser.post(&endpoint).bearer_auth(&assertion);
    let answer = Answer::of(request).await;
    answer.assert_graph_error(401, "InvalidAuthenticationToken", "Invalid audience");
}

#[tokio::test]
async fn the_place_is_on_the_listener_that_issued_the_token() {
    let tenant = TestTenant::issued_by_https().await;
    let ids: Vec<_> = (0..201).map(|n| format!("9b000000-0000-4000-8000-0000000{n:05}")).collect();
    let groups = |id: &String| json!({ "id": id, "name": id, "tenant": "Contoso" });
    let mut directory = tenant.get_json("/_dev/directory").await;
    directory["groups"] = ids.iter().map(groups).collect();
    for person in directory["people"].as_array_mut().unwrap() {
        person["groups"] = json!([]);
    }
    directory["people"][1]["groups"] = json!(ids);
    directory["apps"][0]["optional_claims"] = json!(["groups"]);
    assert_eq!(tenant.put_json("/_dev/directory", &directory).await.status, StatusCode::OK);
    let token = TestTenant::claims(&tenant.tenant.access_token("uma").unwrap());
    let endpoint = text(&token["_claim_sources"]["src1"], "endpoint");
    assert!(endpoint.starts_with(&tenant.https_url("/graph/v1.0/users/")), "{endpoint}");
}

/// As in Entra: the URL of the redirect would become too long.
#[tokio::test]
async fn a_token_that_the_browser_carries_has_up_to_five_groups() {
    for (groups, expected) in [
        (5, None),
        (6, Some(json!({ "hasgroups": true }))),
        (201, Some(json!({ "hasgroups": true }))),
    ] {
        let tenant = start(groups).await;
        let form = WEB
            .authorization("openid")
            .with("response_type", "code id_token")
            .with("response_mode", "fragment")
            .with("nonce", "n");
        let answer = tenant.pick(CONTOSO, &form, "many").await;
        let token = TestTenant::claims(&answer.fragment_parameter("id_token").unwrap());
        match expected {
            Some(expected) => assert_eq!(about_groups(&token), expected, "{groups}"),
            None => assert_eq!(token["groups"].as_array().map(Vec::len), Some(groups)),
        }
        // The token endpoint sends no redirect.
        let code = answer.fragment_parameter("code").unwrap();
        let body = WEB.ask(&tenant, &WEB.redemption(&code)).await.json();
        let token = claims(&body, "id_token");
        assert!(token.get("hasgroups").is_none(), "{token}");
    }
}

#[tokio::test]
async fn an_app_that_does_not_ask_for_groups_learns_nothing_about_them() {
    let tenant = start(201).await;
    let scope = "openid https://graph.microsoft.com/User.Read";
    let body = tenant.sign_in(CONTOSO, &Form::authorization().with("scope", scope), "many").await;
    for token in ["access_token", "id_token"] {
        assert_eq!(about_groups(&claims(&body, token)), json!({}), "{token}");
    }
}
