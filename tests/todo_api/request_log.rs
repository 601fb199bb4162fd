//! What a real server logs about the caller of a request.

use entra_dev::ids::{CONTOSO, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::refusal_log::Server;

const BLUEPRINT: &str = "b1b1b1b1-1111-4111-8111-111111111111";

#[tokio::test]
async fn the_line_of_a_request_names_tenant_client_agent_and_blueprint() {
    let mut server = Server::start("json").await;
    assert_eq!(server.send(Some(&agents_token(&server))).await, StatusCode::OK);
    let log = server.stop().await;
    let line = request_line(&log);
    for (name, value) in agent() {
        assert_eq!(line[name], value, "{line}");
    }
    assert_no_personal_data(&log);
}

#[tokio::test]
async fn the_text_line_of_a_request_names_them_too() {
    let mut server = Server::start("text").await;
    assert_eq!(server.send(Some(&agents_token(&server))).await, StatusCode::OK);
    let log = server.stop().await;
    let line = log.lines().find(|line| line.contains("listTodos")).unwrap();
    for (name, value) in agent() {
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        assert!(line.contains(&format!(" {name}={value}")), "{line}");
    }
    assert_no_personal_data(&log);
}

#[tokio::test]
async fn the_line_says_nothing_of_agents_if_the_token_does_not() {
    let mut server = Server::start("json").await;
    assert_eq!(server.send(Some(&server.tenant.forged(|_| {}))).await, StatusCode::OK);
    let line = request_line(&server.stop().await);
    assert_eq!((&line["tenant"], &line["client"]), (&json!(CONTOSO), &json!(SWAGGER_UI_CLIENT_ID)));
    for name in ["agent", "agent_user", "blueprint"] {
        assert!(line.get(name).is_none(), "{line}");
    }
}

#[tokio::test]
async fn an_agent_that_the_policy_refuses_is_named_in_both_lines() {
    let mut server = Server::start("json").await;
    let token = server.tenant.forged(|claims| {
        make_agent(claims);
        claims["scp"] = "another_scope".into();
    });
    assert_eq!(server.send(Some(&token)).await, StatusCode::FORBIDDEN);
    let log = server.stop().await;
    let refusal = lines(&log).find(|line| line["rule"] == "policy").unwrap();
    for line in [refusal, request_line(&log)] {
        for (name, value) in agent() {
            assert_eq!(line[name], value, "{line}");
        }
    }
}

#[tokio::test]
async fn the_line_of_a_refused_token_names_no_caller() {
    let mut server = Server::start("json").await;
    let expired = server.tenant.forged(|claims| {
        make_agent(claims);
        claims["exp"] = 1.into();
        claims["nbf"] = 0.into();
    });
    for token in [None, Some("a.b.c"), Some(expired.as_str())] {
        assert_eq!(server.send(token).await, StatusCode::UNAUTHORIZED);
    }
    let log = server.stop().await;
    let requests: Vec<_> = lines(&log).filter(|line| line["operation"] == "listTodos").collect();
    assert_eq!(requests.len(), 3, "{log}");
    for line in requests {
        for (name, _) in agent() {
            assert!(line.get(name).is_none(), "{line}");
        }
    }
}

/// Uma's token, through an agent.
fn agents_token(server: &Server) -> String {
    server.tenant.forged(make_agent)
}

fn make_agent(claims: &mut Value) {
    claims["xms_act_fct"] = "3 9 11".into();
    claims["xms_sub_fct"] = "2 3".into();
    claims["xms_par_app_azp"] = BLUEPRINT.into();
    claims["name"] = "Uma User".into();
    claims["preferred_username"] = "uma@contoso.example".into();
}

/// The fields of the line.
fn agent() -> [(&'static str, Value); 5] {
    [
        ("tenant", CONTOSO.into()),
        ("client", SWAGGER_UI_CLIENT_ID.into()),
        ("agent", true.into()),
        ("agent_user", false.into()),
        ("blueprint", BLUEPRINT.into()),
    ]
}

fn lines(log: &str) -> impl Iterator<Item = Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn request_line(log: &str) -> Value {
    lines(log).find(|line| line["operation"] == "listTodos").unwrap_or_else(|| panic!("{log}"))
}

fn assert_no_personal_data(log: &str) {
    for secret in ["Uma User", "uma@", "0a000000-0000-4000-8000-000000000002"] {
        assert!(!log.contains(secret), "the log has {secret}: {log}");
    }
}
