//! The document has nothing that stops a client generator. These tests run none of the generators,
//! because some of them need .NET; `generated_clients` runs the others. Each test names the generator
//! that it helps.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Operation, operations, visit};

/// NSwag and AutoRest generate a class that inherits from an enum, and openapi-python-client drops
/// the schema.
#[tokio::test]
async fn every_part_of_a_combined_schema_has_a_type_and_none_is_an_enum() {
    let document = document().await;
    let mut parts = Vec::new();
    visit(&document, &mut |schema| {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let members = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
            parts.extend(members.map(|part| (keyword, part)));
        }
    });
    for (keyword, part) in parts {
        assert!(part.get("$ref").is_some() || part.get("type").is_some(), "{keyword}: {part}");
        let is_enum = resolved(&document, part).get("enum").is_some();
        assert!(keyword != "allOf" || !is_enum, "allOf around an enum: {part}");
    }
    visit(&document, &mut |value| {
        if value.get("$ref").is_some_and(Value::is_string) {
            assert_eq!(value.as_object().unwrap().len(), 1, "siblings are ignored: {value}");
        }
    });
}

/// openapi-generator for Go writes a function `NewTodo` for the schema `Todo`.
#[tokio::test]
async fn no_schema_is_named_like_the_constructor_of_another() {
    let document = document().await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        assert!(!schemas.contains_key(&format!("New{name}")), "{name}");
    }
}

/// NSwag writes code that does not compile for a range such as `4XX`.
#[tokio::test]
async fn every_status_is_a_number() {
    for operation in operations(&document().await) {
        for status in operation.object["responses"].as_object().unwrap().keys() {
            assert!(status.parse::<u16>().is_ok(), "{}: {status}", operation.id);
        }
    }
}

/// System.Text.Json, Refit and Kiota for TypeScript write `null` for a member without a value. For a
/// member that is not nullable, NSwag for C# always writes a value, such as `false`.
#[tokio::test]
async fn optional_members_of_requests_are_nullable_and_null_is_accepted() {
    let app = App::start().await;
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    let mut optional = 0;
    for operation in operations(&document).iter().filter(|operation| operation.has_body()) {
        let schema = &operation.object["requestBody"]["content"]["application/json"]["schema"];
        let body = with_nulls(&document, schema, &mut optional);
        let id = app.create("uma", "Walk the dog").await["id"].to_string();
        let (method, path) = (operation.method.clone(), operation.path.replace("{id}", &id));
        let answer = app.send_as("uma", method, &path, Some(body)).await;
        assert!(answer.status.is_success(), "{}: {answer:?}", operation.id);
    }
    assert_eq!(optional, 2);
}

/// A request body with a null for each optional member, which must be nullable.
fn with_nulls(document: &Value, schema: &Value, optional: &mut usize) -> Value {
    let schema = resolved(document, schema);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return json!("text");
    };
    let is_required =
        |name: &String| schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
    let members = properties.iter().map(|(name, member)| {
        if is_required(name) {
            return (name.clone(), with_nulls(document, member, optional));
        }
        assert_eq!(member["nullable"], true, "{name} is optional but not nullable");
        *optional += 1;
        (name.clone(), Value::Null)
    });
    Value::Object(members.collect())
}

/// A member that is both optional and nullable has two empty states: `Option<Option<String>>` in
/// Rust, `JsonNullable` in Java. Progenitor makes a type for each string with bounds, and zod counts
/// its length differently from the server.
#[tokio::test]
async fn members_of_responses_have_no_bounds_and_are_never_null() {
    let document = document().await;
    let mut seen = Vec::new();
    for operation in operations(&document) {
        visit_schemas(&document, &operation.object["responses"], &mut seen);
    }
    assert!(seen.len() > 20, "{}", seen.len());
    for schema in seen {
        for keyword in ["nullable", "pattern", "minLength", "maxLength", "minItems", "maxItems"] {
            assert!(schema.get(keyword).is_none(), "{keyword} in {schema}");
        }
    }
}

