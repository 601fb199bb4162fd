//! Rule A2: what a policy lets through.

use http::{HeaderMap, StatusCode, header};
use poem_entra::{Policy, Principal, Refusal, Rejection, Requirement, User};
use serde_json::{Value, json};

use crate::authority::{World, token};

struct Reader;

impl Policy for Reader {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["todos.read", "access_as_user"]);
}

struct Admin;

impl Policy for Admin {
    type Caller = Principal;
    const REQUIRES: Requirement =
        Requirement::scope(&["access_as_user"]).and_role(&["Admin", "Owner"]);
}

#[tokio::test]
async fn a2_one_of_the_scopes_is_needed_spelled_exactly() {
    let world = World::new();
    for (scp, allowed) in [
        ("access_as_user", true),
        ("todos.read", true),
        ("openid todos.read profile", true),
        ("Todos.Read", false),
        ("todos.read.all", false),
        ("todos", false),
    ] {
        let outcome = authorize::<Reader>(&world, |claims| claims["scp"] = scp.into()).await;
        match outcome {
            Ok(_) => assert!(allowed, "{scp}"),
            Err(rejection) => {
                assert!(!allowed, "{scp}");
                assert_eq!(rejection.status(), StatusCode::FORBIDDEN);
                assert_eq!(rejection.code(), "insufficient_scope");
            }
        }
    }
}

#[tokio::test]
async fn a2_one_of_the_roles_is_needed_on_top_of_the_scope() {
    let world = World::new();
    for (scp, roles, code) in [
        ("access_as_user", json!(["Admin"]), None),
        ("access_as_user", json!(["User", "Owner"]), None),
        ("access_as_user", json!(["User"]), Some("insufficient_role")),
        ("access_as_user", json!(["admin"]), Some("insufficient_role")),
        ("other", json!(["Admin"]), Some("insufficient_scope")),
    ] {
        let outcome = authorize::<Admin>(&world, |claims| {
            claims["scp"] = scp.into();
            claims["roles"] = roles.clone();
        })
        .await;
        assert_eq!(outcome.err().map(|rejection| rejection.code()), code, "{scp} {roles}");
    }
}

#[tokio::test]
async fn a2_an_app_is_no_user_whatever_scopes_its_token_claims() {
    let world = World::new();
    let outcome = authorize::<Reader>(&world, |claims| claims["idtyp"] = "app".into()).await;
    let rejection = outcome.unwrap_err();
    assert!(matches!(rejection.refusal(), Refusal::InsufficientScope(_)), "{rejection}");
}

#[tokio::test]
async fn a_rejection_never_contains_the_token() {
    let world = World::new();
    let mut claims = world.claims();
    claims["aud"] = "x".repeat(500).into();
    let token = token(&claims);
    let rejection = world.validator.validate(&token).await.unwrap_err();
    let shown =
        format!("{rejection} {rejection:?} {:?}", rejection.headers(world.validator.challenge()));
    for part in token.split('.') {
        assert!(!shown.contains(part), "{shown}");
    }
    assert!(shown.len() < 2_000, "{}", shown.len());
}

async fn authorize<P: Policy>(
    world: &World,
    change: impl FnOnce(&mut Value),
) -> Result<P::Caller, Rejection> {
    let mut claims = world.claims();
    change(&mut claims);
    let bearer = format!("Bearer {}", token(&claims)).parse().unwrap();
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    world.validator.authorize::<P>(&headers).await
}
