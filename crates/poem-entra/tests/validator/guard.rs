//! What a layer around the endpoint learns from the guard, and what it can tell the guard.

use std::sync::Arc;

use http::{StatusCode, header};
use poem::{Endpoint, EndpointExt, Error, IntoEndpoint, Request, Route};
use poem_entra::{
    Policy, Principal, Requirement, User,
    poem::{CallerCheck, CallerSlot, Guard},
};
use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};

use crate::support::{World, token, token_of};

const PERSON: &str = "aaaaaaaa-0000-4000-8000-000000000001";

poem_entra::security_scheme!(EntraId, "access_as_user" = "Act as the signed-in user.");

struct Admins;

impl Policy for Admins {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Admin"]);
}

struct Operations;

#[OpenApi]
impl Operations {
    #[oai(path = "/admin", method = "get")]
    async fn admin(&self, _caller: Guard<EntraId, Admins>) -> PlainText<&'static str> {
        PlainText("in")
    }
}

#[tokio::test]
async fn a_layer_learns_who_called_even_if_the_policy_refuses_the_caller() {
    let world = World::new();
    let mut claims = world.claims();
    let unassigned = token(&claims);
    claims["roles"] = ["Admin"].as_slice().into();
    for (token, status, caller) in [
        (token(&claims), StatusCode::OK, Some(PERSON)),
        (unassigned, StatusCode::FORBIDDEN, Some(PERSON)),
        (token_of("a", 1, &claims), StatusCode::UNAUTHORIZED, None),
    ] {
        let slot = CallerSlot::default();
        let mut request = request(&token);
        request.extensions_mut().insert(slot.clone());
        assert_eq!(call(&world, request).await, status);
        assert_eq!(slot.caller().map(object_id).as_deref(), caller, "{status}");
    }
}

#[tokio::test]
async fn a_layer_can_refuse_a_caller_before_the_policy_is_evaluated() {
    let world = World::new();
    let refuse_person = CallerCheck::new(|caller| match object_id(caller) == PERSON {
        true => Err(Error::from_status(StatusCode::TOO_MANY_REQUESTS)),
        false => Ok(()),
    });
    let mut another = world.claims();
    another["oid"] = "aaaaaaaa-0000-4000-8000-000000000002".into();
    for (token, status) in [
        (token(&world.claims()), StatusCode::TOO_MANY_REQUESTS),
        (token(&another), StatusCode::FORBIDDEN),
        (token_of("a", 1, &world.claims()), StatusCode::UNAUTHORIZED),
    ] {
        let mut request = request(&token);
        request.extensions_mut().insert(refuse_person.clone());
        assert_eq!(call(&world, request).await, status);
    }
}

fn object_id(caller: &Principal) -> String {
    let Principal::User(user) = caller else { panic!("{caller:?}") };
    user.object_id().to_string()
}

fn request(token: &str) -> Request {
    let request = Request::builder().uri_str("/admin");
    request.header(header::AUTHORIZATION, format!("Bearer {token}")).finish()
}

async fn call(world: &World, request: Request) -> StatusCode {
    let service = OpenApiService::new(Operations, "Operations", "1");
    let routes = Route::new().nest("/", service).data(Arc::clone(&world.validator));
    routes.into_endpoint().get_response(request).await.status()
}
