//! The API: the declaration ([`security`], [`todos`], [`health`]), what follows from it
//! ([`mod@document`], [`docs`], [`metadata`]), and the HTTP layer ([`http`]).

pub mod audit;
mod bodies;
pub mod docs;
pub mod document;
pub mod health;
pub mod http;
pub mod metadata;
pub mod security;
pub mod todos;

use std::collections::HashMap;

use poem::{IntoEndpoint, endpoint::BoxEndpoint, http::Method};
use poem_entra::poem::Operation;
use poem_openapi::{
    ContactObject, ExternalDocumentObject, LicenseObject, OpenApi, OpenApiService, ServerObject,
    registry::{MetaApi, Registry},
};
use serde_json::Value;

use self::{
    document::DocumentSettings,
    health::HealthApi,
    http::{methods::WithAllow, pages::Pages},
    todos::TodosApi,
};

/// All operations.
type Operations = WithAllow<(TodosApi, HealthApi, Pages)>;

/// The endpoint of all paths: the operations, at the paths in the document, and the pages.
pub fn endpoint(todos: TodosApi, health: HealthApi, pages: Pages) -> BoxEndpoint<'static> {
    OpenApiService::new(WithAllow((todos, health, pages)), TITLE, VERSION).into_endpoint()
}

/// The operations in the document, with their policies.
pub fn operations() -> Vec<Operation> {
    poem_entra::poem::operations::<Declaration>()
}

/// The published document. It needs no running server.
///
/// # Errors
///
/// If poem-openapi's document is not JSON.
pub fn document(settings: &DocumentSettings) -> Result<Value, serde_json::Error> {
    let service = OpenApiService::new(Declaration, TITLE, VERSION)
        .description(description())
        .contact(ContactObject::new().name("The maintainers of the Todo API").url(REPOSITORY))
        .license(LicenseObject::new("MIT").url("https://opensource.org/license/mit"))
        .external_document(
            ExternalDocumentObject::new(REPOSITORY)
                .description("How to run the API, how to sign in, and what each error code means."),
        )
        .server(ServerObject::new(&settings.server));
    document::publish(&service.spec(), settings)
}

const TITLE: &str = "Todo API";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The `repository` in Cargo.toml.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

fn description() -> String {
    format!(
        "A todo list whose callers sign in with Microsoft Entra ID. Any signed-in user can \
         read, change and delete their own todos. {}",
        security::roles_in_words()
    )
}

/// The operations as the document needs them: only their descriptions, without endpoints.
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
