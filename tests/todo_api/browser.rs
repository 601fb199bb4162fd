//! The docs page in a real browser.

use std::{path::Path, process::Command};

use crate::{
    clients::Table,
    program::Program,
    tools::{Tool, require},
};

#[tokio::test]
async fn a_person_signs_in_on_the_docs_page_and_uses_the_api() {
    let test = "a_person_signs_in_on_the_docs_page_and_uses_the_api";
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright];
    let Some([chromium, node, _]) = require(test, tools) else { return };
    let mut program = Program::start().await;
    let mut walk = Command::new(node);
    walk.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/sign_in.mjs"))
        .arg(&program.url)
        // The browser's profile and caches go with the folder.
        .env("HOME", program.folder.path())
        .env("TMPDIR", program.folder.path())
        .env("CHROMIUM", chromium);
    let walk = tokio::task::spawn_blocking(move || walk.output()).await.unwrap().unwrap();
    assert!(
        walk.status.success(),
        "{}{}\nThe server's log:\n{}",
        String::from_utf8_lossy(&walk.stdout),
        String::from_utf8_lossy(&walk.stderr),
        program.log(),
    );
    // The README of the development tenant names the version that was tried.
    let table = Table::of("Swagger UI");
    assert_eq!(Vec::from_iter(table.flows), ["code + PKCE", "popup"]);
    let version = format!("version: Swagger UI {}\n", table.version);
    assert!(String::from_utf8_lossy(&walk.stdout).contains(&version), "not {version}");
    let status = program.stop("TERM").await;
    assert!(status.success(), "{status}\n{}", program.log());
}
