//! An API with one protected operation. Set `AAD_TENANT_ID` and `API_CLIENT_ID`. To try it without
//! Entra, start the development tenant and also set `AAD_INSTANCE=http://localhost:8001`.

use std::{env, error::Error, sync::Arc};

use poem::{EndpointExt, Route, Server, listener::TcpListener};
use poem_entra::{
    Policy, Requirement, Settings, User, Validator,
    poem::{Guard, Published, publish},
};
use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};

poem_entra::security_scheme!(EntraId, "access_as_user" = "Act as the signed-in user.");

struct SignedIn;

impl Policy for SignedIn {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]);
}

struct Api;

#[OpenApi]
impl Api {
    /// Say who is calling
    #[oai(path = "/me", method = "get")]
    async fn me(&self, caller: Guard<EntraId, SignedIn>) -> PlainText<String> {
        PlainText(caller.object_id().to_string())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::new(variable("AAD_TENANT_ID"), variable("API_CLIENT_ID"));
    if !variable("AAD_INSTANCE").is_empty() {
        settings.instance = variable("AAD_INSTANCE");
    }
    let validator = Arc::new(Validator::new(&settings)?);
    validator.maintain();

    let service = OpenApiService::new(Api, "Minimal", "1.0");
    let document = publish(&service.spec(), &Published::of(&validator))?;
    println!("{}", serde_json::to_string_pretty(&document)?);

    let routes = Route::new().nest("/", service).data(validator);
    Server::new(TcpListener::bind("127.0.0.1:3000")).run(routes).await?;
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the example reads its settings from the environment")]
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