/// Every object in this part of the document, and in the schemas that it refers to.
fn visit_schemas<'a>(document: &'a Value, part: &'a Value, seen: &mut Vec<&'a Value>) {
    let mut found = Vec::new();
    visit(part, &mut |value| found.push(value));
    for value in found {
        // Two parts are the same if they are at the same place.
        if seen.iter().any(|other| std::ptr::eq(*other, value)) {
            continue;
        }
        seen.push(value);
        if value.get("$ref").is_some_and(Value::is_string) {
            visit_schemas(document, resolved(document, value), seen);
        }
    }
}

/// AutoRest warns about formats that it does not know.
#[tokio::test]
async fn every_format_is_in_the_registry() {
    // OpenAPI 3.0, and `uuid` of the registry (https://spec.openapis.org/registry/format/).
    const FORMATS: [&str; 10] = [
        "int32",
        "int64",
        "float",
        "double",
        "byte",
        "binary",
        "date",
        "date-time",
        "password",
        "uuid",
    ];
    visit(&document().await, &mut |value| {
        if let Some(format) = value.get("format").and_then(Value::as_str) {
            assert!(FORMATS.contains(&format), "{value}");
        }
    });
}

/// Microsoft's older reader warns about whole numbers in the example of an object that refers to
/// other schemas.
#[tokio::test]
async fn an_example_with_numbers_is_in_the_schema_that_declares_them() {
    let document = document().await;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let refers = schema.to_string().contains("\"$ref\"");
        let numbers = schema
            .get("example")
            .is_some_and(|e| e.to_string().contains(|c: char| c.is_ascii_digit()));
        assert!(!refers || !numbers, "{name}");
    }
    assert!(document["components"]["schemas"]["Todo"].get("example").is_some());
}

/// Kiota, IntelliSense and Copilot show the description instead of the summary, and Kiota joins its
/// lines without a space.
#[tokio::test]
async fn a_description_begins_with_what_the_operation_does_and_has_one_line_per_paragraph() {
    let document = document().await;
    for Operation { id, object, .. } in operations(&document) {
        let verb = object["summary"].as_str().unwrap().split(' ').next().unwrap();
        let description = object["description"].as_str().unwrap();
        assert!(description.starts_with(&format!("{verb}s ")), "{id}: {description}");
    }
    visit(&document, &mut |value| {
        let Some(description) = value.get("description").and_then(Value::as_str) else { return };
        for paragraph in description.split(" \n\n") {
            assert!(!paragraph.contains('\n'), "{description:?}");
        }
    });
}

/// Progenitor generates no client if an operation has two schemas for errors.
#[tokio::test]
async fn all_errors_of_an_operation_have_one_schema() {
    for operation in operations(&document().await) {
        let responses = operation.object["responses"].as_object().unwrap();
        let errors = responses.iter().filter(|(status, _)| status.as_str() >= "400");
        let schemas: BTreeSet<_> = errors
            .map(|(_, error)| error["content"]["application/problem+json"]["schema"].to_string())
            .collect();
        assert_eq!(schemas.len(), 1, "{}: {schemas:?}", operation.id);
    }
}

/// Kiota uses the member with this extension as the message of its exceptions.
#[tokio::test]
async fn the_detail_of_a_problem_is_the_message_of_an_exception() {
    let document = document().await;
    for problem in ["Problem", "ReadinessProblem"] {
        let detail = &document["components"]["schemas"][problem]["properties"]["detail"];
        assert_eq!(detail["x-ms-primary-error-message"], true, "{problem}");
    }
}

/// Without these, Scalar sends no PKCE, and an empty secret in a Basic header.
#[tokio::test]
async fn scalar_signs_in_as_a_public_client() {
    let document = document().await;
    let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"];
    assert_eq!(flow["x-usePkce"], "SHA-256");
    assert_eq!(flow["x-scalar-credentials-location"], "body");
}

/// Linters and package managers of client libraries read these.
#[tokio::test]
async fn the_document_names_its_licence_contact_and_documentation() {
    let document = document().await;
    assert_eq!(document["info"]["license"]["name"], "MIT");
    let links = [
        &document["info"]["license"]["url"],
        &document["info"]["contact"]["url"],
        &document["externalDocs"]["url"],
    ];
    assert!(links.iter().all(|url| url.as_str().unwrap().starts_with("https://")), "{links:?}");
}

/// The document of a server.
async fn document() -> Value {
    App::start().await.send(None, Method::GET, "/openapi.json", None).await.body
}

/// The schema that this one refers to, or the schema itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}
