//! The API: what is declared ([`security`], [`todos`], [`health`]) and what is made of it
//! ([`mod@document`], [`docs`], [`metadata`], [`problem`]).

pub mod allow;
pub mod audit;
pub mod conditions;
pub mod docs;
pub mod document;
pub mod header;
pub mod health;
pub mod json;
pub mod metadata;
pub mod objects;
pub mod paging;
pub mod problem;
pub mod security;
pub mod todos;

use std::collections::HashMap;

use poem::{IntoEndpoint, endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    LicenseObject, OpenApi, OpenApiService, ServerObject,
    registry::{MetaApi, Registry},
};
use serde_json::Value;

use self::{
    allow::WithAllow, docs::RootApi, document::DocumentSettings, health::HealthApi, todos::TodosApi,
};

/// Every operation there is.
type Operations = WithAllow<(TodosApi, HealthApi, RootApi)>;

/// The operations' endpoints, on the paths that the document names.
pub fn endpoint(
    todos: TodosApi,
    health: HealthApi,
) -> impl IntoEndpoint<Endpoint = BoxEndpoint<'static>> {
    OpenApiService::new(WithAllow((todos, health, RootApi)), TITLE, VERSION)
}

/// The published document; it needs no running server.
///
/// # Errors
///
/// When what poem-openapi writes is not JSON.
pub fn document(settings: &DocumentSettings) -> Result<Value, serde_json::Error> {
    let service = OpenApiService::new(Declaration, TITLE, VERSION)
        .description(DESCRIPTION)
        .license(LicenseObject::new("MIT License").url("https://opensource.org/license/mit"))
        .server(ServerObject::new("/"));
    document::publish(&service.spec(), settings)
}

const TITLE: &str = "Todo API";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const DESCRIPTION: &str = "\
A todo list whose callers sign in with Microsoft Entra ID. Any signed-in user sees and makes their \
own todos; the app role `Admin` sees and deletes all of the tenant's.";

/// The operations as far as the document needs them: described, not served.
struct Declaration;

impl OpenApi for Declaration {
    fn meta() -> Vec<MetaApi> {
        Operations::meta()
    }

    fn register(registry: &mut Registry) {
        Operations::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
