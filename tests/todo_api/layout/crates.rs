//! Which crates may depend on which, read from the manifests.

use std::{collections::BTreeSet, process::Command};

use todo_api::config::dev_tenant::ids;
use toml::{Table, Value};

use super::{
    files::{files, read, sources},
    source::paths,
};

/// A folder, and the packages of the workspace that no manifest in it may name. The two crates
/// share no code, so that a mistake about Entra cannot hide on both sides.
const RULES: &[(&str, &[&str])] = &[
    ("crates/entra-dev", &["poem-entra", "todo-api"]),
    ("crates/poem-entra", &["entra-dev", "todo-api"]),
];

#[test]
fn poem_entra_and_entra_dev_do_not_depend_on_each_other() {
    let workspace = read("Cargo.toml");
    for (folder, forbidden) in RULES {
        let manifests: Vec<_> =
            files(folder).into_iter().filter(|file| file.ends_with("/Cargo.toml")).collect();
        assert!(manifests.contains(&format!("{folder}/Cargo.toml")), "{manifests:?}");
        for manifest in manifests {
            let dependencies = dependencies(&read(&manifest), &workspace);
            assert!(dependencies.contains("serde_json") || manifest.contains("fuzz"), "{manifest}");
            for package in *forbidden {
                assert!(!dependencies.contains(*package), "{manifest} depends on {package}");
            }
        }
    }
}

/// Cargo does not write these lock files when a dependency of poem-entra changes, and later refuses
/// to build with `--locked`.
#[test]
fn lock_files_outside_the_workspace_know_what_poem_entra_needs() {
    let manifest: Table = read("crates/poem-entra/Cargo.toml").parse().unwrap();
    let needed = manifest["dependencies"].as_table().unwrap().iter();
    let needed: Vec<_> = needed.filter(|(_, it)| it.get("optional").is_none()).collect();
    for file in ["benches/peers/rust/Cargo.lock", "crates/poem-entra/fuzz/Cargo.lock"] {
        let lock: Table = read(file).parse().unwrap();
        let packages = lock["package"].as_array().unwrap();
        let is_it = |package: &&Value| package["name"].as_str() == Some("poem-entra");
        let locked = packages.iter().find(is_it).unwrap()["dependencies"].as_array().unwrap();
        for (name, _) in &needed {
            // A version follows the name if there are several.
            let is_locked =
                |it: &Value| it.as_str().is_some_and(|it| it.split(' ').next() == Some(name));
            assert!(locked.iter().any(is_locked), "{file} lacks {name}");
        }
    }
}

/// The packages that a manifest depends on, in any way and by any name.
fn dependencies(manifest: &str, workspace: &str) -> BTreeSet<String> {
    let manifest: Table = manifest.parse().unwrap();
    let workspace: Table = workspace.parse().unwrap();
    let shared = workspace.get("workspace").and_then(|table| table.get("dependencies"));
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| target.as_table());
    let sections = targets.chain([&manifest]).flatten();
    sections
        // Cargo also reads the old spelling `dev_dependencies`.
        .filter(|(name, _)| name.replace('_', "-").ends_with("dependencies"))
        .filter_map(|(_, section)| section.as_table())
        .flatten()
        .map(|(name, dependency)| {
            let is_shared = dependency.get("workspace").is_some();
            let dependency =
                shared.filter(|_| is_shared).and_then(|all| all.get(name)).unwrap_or(dependency);
            let package = dependency.get("package").and_then(Value::as_str);
            package.unwrap_or(name).to_owned()
        })
        .collect()
}

#[test]
fn a_planted_dependency_is_found() {
    let workspace = r#"
        [workspace.dependencies]
        poem-entra = { path = "crates/poem-entra" }
        validator = { path = "crates/poem-entra", package = "poem-entra" }
    "#;
    for manifest in [
        "[dependencies]\npoem-entra = { path = \"../poem-entra\" }",
        "[dependencies]\npoem-entra = \"0.1\"",
        "[dependencies]\npoem-entra.workspace = true",
        "[dependencies]\nvalidator.workspace = true",
        "[dependencies]\nfoo = { path = \"../poem-entra\", package = \"poem-entra\" }",
        "[dependencies.foo]\npackage = \"poem-entra\"\npath = \"../poem-entra\"",
        "[dependencies]\npoem-entra = { path = \"../poem-entra\", optional = true }",
        "[dev-dependencies]\npoem-entra = { path = \"../poem-entra\" }",
        "[dev_dependencies]\npoem-entra = { path = \"../poem-entra\" }",
        "[build-dependencies]\npoem-entra = { path = \"../poem-entra\" }",
        "[target.'cfg(unix)'.dependencies]\npoem-entra = { path = \"../poem-entra\" }",
        "[target.'cfg(unix)'.dev-dependencies]\nfoo = { package = \"poem-entra\" }",
    ] {
        assert!(dependencies(manifest, workspace).contains("poem-entra"), "{manifest}");
    }
    let other = "# poem-entra\n[dependencies]\npoem.workspace = true\n[features]\npoem-entra = []";
    assert_eq!(dependencies(other, workspace), BTreeSet::from(["poem".to_owned()]));
}

#[test]
fn only_the_poem_module_of_poem_entra_knows_poem() {
    let mut users = Vec::new();
    for file in sources("crates/poem-entra/src") {
        if knows_poem(&read(&file)) {
            users.push(file);
        }
    }
    assert!(!users.is_empty());
    users.retain(|file| !file.starts_with("crates/poem-entra/src/poem/"));
    assert!(users.is_empty(), "{users:?}");

    assert!(knows_poem("use {\n    poem::{\n        Request,\n    },\n};"));
    assert!(knows_poem("fn f(request: &poem::Request) {}"));
    assert!(knows_poem("use poem_openapi as openapi;\nfn f() -> poem_openapi::Result {}"));
    assert!(!knows_poem("//! [`mod@poem`]\npub mod poem;\nuse crate::poem::Guard;"));
}

fn knows_poem(text: &str) -> bool {
    paths(text).iter().any(|path| {
        path.segments.len() > 1 && ["poem", "poem_openapi"].contains(&path.segments[0].as_str())
    })
}

#[test]
fn without_default_features_entra_dev_is_not_built() {
    let tree = |features: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["tree", "--package", "todo-api", "--edges", "no-dev", "--prefix", "none"]);
        let output = cargo.args(["--offline", "--locked"]).args(features).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let has_tenant = |tree: &str| tree.lines().any(|line| line.starts_with("entra-dev "));
    assert!(has_tenant(&tree(&[])));
    assert!(!has_tenant(&tree(&["--no-default-features"])));
}

#[test]
fn the_app_and_the_development_tenant_have_the_same_ids() {
    assert_eq!(ids::TENANT, entra_dev::ids::CONTOSO);
    assert_eq!(ids::API, entra_dev::ids::API_CLIENT_ID);
    assert_eq!(ids::SWAGGER_UI, entra_dev::ids::SWAGGER_UI_CLIENT_ID);
}
