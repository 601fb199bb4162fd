//! `todo-api new`: the project that it creates, and what it refuses.

mod project;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Output,
};

use entra_dev::ids::{API_CLIENT_ID, CONTOSO};
use reqwest::{Method, StatusCode};
use toml::{Table, Value};

use crate::support::{Launch, free_ports, root, run, sign_in};

use self::project::{NewApi, Project, Running};

const NAME: &str = "billing-api";

/// The crates of this repository that a project depends on, and where.
const CRATES: [(&str, &str); 2] =
    [("dependencies", "poem-entra"), ("dev-dependencies", "entra-dev")];

#[tokio::test]
async fn a_new_project_passes_its_checks_and_admits_the_people_who_sign_in() {
    let project = Project::create().await;
    project.check().await;

    // The README says to copy this file. The environment takes precedence.
    fs::copy(project.folder.join(".env.sample"), project.folder.join(".env")).unwrap();
    let tenant = project.tenant().await;
    let [port] = free_ports();
    let mut program = project.program(NAME);
    program.env("AAD_INSTANCE", tenant.base_url()).env("ADDRESS", format!("127.0.0.1:{port}"));
    let _program = Running::start(program);
    let api = NewApi::at(port).await;
    let authority = format!("{}/{CONTOSO}", tenant.base_url());
    let redirect_uri = format!("http://localhost:{port}/docs/oauth2-redirect");
    let scope = format!("api://{API_CLIENT_ID}/access_as_user");
    let token =
        async |person| sign_in(&api.client, &authority, person, &scope, &redirect_uri).await;
    let [uma, ada] = [token("uma").await, token("ada").await];
    assert_eq!(api.send(Method::GET, "/me", None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.send(Method::GET, "/me", Some(&uma)).await.status, StatusCode::OK);
    let refused = api.send(Method::DELETE, "/runs", Some(&uma)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["code"], "insufficient_role");
    assert_eq!(api.send(Method::DELETE, "/runs", Some(&ada)).await.status, StatusCode::OK);

    fs::remove_file(project.folder.join(".env")).unwrap();
    let missing = run(project.program(NAME)).await;
    assert!(!missing.status.success());
    let shown = String::from_utf8(missing.stderr).unwrap();
    let names = "AAD_TENANT_ID, API_CLIENT_ID, SWAGGER_UI_CLIENT_ID";
    assert!(shown.contains(&format!("these settings are missing: {names}.")), "{shown}");

    project.use_development_tenant().await;
}

#[test]
fn without_a_checkout_the_crates_come_from_the_repository_at_this_version() {
    let folder = tempfile::tempdir().unwrap();
    let shown = succeed(Launch::default().run(folder.path(), &["new", NAME]));
    let repository = env!("CARGO_PKG_REPOSITORY");
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    let (_, note) = shown.split_once("your own tenant.\n\n").unwrap();
    assert!(note.contains(&format!("poem-entra from {repository}, tag {tag}")), "{shown}");
    assert!(note.contains("create the project"), "{shown}");
    // An address that is reserved for examples leads nowhere.
    let is_placeholder = repository.contains("//example.com/");
    assert_eq!(note.starts_with("The project cannot be built yet: "), is_placeholder, "{shown}");
    assert_eq!(note.starts_with("Cargo fetches "), !is_placeholder, "{shown}");
    let [ours, example] = [folder.path().join(NAME), root().join("examples/standalone-api")]
        .map(|folder| manifest(&folder));
    for (section, name) in CRATES {
        let mut expected = example[section][name].as_table().unwrap().clone();
        expected.remove("path");
        expected.insert("git".to_owned(), repository.into());
        expected.insert("tag".to_owned(), tag.into());
        assert_eq!(ours[section][name], Value::Table(expected));
    }
    let text = fs::read_to_string(folder.path().join(NAME).join("Cargo.toml")).unwrap();
    assert!(!text.contains(".."), "{text}");
    for (file, lacks) in [
        ("README.md", "standalone"),
        ("README.md", "<!--"),
        ("src/lib.rs", "Todos"),
        ("dev-tenant.toml", "standalone"),
    ] {
        let text = fs::read_to_string(folder.path().join(NAME).join(file)).unwrap();
        assert!(!text.contains(lacks), "{file}: {text}");
    }
}

#[test]
fn each_name_that_cannot_be_used_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let long = "a".repeat(65);
    let mut cases = vec![
        ("", "the name is empty"),
        (&long[..], "longer than 64 characters"),
        ("a/b", "it is a path, not a name"),
        ("../billing", "it is a path, not a name"),
        ("/tmp/billing", "it is a path, not a name"),
        ("a\\b", "it is a path, not a name"),
        (".", "it is a path, not a name"),
        ("..", "it is a path, not a name"),
        ("Billing", "it has upper-case letters: use \"billing\""),
        ("café", "it contains 'é'"),
        ("ｂilling", "it contains 'ｂ'"),
        ("bill\u{200b}ing", "it contains '\\u{200b}'"),
        ("a b", "it contains ' '"),
        ("a\nb", "it contains '\\n'"),
        ("a.b", "it contains '.'"),
        ("a$(touch x)", "it contains '$'"),
        ("a;touch x", "it contains ';'"),
        ("`touch x`", "it contains '`'"),
        ("a\"b", "it contains '\"'"),
        ("{name}", "it contains '{'"),
        ("1billing", "it must begin with a letter"),
        ("_billing", "it must begin with a letter"),
        ("billing-", "it must not end with - or _"),
        ("a--b", "it must not end with - or _"),
        ("fn", "it is a keyword of Rust"),
        ("async", "it is a keyword of Rust"),
        ("gen", "it is a keyword of Rust"),
        ("self", "it is a keyword of Rust"),
        ("test", "it is the name of a library that comes with Rust"),
        ("std", "it is the name of a library that comes with Rust"),
        ("proc-macro", "it is the name of a library that comes with Rust"),
        ("deps", "cargo uses this name"),
        ("nul", "Windows reserves this name"),
        ("com1", "Windows reserves this name"),
        ("serde-json", "the project depends on a package with this name"),
    ];
    let example = manifest(&root().join("examples/standalone-api"));
    let dependencies =
        ["dependencies", "dev-dependencies"].map(|it| example[it].as_table().unwrap());
    let dependencies = dependencies.into_iter().flat_map(Table::keys);
    cases.extend(
        dependencies.map(|name| (&name[..], "the project depends on a package with this name")),
    );
    assert!(cases.len() > 40, "{cases:?}");
    for (name, reason) in cases {
        let output = Launch::default().run(folder.path(), &["new", "--", name]);
        assert_eq!(output.status.code(), Some(2), "{name:?}");
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(shown.contains("for '<NAME>': ") && shown.contains(reason), "{name:?}: {shown}");
    }
    assert_eq!(entries(folder.path()), [""; 0]);
}

