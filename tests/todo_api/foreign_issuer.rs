//! The API behind an issuer that nobody here wrote, so that a mistake shared by our validator and
//! our development tenant has nowhere to hide.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::{Method, StatusCode};
use serde::Deserialize;

use crate::{
    support::{App, TestClock},
    tools::{Tool, require},
};

#[tokio::test]
async fn the_api_takes_the_tokens_of_a_foreign_issuer_that_are_for_it_and_no_others() {
    let test = "the_api_takes_the_tokens_of_a_foreign_issuer_that_are_for_it_and_no_others";
    let Some([node, _]) = require(test, [Tool::Node, Tool::OidcProvider]) else { return };
    let issuer = tokio::task::spawn_blocking(move || ForeignIssuer::start(node)).await.unwrap();
    let SignedIn { instance, tenant, api_client_id, token, token_for_another_api } =
        &issuer.signed_in;
    let app = App::start_at(TestClock::real(), |environment| {
        environment
            .with("AAD_INSTANCE", instance)
            .with("AAD_TENANT_ID", tenant)
            .with("API_CLIENT_ID", api_client_id)
    })
    .await;
    let list = async |token: &str| app.send(Some(token), Method::GET, "/todoitems", None).await;

    let answer = list(token).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body["items"], serde_json::json!([]), "{answer:?}");

    let answer = list(token_for_another_api).await;
    answer.assert_problem(401, "invalid_token");
    assert!(answer.body["detail"].as_str().unwrap().contains("aud"), "{answer:?}");

    for changed in with_one_byte_changed(token) {
        list(&changed).await.assert_problem(401, "invalid_token");
    }
    // None of which spoiled the token that was good.
    assert_eq!(list(token).await.status, StatusCode::OK);
}

/// One token for each part: its middle character is another one.
fn with_one_byte_changed(token: &str) -> impl Iterator<Item = String> {
    let mut start = 0;
    token.split('.').map(move |part| {
        let middle = start + part.len() / 2;
        start += part.len() + 1;
        let other = if token[middle..].starts_with('A') { "B" } else { "A" };
        format!("{}{other}{}", &token[..middle], &token[middle + 1..])
    })
}

/// `tests/foreign/issuer.mjs`; dropping it kills it.
struct ForeignIssuer {
    signed_in: SignedIn,
    process: Child,
}

/// What it prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignedIn {
    instance: String,
    tenant: String,
    api_client_id: String,
    token: String,
    token_for_another_api: String,
}

impl ForeignIssuer {
    /// Blocks until somebody has signed in there, for which the script has a limit.
    fn start(node: PathBuf) -> Self {
        let mut log = tempfile::tempfile().unwrap();
        let mut process = spawn(node, log.try_clone().unwrap());
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let signed_in = serde_json::from_str(&line).unwrap_or_else(|error| {
            let _ = process.kill();
            let mut said = String::new();
            log.rewind().and_then(|()| log.read_to_string(&mut said)).unwrap();
            panic!("{error} in {line:?}\n{said}");
        });
        Self { signed_in, process }
    }
}

impl Drop for ForeignIssuer {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(node: PathBuf, log: File) -> Child {
    Command::new(node)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/issuer.mjs"))
        // It ends with its stdin, even if nobody is left to kill it.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap()
}
