//! The docs page and the pages of the development tenant in a real browser.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use entra_dev::{
    DevTenant, Directory, Options,
    ids::{API_CLIENT_ID, CONTOSO},
};

use crate::support::{
    Column, Launch, Program, Proxy, StandaloneApi, Tool, environment, free_ports, require, root,
    run_browser, tenant_folder, test_name,
};

#[tokio::test]
async fn a_person_signs_in_on_the_docs_page_and_uses_the_api() {
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright];
    let Some([chromium, node, _]) = require(test_name!(), tools) else { return };
    let mut program = Program::start().await;
    let mut walk = script(&node, &chromium, "sign_in.mjs", &program);
    walk.arg(&program.url);
    let walk = succeed(walk, &program).await;
    // The README of the development tenant names the tested version.
    let column = Column::of("Swagger UI");
    assert_eq!(Vec::from_iter(column.flows), ["code + PKCE over http", "popup", "query"]);
    let version = format!("version: Swagger UI {}\n", column.version);
    assert!(String::from_utf8_lossy(&walk.stdout).contains(&version), "not {version}");
    let status = program.stop("TERM").await;
    assert!(status.success(), "{status}\n{}", program.log());
}

#[tokio::test]
async fn the_docs_page_is_accessible_in_both_color_schemes_and_on_narrow_screens() {
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright, Tool::Axe];
    let Some([chromium, node, _, _]) = require(test_name!(), tools) else { return };
    let program = Program::start().await;
    let mut look = Command::new(node);
    look.arg(root().join("tests/browser/docs_page.mjs"))
        .arg(&program.url)
        .env("HOME", program.folder.path())
        .env("TMPDIR", program.folder.path())
        .env("CHROMIUM", chromium);
    let look = run_browser(look).await;
    assert!(
        look.status.success(),
        "{}{}",
        String::from_utf8_lossy(&look.stdout),
        String::from_utf8_lossy(&look.stderr),
    );
}

#[tokio::test]
async fn the_docs_page_calls_the_address_at_which_it_was_opened() {
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright, Tool::Nginx, Tool::Haproxy];
    let Some([chromium, node, _, nginx, haproxy]) = require(test_name!(), tools) else { return };
    // For 127.0.0.1, the tenant does not compare the port.
    let redirect_uris = ["/oauth2-redirect", "/todo/oauth2-redirect"];
    let tenant = DevTenant::start_with(Options {
        data_dir: Some(tenant_folder()),
        spa_redirect_uris: redirect_uris.map(|path| format!("http://127.0.0.1{path}")).into(),
        ..Options::ephemeral()
    });
    let tenant = tenant.await.unwrap();
    let [port, wildcard_port, nginx_port, haproxy_port] = free_ports();
    let launch = |host: &str, port: u16| {
        Launch::serve(tenant.base_url())
            .with("HOST", host)
            .with("PORT", port.to_string())
            // The address that the document names, which the browser cannot reach.
            .with("PUBLIC_URL", "https://todo.example")
            // Not the origins of these pages, which need no permission.
            .with("CORS_ORIGINS", "https://app.example")
    };
    let loopback = Program::launch(launch("localhost", port)).await;
    let _wildcard = Program::launch(launch("0.0.0.0", wildcard_port)).await;
    let nginx = Proxy::below(Tool::Nginx, &nginx, nginx_port, port).await;
    let haproxy = Proxy::below(Tool::Haproxy, &haproxy, haproxy_port, port).await;
    let mut visit = script(&node, &chromium, "addresses.mjs", &loopback);
    visit
        .args([port, wildcard_port].map(|port| format!("http://127.0.0.1:{port}")))
        .args([&nginx.url, &haproxy.url]);
    succeed(visit, &loopback).await;
}

#[tokio::test]
async fn a_person_uses_the_single_page_app_of_the_examples() {
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright, Tool::Axe, Tool::SpaPackages];
    let Some([chromium, node, ..]) = require(test_name!(), tools) else { return };
    let [port] = free_ports();
    let launch = Launch::dev().with("CORS_ORIGINS", format!("http://localhost:{port}"));
    let program = Program::launch(launch).await;
    let mut walk = script(&node, &chromium, "spa.mjs", &program);
    walk.arg(&program.url).arg(format!("{}/{CONTOSO}", program.tenant_url())).arg(port.to_string());
    succeed(walk, &program).await;
}

