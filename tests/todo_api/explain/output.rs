//! The form of the output: JSON, colours, progress, and what stays secret.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    sync::mpsc,
    thread,
};

use entra_dev::{DevTenant, Endpoint, FaultPlan};
use poem_entra::Rule;
use serde_json::{Value, json};

use crate::support::{Launch, Tool, require, test_name};

use super::{explain, explain_in, forge};

#[tokio::test(flavor = "multi_thread")]
async fn json_says_the_same_for_programs() {
    let tenant = DevTenant::start().await.unwrap();
    let launch = Launch::serve(tenant.base_url());
    let expired = forge(&tenant, &json!({ "person": "uma", "expires_in": -9_000 }));
    let explained = explain(&launch, &["--json", &expired]);
    assert_eq!(explained.code, Some(1));
    let answer = explained.json();
    assert_eq!(answer["verdict"], "refused");
    assert_eq!(answer["claims_are_verified"], true);
    let reason = &answer["reason"];
    for (name, value) in [
        ("case", "expired-token"),
        ("rule", "lifetime"),
        ("code", "invalid_token"),
        ("detail", "The token has expired."),
    ] {
        assert_eq!(reason[name], value, "{reason}");
    }
    assert_eq!(reason["status"], 401);
    assert!(reason["help"].as_str().unwrap().ends_with("TROUBLESHOOTING.md#expired-token"));
    assert!(reason["az"][1].as_str().unwrap().starts_with("az account get-access-token"));
    let rules = answer["rules"].as_array().unwrap();
    let names: Vec<_> = rules.iter().map(|row| row["rule"].as_str().unwrap()).collect();
    assert_eq!(names, Rule::ALL.map(|rule| rule.name()));
    let outcome = |rule: &str| &rules.iter().find(|row| row["rule"] == rule).unwrap()["outcome"];
    assert_eq!([outcome("lifetime"), outcome("audience")], ["fail", "pass"]);
    assert_eq!([outcome("policy"), outcome("not_revoked")], ["not_judged"; 2]);
    let claim = |name: &str| {
        let claims = answer["claims"].as_array().unwrap();
        claims.iter().find(|claim| claim["name"] == name).unwrap().clone()
    };
    assert!(claim("exp")["meaning"].as_str().unwrap().starts_with("Expired 2 hours ago (20"));
    assert_eq!(claim("scp")["value"], "access_as_user");
    let operations = answer["operations"].as_array().unwrap();
    let delete_all = operations.iter().find(|row| row["operation"] == "deleteAllTodos").unwrap();
    // With a new token, the role would still be missing.
    assert_eq!(delete_all["missing"], "an accepted token, and the app role Admin");

    let explained = explain(&launch, &["--json", &tenant.access_token("ada").unwrap()]);
    assert_eq!((explained.code, &explained.json()["verdict"]), (Some(0), &Value::from("accepted")));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_operation_can_be_named() {
    let tenant = DevTenant::start().await.unwrap();
    let launch = Launch::serve(tenant.base_url());
    let token = tenant.access_token("uma").unwrap();
    for (operation, code, policy) in
        [("createTodo", 0, "pass"), ("deleteAllTodos", 1, "fail"), ("getHealth", 0, "not_judged")]
    {
        let explained = explain(&launch, &["--json", "--operation", operation, &token]);
        assert_eq!(explained.code, Some(code), "{operation}: {explained:?}");
        let answer = explained.json();
        let rows = answer["operations"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{answer}");
        assert_eq!(rows[0]["operation"], operation);
        let rules = answer["rules"].as_array().unwrap();
        let row = rules.iter().find(|row| row["rule"] == "policy").unwrap();
        assert_eq!(row["outcome"], policy, "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_output_has_colours_only_on_a_terminal() {
    let tenant = DevTenant::start().await.unwrap();
    let launch = Launch::serve(tenant.base_url());
    let token = tenant.access_token("uma").unwrap();
    assert!(!explain(&launch, &[&token]).text.contains('\u{1b}'));
    // For a pipe that leads to a terminal, such as that of a CI server.
    let forced = launch.clone().with("CLICOLOR_FORCE", "1");
    assert!(explain(&forced, &[&token]).text.contains("\u{1b}[32m"), "no green");
    assert!(!explain(&forced, &["--json", &token]).text.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_value_cannot_change_the_terminal() {
    let tenant = DevTenant::start().await.unwrap();
    let name = "\u{1b}]0;title\u{7}\nACCEPTED\u{202e}";
    let claims = json!({ "name": name, "\u{1b}[2J": 1, "iss": name });
    let token = forge(&tenant, &json!({ "person": "uma", "claims": claims }));
    let explained = explain(&Launch::serve(tenant.base_url()), &[&token]);
    assert_eq!(explained.code, Some(1));
    for control in ['\u{1b}', '\u{7}', '\u{202e}'] {
        assert!(!explained.text.contains(control), "{explained:?}");
    }
    assert!(!explained.text.lines().any(|line| line.starts_with("ACCEPTED")), "{explained:?}");
}

/// People run the commands that they copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_value_does_not_become_part_of_a_command() {
    let tenant = DevTenant::start().await.unwrap();
    let claims = json!({
        "azp": null, "appid": "$(touch x)", "scp": null, "roles": null,
        "name": null, "preferred_username": null,
    });
    let token = forge(&tenant, &json!({ "person": "uma", "claims": claims }));
    let explained = explain(&Launch::serve(tenant.base_url()), &[&token]);
    assert_eq!(explained.code, Some(1));
    explained.assert_says(&["--id <client id of the client> --api", "appid $(touch x)"], "");
    assert_eq!(explained.text.matches("touch").count(), 1, "{explained:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_that_the_authority_is_slow() {
    let Some([_]) = require(test_name!(), [Tool::Script]) else { return };
    let tenant = DevTenant::start().await.unwrap();
    let token = tenant.access_token("uma").unwrap();
    let mut slow = FaultPlan::default();
    slow.latency_ms = 2_500;
    tenant.plan_fault(Endpoint::Metadata, Some(slow));
    let launch = Launch::serve(tenant.base_url()).with("TERM", "xterm");
    let explained = explain(&launch, &[&token]);
    assert_eq!((explained.code, &*explained.errors), (Some(0), ""), "a log is not a terminal");
    let explained = explain(&launch.through(&ON_A_TERMINAL), &[&token]);
    assert_eq!(explained.code, Some(0), "{explained:?}");
    assert!(explained.text.contains("\rfetching the signing keys, 1 s"), "{explained:?}");
    assert!(explained.text.contains("\u{1b}[32m"), "no green on a terminal");
}

/// Runs the program on a terminal.
const ON_A_TERMINAL: [&str; 3] = ["sh", "-c", "exec script -qec \"$0 $*\" /dev/null"];

/// An authority that answers nothing useful, and remembers what it was asked.
#[tokio::test(flavor = "multi_thread")]
async fn without_keys_there_is_no_verdict_and_the_token_stays_here() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let instance = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let (send, asked) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 65_536];
            let length = connection.read(&mut request).unwrap();
            send.send(String::from_utf8(request[..length].to_vec()).unwrap()).unwrap();
            connection.write_all(b"HTTP/1.1 500 Internal Server Error\r\n\r\n").unwrap();
        }
    });
    let tenant = DevTenant::start().await.unwrap();
    let token = tenant.access_token("uma").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let explained = explain_in(&folder, &Launch::serve(&instance), &["-"], token.as_bytes());
    assert_eq!(explained.code, Some(3), "{explained:?}");
    explained.assert_says(
        &[
            "NOT JUDGED: No signing keys",
            "FAIL available_keys",
            "the authority responded with 500 instead of 200",
            "name Uma Ulrich",
            "(not verified: anybody could have written them)",
        ],
        "no keys",
    );
    let asked: Vec<_> = asked.try_iter().collect();
    assert!(!asked.is_empty());
    let asked = asked.concat();
    assert!(asked.starts_with("GET /11111111-1111-4111-8111-111111111111/v2.0/"), "{asked}");
    assert!(!asked.to_lowercase().contains("authorization"), "{asked}");
    for part in token.split('.') {
        assert!(!asked.contains(part), "{asked}");
    }
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn the_help_has_examples_and_the_exit_codes() {
    let explained = explain(&Launch::default(), &["--help"]);
    assert_eq!(explained.code, Some(0));
    explained.assert_says(
        &[
            "todo-api token --as uma | todo-api explain",
            "--operation deleteAllTodos",
            "0 accepted, 1 refused, 2 wrong usage or settings, 3 could not be judged (no keys)",
        ],
        "help",
    );
}
