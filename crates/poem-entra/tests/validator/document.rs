//! The OpenAPI document states what the guards enforce, for every kind of policy.

use std::sync::Arc;

use http::{StatusCode, header};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Request, Response, Route};
use poem_entra::{
    Policy, Principal, Requirement, Validator,
    poem::{Guard, Published, publish},
};
use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};
use serde_json::{Value, json};

use crate::support::{API, INSTANCE, TENANT, World, token};

poem_entra::security_scheme!(EntraId, "access_as_user" = "Act as the signed-in user.");

macro_rules! policies {
    ($($name:ident = $requires:expr $(, $note:literal)?;)*) => {
        $(
            struct $name;

            impl Policy for $name {
                type Caller = Principal;
                const REQUIRES: Requirement = $requires;

                $(fn note() -> Option<String> {
                    Some($note.to_owned())
                })?
            }
        )*
    };
}

const SCOPE: Requirement = Requirement::scope(&["access_as_user"]);

policies! {
    Scoped = SCOPE;
    Admin = SCOPE.and_role(&["Admin", "Owner"]);
    Twice = SCOPE.and_role(&["Admin"]).and_role(&["Owner", "Auditor"]);
    Daemon = Requirement::app_role(&["Todos.Read.All"]);
    Either = Requirement::scope_or_app_role(&["access_as_user"], &["Todos.Read.All"]);
    Narrow = SCOPE
        .and_group(&["99999999-9999-4999-8999-999999999999"])
        .and_client(&["44444444-4444-4444-8444-444444444444"])
        .and_no_guests()
        .and_authentication_context("c1"), "and only on Tuesdays";
    Human = SCOPE.and_humans_only().and_no_agents();
}

struct Operations;

#[OpenApi]
impl Operations {
    /// Scoped
    ///
    /// Details.
    #[oai(path = "/scoped", method = "get")]
    async fn scoped(&self, _caller: Guard<EntraId, Scoped>) -> PlainText<&'static str> {
        PlainText("in")
    }

    #[oai(path = "/admin", method = "get")]
    async fn admin(&self, _caller: Guard<EntraId, Admin>) -> PlainText<&'static str> {
        PlainText("in")
    }

    #[oai(path = "/twice", method = "get")]
    async fn twice(&self, _caller: Guard<EntraId, Twice>) -> PlainText<&'static str> {
        PlainText("in")
    }

    #[oai(path = "/daemon", method = "get")]
    async fn daemon(&self, _caller: Guard<EntraId, Daemon>) -> PlainText<&'static str> {
        PlainText("in")
    }

    #[oai(path = "/either", method = "get")]
    async fn either(&self, _caller: Guard<EntraId, Either>) -> PlainText<&'static str> {
        PlainText("in")
    }

    #[oai(path = "/human", method = "get")]
    async fn human(&self, _caller: Guard<EntraId, Human>) -> PlainText<&'static str> {
        PlainText("in")
    }

    #[oai(path = "/narrow", method = "get")]
    async fn narrow(&self, _caller: Guard<EntraId, Narrow>) -> PlainText<&'static str> {
        PlainText("in")
    }
}

fn document(validator: &Validator) -> Value {
    let service = OpenApiService::new(Operations, "Operations", "1");
    publish(&service.spec(), &Published::of(validator)).unwrap()
}

#[test]
fn the_document_states_every_kind_of_policy() {
    let world = World::new();
    let document = document(&world.validator);
    let scope = format!("api://{API}/access_as_user");
    for (path, scopes, roles, words) in [
        ("/scoped", json!([scope]), None, "a user with the scope `access_as_user`."),
        (
            "/admin",
            json!([scope]),
            Some(json!(["Admin", "Owner"])),
            "a user with the scope `access_as_user` and the app role `Admin` or `Owner`.",
        ),
        (
            "/twice",
            json!([scope]),
            Some(json!([["Admin"], ["Owner", "Auditor"]])),
            "a user with the scope `access_as_user` and the app role `Admin` and the app role \
             `Owner` or `Auditor`.",
        ),
        (
            "/daemon",
            json!([]),
            Some(json!(["Todos.Read.All"])),
            "an app with the app role `Todos.Read.All`.",
        ),
        (
            "/either",
            json!([scope]),
            None,
            "a user with the scope `access_as_user`, or an app with the app role \
             `Todos.Read.All`.",
        ),
        (
            "/human",
            json!([scope]),
            None,
            "a user with the scope `access_as_user`; human users only; no agents.",
        ),
        (
            "/narrow",
            json!([scope]),
            None,
            "a user with the scope `access_as_user` in the group \
             `99999999-9999-4999-8999-999999999999` through the app \
             `44444444-4444-4444-8444-444444444444`; no guests; authentication context `c1`; \
             and only on Tuesdays.",
        ),
    ] {
        let operation = &document["paths"][path]["get"];
        assert_eq!(operation["security"], json!([{ "oauth2": scopes }]), "{path}");
        assert_eq!(operation.get("x-required-roles"), roles.as_ref(), "{path}");
        let description = operation["description"].as_str().unwrap();
        assert!(description.ends_with(&format!("**Who:** {words}")), "{path}: {description}");
        for status in ["401", "403", "503"] {
            let content = &operation["responses"][status]["content"];
            assert!(content.get("application/problem+json").is_some(), "{path} {status}");
        }
    }
    let scoped = &document["paths"]["/scoped"]["get"]["description"];
    assert!(scoped.as_str().unwrap().starts_with("Details.\n\n"), "{scoped}");
    assert!(!document.to_string().contains("forbidden"), "a mark is left in the document");
}

#[test]
fn the_document_has_the_configured_authority_and_scopes() {
    let world = World::new();
    let document = document(&world.validator);
    let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"];
    let endpoint = format!("{INSTANCE}/{TENANT}/oauth2/v2.0");
    assert_eq!(flow["authorizationUrl"], format!("{endpoint}/authorize"));
    assert_eq!(flow["tokenUrl"], format!("{endpoint}/token"));
    assert!(flow["scopes"].get(format!("api://{API}/access_as_user")).is_some(), "{flow}");
}

#[tokio::test]
async fn a_guard_responds_with_a_challenge_and_a_problem_document() {
    let world = World::new();
    let service = OpenApiService::new(Operations, "Operations", "1");
    let app = Route::new().nest("/", service).data(Arc::clone(&world.validator)).into_endpoint();
    let send = async |path: &str, token: Option<&str>| -> (Response, Value) {
        let mut request = Request::builder().uri_str(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut response = app.get_response(request.finish()).await;
        let body = response.take_body().into_string().await.unwrap();
        (response, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    };
    let user = token(&world.claims());
    let (response, body) = send("/scoped", Some(&user)).await;
    assert_eq!((response.status(), body), (StatusCode::OK, "in".into()));

    let (response, problem) = send("/scoped", None).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = format!("Bearer scope=\"api://{API}/access_as_user\"");
    assert_eq!(response.header("www-authenticate"), Some(&*challenge));
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(problem["code"], "missing_token");

    let (response, problem) = send("/daemon", Some(&user)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(problem["code"], "access_denied");
    let (response, _) = send("/narrow", Some(&user)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_guard_without_a_validator_responds_with_500() {
    let world = World::new();
    let app = OpenApiService::new(Operations, "Operations", "1").into_endpoint();
    let bearer = format!("Bearer {}", token(&world.claims()));
    let request = Request::builder().uri_str("/scoped").header(header::AUTHORIZATION, bearer);
    let response = app.get_response(request.finish()).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