#[tokio::test]
async fn a_person_signs_in_on_the_docs_page_of_the_standalone_api() {
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright];
    let Some([chromium, node, _]) = require(test_name!(), tools) else { return };
    let directory = Directory::read(&root().join("examples/standalone-api/dev-tenant.toml"));
    let options = Options {
        directory: directory.unwrap(),
        data_dir: Some(tenant_folder()),
        spa_redirect_uris: Vec::new(),
        ..Options::ephemeral()
    };
    let tenant = DevTenant::start_with(options).await.unwrap();
    let api = StandaloneApi::start(tenant.base_url());
    let profile = tempfile::tempdir().unwrap();
    let mut walk = Command::new(node);
    walk.arg(root().join("tests/browser/standalone_api.mjs"))
        .args([&api.url.replace("127.0.0.1", "localhost"), tenant.base_url()])
        .env("HOME", profile.path())
        .env("TMPDIR", profile.path())
        .env("CHROMIUM", chromium);
    let walk = run_browser(walk).await;
    assert!(
        walk.status.success(),
        "{}{}",
        String::from_utf8_lossy(&walk.stdout),
        String::from_utf8_lossy(&walk.stderr),
    );
}

/// A script of tests/browser. The browser's profile and caches are deleted with the program's folder.
fn script(node: &Path, chromium: &Path, name: &str, program: &Program) -> Command {
    let mut script = Command::new(node);
    script
        .arg(root().join("tests/browser").join(name))
        .env("HOME", program.folder.path())
        .env("TMPDIR", program.folder.path())
        .env("CHROMIUM", chromium);
    script
}

/// Runs the script and returns its output. It must succeed.
async fn succeed(script: Command, program: &Program) -> Output {
    let output = run_browser(script).await;
    assert!(
        output.status.success(),
        "{}{}\nThe server's log:\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        program.log(),
    );
    output
}

/// An app that requires consent and can use every grant of a native app.
const APP: &str = r#"
[[apps]]
client_id = "a1000000-0000-4000-8000-000000000004"
name = "Curious app"
tenant = "Contoso"
consent_required = true
public_client = true
redirect_uris.native = ["http://localhost"]
secrets = ["a-secret-of-the-app"]
expired_secrets = ["an-old-secret-of-the-app"]
permissions = { "Todo API" = [] }
"#;

#[tokio::test]
async fn everybody_can_use_the_pages_of_the_development_tenant() {
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright, Tool::Axe];
    let Some([chromium, node, _, _]) = require(test_name!(), tools) else { return };
    let directory = format!("{}{APP}", Directory::EXAMPLE);
    let directory = Directory::parse(&directory, Path::new("")).unwrap();
    let options = Options { directory, ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut visit = Command::new(node);
    visit
        .arg(root().join("tests/browser/pages.mjs"))
        .arg(tenant.base_url())
        .arg("a1000000-0000-4000-8000-000000000004")
        .arg(format!("api://{API_CLIENT_ID}/access_as_user"))
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("CHROMIUM", chromium);
    let visit = run_browser(visit).await;
    assert!(
        visit.status.success(),
        "{}{}",
        String::from_utf8_lossy(&visit.stdout),
        String::from_utf8_lossy(&visit.stderr),
    );
}

/// The pictures in the README of the development tenant.
const PICTURES: &str = "crates/entra-dev/docs";

/// With `PICTURES`, the folder to which they are written, it renews them.
#[tokio::test]
async fn the_pictures_of_the_development_tenant_show_its_pages() {
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright];
    let Some([chromium, node, _]) = require(test_name!(), tools) else { return };
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = environment("PICTURES").map_or_else(|| folder.path().to_owned(), PathBuf::from);
    let mut script = Command::new(node);
    script
        .arg(root().join("tests/browser/pictures.mjs"))
        .arg(tenant.base_url())
        .arg(&target)
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("CHROMIUM", chromium);
    let output = run_browser(script).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let readme = fs::read_to_string(root().join("crates/entra-dev/README.md")).unwrap();
    for page in ["sign-in", "consent", "audit-trail"] {
        for scheme in ["light", "dark"] {
            let name = format!("{page}-{scheme}.png");
            assert!(readme.contains(&format!("\"docs/{name}\"")), "the README lacks {name}");
            let kept = fs::read(root().join(PICTURES).join(&name)).unwrap();
            assert!(kept.len() < 100_000, "{name} has {} bytes", kept.len());
            let taken = fs::read(target.join(&name)).unwrap();
            // The header of a PNG contains the width and the height.
            assert_eq!(kept[..24], taken[..24], "{name}: run `make pictures`");
        }
    }
}
