//! poem-openapi without authentication, and with poem-entra's guard.

use std::sync::Arc;

use ::poem::{EndpointExt, IntoResponse, Response, Route, Server, listener::TcpListener};
use poem_entra::{Policy, Requirement, Settings, User, Validator, poem::Guard};
use poem_openapi::{
    ApiResponse, OpenApi, OpenApiService,
    payload::Payload,
    registry::{MetaSchemaRef, Registry},
    types::Type,
};

use super::{
    authority::Authority,
    todos::{self, Page},
};

poem_entra::security_scheme!(EntraId, "access_as_user" = "Read the user's todos.");

pub async fn serve(port: u16) -> anyhow::Result<()> {
    let service = OpenApiService::new(Open, "Todos", "1");
    let routes = Route::new().nest("/", service);
    Ok(Server::new(TcpListener::bind(("127.0.0.1", port))).run(routes).await?)
}

struct Open;

#[OpenApi]
impl Open {
    #[oai(path = "/todoitems", method = "get")]
    async fn list_todos(&self) -> Todos {
        Todos::Page(Json(todos::page()))
    }
}

pub async fn serve_guarded(port: u16, authority: Authority, cache: bool) -> anyhow::Result<()> {
    let mut settings = Settings::new(authority.tenant, authority.client_id);
    settings.instance = authority.instance;
    if !cache {
        settings.token_cache_entries = 0;
    }
    let validator = Arc::new(Validator::new(&settings)?);
    validator.maintain();
    let service = OpenApiService::new(Guarded, "Todos", "1");
    let routes = Route::new().nest("/", service).data(validator);
    Ok(Server::new(TcpListener::bind(("127.0.0.1", port))).run(routes).await?)
}

struct Guarded;

#[OpenApi]
impl Guarded {
    #[oai(path = "/todoitems", method = "get")]
    async fn list_todos(&self, _caller: Guard<EntraId, SignedIn>) -> Todos {
        Todos::Page(Json(todos::page()))
    }
}

struct SignedIn;

impl Policy for SignedIn {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]);
}

#[derive(ApiResponse)]
enum Todos {
    #[oai(status = 200)]
    Page(Json),
}

/// A payload without `charset=utf-8`, which poem-openapi's own adds to the media type.
struct Json(Page);

impl Payload for Json {
    const CONTENT_TYPE: &'static str = todos::MEDIA_TYPE;

    fn schema_ref() -> MetaSchemaRef {
        Page::schema_ref()
    }

    fn register(registry: &mut Registry) {
        Page::register(registry);
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let bytes = serde_json::to_vec(&self.0).expect("a page is valid JSON");
        Response::builder().content_type(todos::MEDIA_TYPE).body(bytes)
    }
}