#[test]
fn names_that_only_look_like_reserved_ones_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let longest = "a".repeat(64);
    for name in
        ["a", "billing_api", "api-v2", "dev", "token", "api", "fn-api", "tokio-api", &longest]
    {
        succeed(Launch::default().run(folder.path(), &["new", name]));
        assert_eq!(manifest(&folder.path().join(name))["package"]["name"].as_str(), Some(name));
    }
}

#[test]
fn a_name_that_contains_the_name_of_the_example_is_written_as_it_is() {
    for (name, crate_name) in
        [("standalone_api_v2", "standalone_api_v2"), ("my-standalone-api", "my_standalone_api")]
    {
        let folder = tempfile::tempdir().unwrap();
        succeed(Launch::default().run(folder.path(), &["new", name]));
        let folder = folder.path().join(name);
        assert_eq!(manifest(&folder)["package"]["name"].as_str(), Some(name));
        let main = fs::read_to_string(folder.join("src/main.rs")).unwrap();
        assert!(main.contains(&format!("{crate_name}::")), "{main}");
        assert!(!main.contains("_v2_v2"), "{main}");
    }
}

#[test]
fn an_existing_file_folder_or_link_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "mine").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    symlink("nowhere", folder.path().join("link")).unwrap();
    let before = entries(folder.path());
    for name in ["file", "empty", "link"] {
        let shown = fail(Launch::default().run(folder.path(), &["new", name]));
        assert!(shown.contains(&format!("failed to create {name}: it exists already")), "{shown}");
    }
    assert_eq!(entries(folder.path()), before);
    assert_eq!(entries(&folder.path().join("empty")), [""; 0]);
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "mine");
}

