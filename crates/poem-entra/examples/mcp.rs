//! An MCP server whose tools are for signed-in users only. Set `AAD_TENANT_ID` and `API_CLIENT_ID`;
//! for the development tenant, also `AAD_INSTANCE=http://localhost:8001`.

use std::{env, error::Error, sync::Arc};

use poem::{
    Endpoint, EndpointExt, Request, Result, Route, Server,
    endpoint::{TowerCompatExt, make_sync},
    get,
    listener::TcpListener,
    web::Json,
};
use poem_entra::{Policy, Requirement, Settings, User, Validator, poem::authorize};
use rmcp::{
    ErrorData, ServerHandler,
    handler::server::tool::Extension,
    model::{ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};

/// The only scope. Clients request it with the App ID URI before it.
const SCOPE: &str = "access_as_user";

/// Who may call the tools.
struct CallsTools;

impl Policy for CallsTools {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&[SCOPE]);
}

/// The tools.
struct Tools;

#[tool_router]
impl Tools {
    /// Say who is calling.
    #[tool]
    fn whoami(
        &self,
        Extension(request): Extension<http::request::Parts>,
    ) -> Result<String, ErrorData> {
        let caller = request.extensions.get::<User>();
        let caller = caller.ok_or_else(|| ErrorData::internal_error("no caller", None))?;
        Ok(caller.object_id().to_string())
    }
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

/// The MCP endpoint, and the metadata that tells clients where to get a token.
///
/// # Errors
///
/// If the settings are wrong, or have no `resource`.
pub fn routes(settings: &Settings) -> Result<impl Endpoint + use<>, Box<dyn Error>> {
    let validator = Arc::new(Validator::new(settings)?);
    validator.maintain();
    let metadata = validator.resource_metadata(&[SCOPE]).ok_or("there is no resource")?;

    // Every request brings its own token, so there are no sessions that another caller could join.
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false);
    let service =
        StreamableHttpService::new(|| Ok(Tools), Arc::new(NeverSessionManager::default()), config);
    let mcp = service.compat().before(|mut request: Request| async move {
        let caller = authorize::<CallsTools>(&request).await?;
        request.extensions_mut().insert(caller);
        Ok(request)
    });
    Ok(Route::new()
        .at("/mcp", mcp)
        .at(metadata.path, get(make_sync(move |_| Json(metadata.document.clone()))))
        .data(validator))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::new(variable("AAD_TENANT_ID"), variable("API_CLIENT_ID"));
    if !variable("AAD_INSTANCE").is_empty() {
        settings.instance = variable("AAD_INSTANCE");
    }
    // The URL of the endpoint is also the App ID URI, because MCP clients send it to Entra.
    let url = "http://localhost:3000/mcp";
    settings.resource = Some(url.into());
    settings.app_id_uris = vec![url.into()];
    Server::new(TcpListener::bind("localhost:3000")).run(routes(&settings)?).await?;
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the example reads its settings from the environment")]
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
