//! Refusals that explain themselves: with `--dev` and with `EXPLAIN_401`.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Answer, App, Program, client, leads_somewhere};

/// Asserts the rule, and the heading that the link leads to.
#[track_caller]
fn assert_explained(answer: &Answer, rule: &str, anchor: &str) {
    assert_eq!(answer.body["rule"], rule, "{answer:?}");
    let help = answer.body["help"].as_str().unwrap();
    assert!(help.ends_with(&format!("/docs/TROUBLESHOOTING.md#{anchor}")), "{help}");
    assert!(leads_somewhere(help, "docs"), "{help}");
}

#[tokio::test]
async fn refusals_name_the_rule_and_link_to_the_case_or_the_code() {
    let app = App::start_with(|environment| environment.with("EXPLAIN_401", "1")).await;
    let list = async |token: &str| app.send(Some(token), Method::GET, "/todoitems", None).await;
    let now = app.clock.now();
    let expired = app.forged(|claims| {
        claims["nbf"] = (now - 7_200).into();
        claims["exp"] = (now - 3_600).into();
    });
    let another = app.forged(|claims| claims["aud"] = "https://api.example".into());
    let graph = app.forged(|claims| claims["aud"] = "https://graph.microsoft.com".into());
    let scope = app.forged(|claims| claims["scp"] = "another_scope".into());
    for (token, status, code, rule, anchor) in [
        (expired.as_str(), 401, "invalid_token", "lifetime", "expired-token"),
        (&another, 401, "invalid_token", "audience", "audience-of-another-app"),
        (&graph, 401, "invalid_token", "audience", "graph-token"),
        (&scope, 403, "insufficient_scope", "policy", "missing-scope"),
        ("abc", 401, "invalid_token", "token_format", "not-a-jwt"),
        ("", 401, "invalid_token", "authorization_header", "invalid_token-401"),
    ] {
        let answer = list(token).await;
        answer.assert_problem(status, code);
        assert_explained(&answer, rule, anchor);
    }
    let answer = app.send_as("uma", Method::DELETE, "/todoitems", None).await;
    answer.assert_problem(403, "insufficient_role");
    assert_explained(&answer, "policy", "missing-app-role");

    let answer = app.send(None, Method::GET, "/todoitems", None).await;
    assert_explained(&answer, "authorization_header", "missing_token-401");
    let request = app.request(Some("a"), Method::GET, "/todoitems");
    let answer = Answer::of(request.header(header::AUTHORIZATION, "b").send().await.unwrap()).await;
    answer.assert_problem(400, "invalid_request");
    assert_explained(&answer, "authorization_header", "invalid_request-400");

    // The other errors are not refusals by a rule.
    let token = app.token("uma").await;
    let body = json!({ "item": { "name": "" } });
    let answer = app.send(Some(&token), Method::POST, "/todoitems", Some(body)).await;
    answer.assert_problem(400, "invalid_request");
    assert_unexplained(&answer.body);
}

#[track_caller]
fn assert_unexplained(body: &Value) {
    assert!(body["detail"].is_string(), "{body}");
    for member in ["rule", "help"] {
        assert!(body.get(member).is_none(), "{body}");
    }
}

#[tokio::test]
async fn without_the_setting_refusals_do_not_explain_themselves() {
    for value in ["", "0"] {
        let app = App::start_with(|environment| environment.with("EXPLAIN_401", value)).await;
        let answer = app.send(Some("abc"), Method::GET, "/todoitems", None).await;
        answer.assert_problem(401, "invalid_token");
        assert_unexplained(&answer.body);
    }
}

#[tokio::test]
async fn serve_dev_explains_refusals() {
    let program = Program::start().await;
    let answer = client().get(format!("{}/todoitems", program.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["rule"], "authorization_header", "{body}");
    assert!(body["help"].as_str().unwrap().ends_with("#missing_token-401"), "{body}");
}

#[tokio::test]
async fn the_document_has_both_members_as_optional_ones() {
    let app = App::start().await;
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    for schema in ["Problem", "ReadinessProblem"] {
        let schema = &document["components"]["schemas"][schema];
        for member in ["rule", "help"] {
            assert_eq!(schema["properties"][member]["type"], "string", "{schema}");
            let required = schema["required"].as_array().unwrap();
            assert!(!required.contains(&member.into()), "{schema}");
        }
    }
}