#[test]
fn a_full_disk_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Files of at most 8 blocks of 512 bytes: the first ones are written, the others fail.
    let little_room = ["sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""];
    let launch = Launch::default().through(&little_room);
    let shown = fail(launch.run(folder.path(), &["new", NAME]));
    assert!(shown.contains("failed to create billing-api; nothing was left behind: "), "{shown}");
    assert_eq!(entries(folder.path()), [""; 0]);
}

#[test]
fn a_folder_in_which_nothing_can_be_created_is_an_error() {
    // Not even root can create anything there.
    let shown = fail(Launch::default().run(Path::new("/proc/self"), &["new", NAME]));
    assert!(shown.contains("failed to create billing-api; nothing was left behind: "), "{shown}");
}

#[test]
fn others_get_the_permissions_that_the_umask_allows() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::default().through(&["sh", "-c", "umask 027; exec \"$0\" \"$@\""]);
    succeed(launch.run(folder.path(), &["new", NAME]));
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
    assert_eq!(mode(NAME) & 0o777, 0o750);
    assert_eq!(mode("billing-api/Cargo.toml") & 0o777, 0o640);
}

#[test]
fn a_relative_path_is_relative_to_the_current_folder() {
    let folder = tempfile::tempdir().unwrap();
    symlink(root(), folder.path().join("checkout")).unwrap();
    succeed(Launch::default().run(folder.path(), &["new", NAME, "--path", "checkout"]));
    let manifest = manifest(&folder.path().join(NAME));
    for (section, name) in CRATES {
        let path = Path::new(manifest[section][name]["path"].as_str().unwrap());
        assert_eq!(path, root().canonicalize().unwrap().join("crates").join(name));
    }
}

#[test]
fn a_path_that_is_not_a_checkout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("other")).unwrap();
    let odd = folder.path().join("a\"b");
    for name in ["poem-entra", "entra-dev"] {
        fs::create_dir_all(odd.join("crates").join(name)).unwrap();
        fs::write(odd.join("crates").join(name).join("Cargo.toml"), "").unwrap();
    }
    let before = entries(folder.path());
    for (path, reason) in [
        ("missing", "failed to find missing"),
        ("other", "it lacks crates/poem-entra/Cargo.toml"),
        ("a\"b", "has a quote, a backslash or a control character"),
    ] {
        let shown = fail(Launch::default().run(folder.path(), &["new", NAME, "--path", path]));
        assert!(shown.contains(reason), "{shown}");
    }
    assert_eq!(entries(folder.path()), before);
}

/// The output of a command that succeeds.
fn succeed(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a command that fails.
fn fail(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn manifest(folder: &Path) -> Table {
    fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The packages in a lock file, with their versions.
fn locked(file: PathBuf) -> BTreeSet<(String, String)> {
    let lock: Table = fs::read_to_string(file).unwrap().parse().unwrap();
    let text = |package: &Value, field: &str| package[field].as_str().unwrap().to_owned();
    let packages = lock["package"].as_array().unwrap().iter();
    packages.map(|package| (text(package, "name"), text(package, "version"))).collect()
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}
