//! The OpenAPI document: it is complete, matches the server, and is the same as the file.

use std::{
    fs,
    process::{Command, Output},
};

use reqwest::Method;
use serde_json::{Value, json};
use todo_api::{
    api::{self, document::DocumentSettings},
    todo::TodoName,
};

use crate::support::{
    App, Launch, Operation, Tool, assert_valid, operations, require, root, test_name, validator,
    visit,
};

#[test]
fn the_openapi_file_matches_the_code() {
    let output = todo_api(&["openapi", "--check", "--output", "openapi/openapi.json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn openapi_check_shows_how_a_file_differs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    let path = file.to_str().unwrap();
    assert!(todo_api(&["openapi", "--output", path]).status.success());
    assert!(todo_api(&["openapi", "--check", "--output", path]).status.success());
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("List todos", "List everything")).unwrap();
    let output = todo_api(&["openapi", "--check", "--output", path]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("-        \"summary\": \"List everything [own"), "{shown}");
    assert!(shown.contains("+        \"summary\": \"List todos [own"), "{shown}");
}

#[tokio::test]
async fn the_server_publishes_its_own_authority_and_api() {
    let app = App::start().await;
    let served = app.send(None, Method::GET, "/openapi.json", None).await.body;
    let flow = &served["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"];
    let authority = format!("{}/{}", app.tenant.base_url(), entra_dev::ids::CONTOSO);
    assert_eq!(flow["authorizationUrl"], format!("{authority}/oauth2/v2.0/authorize"));
    assert_eq!(flow["tokenUrl"], format!("{authority}/oauth2/v2.0/token"));
    let scope = format!("api://{}/access_as_user", entra_dev::ids::API_CLIENT_ID);
    let scopes: Vec<_> = flow["scopes"].as_object().unwrap().keys().collect();
    assert_eq!(scopes, [&scope]);
    assert!(!served.to_string().contains("{authority}"));
    assert!(!served.to_string().contains("{api}"));
}

#[tokio::test]
async fn the_document_names_the_url_of_its_server() {
    let app = App::start().await;
    assert_eq!(served_url(&app).await, app.url);
    let app = App::start_with(|environment| environment.with("HOST", "0.0.0.0")).await;
    assert!(app.url.starts_with("http://localhost:"), "{}", app.url);
    assert_eq!(served_url(&app).await, app.url);
    let public = "https://todo.example/api";
    let app = App::start_with(|environment| environment.with("PUBLIC_URL", public)).await;
    assert_eq!(served_url(&app).await, public);
}

async fn served_url(app: &App) -> String {
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    assert_eq!(document["servers"].as_array().unwrap().len(), 1);
    document["servers"][0]["url"].as_str().unwrap().to_owned()
}

#[test]
fn the_file_is_the_same_for_all_settings_and_configured_follows_them() {
    let launch = Launch::serve("https://login.example").with("HOST", "::").with("PORT", "8080");
    let folder = tempfile::tempdir().unwrap();
    let print = |launch: &Launch, arguments: &[&str]| -> Value {
        let output = launch.run(folder.path(), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let flow = "/components/securitySchemes/oauth2/flows/authorizationCode/tokenUrl";
    let reference = print(&launch, &["openapi"]);
    assert_eq!(reference, print(&Launch::default(), &["openapi"]));
    assert_eq!(reference["servers"], json!([{ "url": "http://localhost:8000" }]));
    let configured = print(&launch, &["openapi", "--configured"]);
    assert_eq!(configured["servers"], json!([{ "url": "http://localhost:8080" }]));
    let url = configured.pointer(flow).unwrap().as_str().unwrap();
    assert!(url.starts_with("https://login.example/"), "{url}");
    let launch = launch.with("PUBLIC_URL", "https://todo.example/api");
    let configured = print(&launch, &["openapi", "--configured"]);
    assert_eq!(configured["servers"], json!([{ "url": "https://todo.example/api" }]));
    let output = Launch::default().run(folder.path(), &["openapi", "--configured"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("AAD_TENANT_ID"), "{shown}");
}

#[test]
fn the_document_in_yaml_has_the_same_content() {
    let Some([python]) = require(test_name!(), [Tool::SpecValidator]) else { return };
    let output = todo_api(&["openapi", "--yaml"]);
    let yaml = String::from_utf8(output.stdout).unwrap();
    assert!(yaml.starts_with("openapi: "), "{yaml}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.yaml");
    fs::write(&file, &yaml).unwrap();
    // PyYAML reads YAML 1.1, which has more words that are not strings than YAML 1.2.
    let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let read = Command::new(python).args(["-c", script]).arg(&file).output().unwrap();
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    let json: Value = serde_json::from_slice(&todo_api(&["openapi"]).stdout).unwrap();
    assert_eq!(read, json);
    let path = file.to_str().unwrap();
    assert!(todo_api(&["openapi", "--yaml", "--check", "--output", path]).status.success());
    assert!(!todo_api(&["openapi", "--check", "--output", path]).status.success());
}

#[test]
fn documents_with_different_settings_do_not_mix() {
    let other = DocumentSettings {
        server: "https://b.example".into(),
        authority: "https://b.example/b".into(),
        app_id_uri: "api://b".into(),
    };
    let first = document().to_string();
    let second = api::document(&other).unwrap().to_string();
    assert!(second.contains("https://b.example/b/oauth2/v2.0/token"));
    assert!(second.contains("api://b/access_as_user"));
    assert_eq!(first, document().to_string());
}

#[test]
fn protected_operations_document_scope_role_and_refusals() {
    let document = document();
    let oauth2 = &document["components"]["securitySchemes"]["oauth2"];
    let declared = &oauth2["flows"]["authorizationCode"]["scopes"];
    let operations = operations(&document);
    let (protected, open): (Vec<_>, Vec<_>) = operations.iter().partition(|op| op.is_protected());
    for operation in open {
        assert!(operation.path.starts_with("/health"), "{} is not protected", operation.id);
    }
    assert!(!protected.is_empty());
    for Operation { id, path, object, .. } in protected {
        let security = object["security"].as_array().unwrap();
        let requirement = &security[0];
        assert_eq!(security.len(), 1, "{id}: several requirements are alternatives");
        let schemes: Vec<_> = requirement.as_object().unwrap().keys().collect();
        assert_eq!(schemes, ["oauth2"], "{id}");
        for scope in requirement["oauth2"].as_array().unwrap() {
            assert!(declared.get(scope.as_str().unwrap()).is_some(), "{id}: {scope}");
        }
        for status in ["401", "403", "503", "500"] {
            let content = &object["responses"][status]["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{id} {status}");
        }
        for status in ["401", "403"] {
            let headers = &object["responses"][status]["headers"];
            assert!(headers.get("WWW-Authenticate").is_some(), "{id} {status}");
        }
        let description = object["description"].as_str().unwrap();
        assert!(description.contains("scope `access_as_user`"), "{id}: {description}");
        let admin_only = *id == "deleteAllTodos";
        let roles = object.get("x-required-roles");
        let lists_admin = roles.map(|roles| roles.as_array().unwrap().contains(&json!("Admin")));
        assert_eq!(lists_admin, admin_only.then_some(true), "{id}");
        assert_eq!(description.contains("app role `Admin`"), admin_only || path.contains("{id}"));
    }
}

#[test]
fn every_operation_has_an_id_a_summary_a_tag_and_its_parameters() {
    let document = document();
    let mut ids = Vec::new();
    for operation in operations(&document) {
        let Operation { id, path, object, .. } = &operation;
        ids.push(*id);
        // NSwag splits ids at underscores, into classes with one name.
        assert!(id.starts_with(|c: char| c.is_ascii_lowercase()), "{id} is not camelCase");
        assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id} is not camelCase");
        assert!(object["summary"].as_str().is_some_and(|s| !s.ends_with('.')), "{id}");
        assert_eq!(object["tags"].as_array().unwrap().len(), 1, "{id}");
        assert_eq!(operation.parameters("path").len(), path.matches('{').count(), "{id}");
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "duplicate operation id");
}

#[test]
fn each_summary_says_who_may_call() {
    let document = document();
    let summaries: Vec<_> =
        operations(&document).iter().map(|op| op.object["summary"].as_str().unwrap()).collect();
    assert_eq!(
        summaries,
        [
            "List todos [own, Admin and Auditor: all]",
            "Create a todo [signed in]",
            "Delete all todos [Admin]",
            "Get a todo [own, Admin and Auditor: all]",
            "Change a todo [own, Admin: all]",
            "Delete a todo [own, Admin: all]",
            "Check that the server is running [anyone]",
            "Check that the server can serve requests [anyone]",
        ]
    );
}

#[test]
fn every_example_matches_its_schema() {
    let document = document();
    let mut checked = 0;
    for schema in document["components"]["schemas"].as_object().unwrap().values() {
        if let Some(example) = schema.get("example") {
            assert_valid(&document, schema, example);
            checked += 1;
        }
    }
    assert!(checked > 0, "no schema has an example");
    visit(&document["paths"], &mut |media_type| {
        for example in media_type.get("examples").and_then(Value::as_object).into_iter().flatten() {
            assert_valid(&document, &media_type["schema"], &example.1["value"]);
            checked += 1;
        }
    });
    assert!(checked > operations(&document).len(), "{checked}");
    let todo = &document["components"]["schemas"]["TodoCreationItem"]["example"];
    assert_eq!(*todo, json!({ "name": "Walk the dog" }));
}

#[test]
fn the_schemas_accept_what_the_server_accepts_and_nothing_else() {
    let document = document();
    let request = validator(&document, &json!({ "$ref": "#/components/schemas/TodoCreation" }));
    let long = |length: usize| "\u{1f415}".repeat(length);
    for name in [
        "a",
        " a",
        "a b",
        "\t a\u{85}\n",
        "\u{3000}a\u{2028}",
        "\u{feff}",
        "\u{a0}b",
        "\u{202e}",
        "",
        " ",
        "\u{3000}",
        "\u{85}",
        "a\nb",
        "a\u{0}",
        "\u{1c}a",
        "a\u{1f}",
        "\u{7f}",
        "a\u{9f}",
        "\u{1b}",
        &long(200),
        &long(201),
    ] {
        let accepted = request.is_valid(&json!({ "item": { "name": name } }));
        assert_eq!(accepted, TodoName::parse(name).is_ok(), "{name:?}");
    }
    for bad in [
        json!({}),
        json!({ "item": {} }),
        json!({ "item": { "name": "a", "id": 1 } }),
        json!({ "item": { "name": "a" }, "admin": true }),
    ] {
        assert!(!request.is_valid(&bad), "{bad}");
    }
}

#[tokio::test]
async fn every_success_is_as_the_document_says() {
    let app = App::start().await;
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    for operation in operations(&document) {
        let statuses = operation.object["responses"].as_object().unwrap().keys();
        for status in statuses.filter(|status| status.as_str() < "400") {
            app.create("uma", "Walk the dog").await;
            let id = app.create("uma", "Rest").await["id"].to_string();
            let is_list = operation.parameters("query").contains(&"limit");
            let body = operation.has_body().then(|| json!({ "item": { "name": "Walk the cat" } }));
            let known: &[_] = if status == "304" { &[("if-none-match", "*")] } else { &[] };
            // The first page is followed by another, the second is the last one.
            for query in ["?limit=1", ""].iter().skip(usize::from(!is_list)) {
                let path = format!("{}{query}", operation.path.replace("{id}", &id));
                let method = operation.method.clone();
                let answer = app.send_with("ada", method, &path, known, body.clone()).await;
                assert_eq!(answer.status.as_str(), status, "{}: {answer:?}", operation.id);
                operation.assert_describes(&document, &answer);
            }
        }
    }
}

fn document() -> Value {
    let settings = DocumentSettings {
        server: "https://todo.example".into(),
        authority: "https://login.example/tenant".into(),
        app_id_uri: "api://33333333-3333-4333-8333-333333333333".into(),
    };
    api::document(&settings).unwrap()
}

fn todo_api(arguments: &[&str]) -> Output {
    Launch::default().run(root(), arguments)
}
