//! The OpenAPI document: it is complete, matches the server, and is the same as the file.

use std::{fs, process::Output};

use reqwest::Method;
use serde_json::{Value, json};
use todo_api::api::{self, document::DocumentSettings};

use crate::support::{App, Launch, Operation, operations, root};

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
    assert!(shown.contains("-        \"summary\": \"List everything\""), "{shown}");
    assert!(shown.contains("+        \"summary\": \"List todos\""), "{shown}");
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

#[test]
fn documents_with_different_settings_do_not_mix() {
    let other =
        DocumentSettings { authority: "https://b.example/b".into(), app_id_uri: "api://b".into() };
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
fn every_example_matches_its_schema() {
    let document = document();
    let mut checked = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            assert_valid(&document, &format!("#/components/schemas/{name}"), example);
            checked += 1;
        }
    }
    assert!(checked > 0, "no schema has an example");
    for operation in operations(&document) {
        let mut checked = 0;
        visit(operation.object, &mut |media_type| {
            if let (Some(example), Some(reference)) =
                (media_type.get("example"), media_type["schema"]["$ref"].as_str())
            {
                assert_valid(&document, reference, example);
                checked += 1;
            }
        });
        assert!(checked > 0, "{} has no examples", operation.id);
    }
    let todo = &document["components"]["schemas"]["NewTodo"]["example"];
    assert_eq!(*todo, json!({ "item": { "name": "Walk the dog" } }));
}

#[test]
fn the_schemas_refuse_what_the_server_refuses() {
    let document = document();
    let reference = "#/components/schemas/NewTodo";
    for bad in [
        json!({}),
        json!({ "item": {} }),
        json!({ "item": { "name": "" } }),
        json!({ "item": { "name": "a".repeat(201) } }),
        json!({ "item": { "name": "a", "id": 1 } }),
        json!({ "item": { "name": "a" }, "admin": true }),
    ] {
        assert!(!validator(&document, reference).is_valid(&bad), "{bad}");
    }
}

#[tokio::test]
async fn responses_match_the_schemas() {
    let app = App::start().await;
    let document = document();
    app.create("uma", "Walk the dog").await;
    app.create("uma", "Rest").await;
    for path in
        ["/todoitems?limit=1", "/todoitems", "/todoitems/1", "/todoitems/9", "/health/ready"]
    {
        let answer = app.send_as("uma", Method::GET, path, None).await;
        let pattern = path.split('?').next().unwrap();
        let pattern = if pattern.starts_with("/todoitems/") { "/todoitems/{id}" } else { pattern };
        let content =
            &document["paths"][pattern]["get"]["responses"][answer.status.as_str()]["content"];
        let reference = content[answer.header("content-type")]["schema"]["$ref"].as_str().unwrap();
        assert_valid(&document, reference, &answer.body);
    }
}

fn document() -> Value {
    let settings = DocumentSettings {
        authority: "https://login.example/tenant".into(),
        app_id_uri: "api://33333333-3333-4333-8333-333333333333".into(),
    };
    api::document(&settings).unwrap()
}

/// Calls a function with this object and every object inside it.
fn visit(value: &Value, look: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            look(value);
            members.values().for_each(|member| visit(member, look));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
        _ => {}
    }
}

#[track_caller]
fn assert_valid(document: &Value, reference: &str, instance: &Value) {
    if let Err(error) = validator(document, reference).validate(instance) {
        panic!("{reference}: {error} in {instance}");
    }
}

/// A validator for a schema. OpenAPI 3.0 schemas are JSON Schema except for `nullable`.
fn validator(document: &Value, reference: &str) -> jsonschema::Validator {
    let mut components = document["components"].clone();
    allow_null(&mut components);
    let schema = json!({ "$ref": reference, "components": components });
    jsonschema::draft4::new(&schema).unwrap()
}

fn allow_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("nullable") == Some(&Value::Bool(true)) {
                let kind = members["type"].clone();
                members.insert("type".into(), json!([kind, "null"]));
            }
            members.values_mut().for_each(allow_null);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        _ => {}
    }
}

fn todo_api(arguments: &[&str]) -> Output {
    Launch::default().run(root(), arguments)
}
