//! An API in one file: what each kind of caller may do, and where a handler sees who calls.
//! README.md says how to run it.

use std::{
    env,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use poem::{Endpoint, EndpointExt, Route, Server, endpoint::make_sync, listener::TcpListener};
use poem_entra::{
    App, Policy, Principal, Requirement, Settings, User, Validator,
    poem::{Guard, Published, publish},
};
use poem_openapi::{
    Object, OpenApi, OpenApiService,
    payload::{Json, PlainText},
};

poem_entra::security_scheme!(EntraId, "access_as_user" = "Act as the signed-in user.");

/// A person who has signed in.
struct SignedIn;

impl Policy for SignedIn {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]);
}

/// A program that acts for itself, such as a nightly job.
struct Daemon;

impl Policy for Daemon {
    type Caller = App;
    const REQUIRES: Requirement = Requirement::app_role(&["Todos.ReadWrite.All"]);
}

/// Either of them.
struct Anybody;

impl Policy for Anybody {
    type Caller = Principal;
    const REQUIRES: Requirement =
        Requirement::scope_or_app_role(&["access_as_user"], &["Todos.ReadWrite.All"]);
}

/// One run of a job.
#[derive(Debug, Clone, Object)]
struct Run {
    /// What was done.
    summary: String,
}

#[derive(Default)]
struct Api {
    runs: Mutex<Vec<Run>>,
}

#[OpenApi]
impl Api {
    /// Say who is calling
    #[oai(path = "/me", method = "get", operation_id = "getMe")]
    async fn get_me(&self, caller: Guard<EntraId, SignedIn>) -> PlainText<String> {
        PlainText(caller.object_id().to_string())
    }

    /// Record a run of a job
    #[oai(path = "/runs", method = "post", operation_id = "recordRun")]
    async fn record_run(&self, _caller: Guard<EntraId, Daemon>, run: Json<Run>) -> Json<Run> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push(run.0.clone());
        run
    }

    /// List the runs
    #[oai(path = "/runs", method = "get", operation_id = "listRuns")]
    async fn list_runs(&self, _caller: Guard<EntraId, Anybody>) -> Json<Vec<Run>> {
        Json(self.runs.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The API for this authority and app registration.
///
/// # Errors
///
/// If the settings are wrong.
pub fn routes(settings: &Settings) -> Result<impl Endpoint + use<>, Box<dyn Error>> {
    let validator = Arc::new(Validator::new(settings)?);
    // Fetches the signing keys and keeps them fresh.
    validator.maintain();
    let service = OpenApiService::new(Api::default(), "Standalone API", "1.0");
    let document = publish(&service.spec(), &Published::of(&validator))?;
    let document = make_sync(move |_| poem::web::Json(document.clone()));
    Ok(Route::new().nest("/", service).at("/openapi.json", document).data(validator))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = Settings::new(
        variable("AAD_TENANT_ID", "11111111-1111-4111-8111-111111111111"),
        variable("API_CLIENT_ID", "33333333-3333-4333-8333-333333333333"),
    );
    settings.instance = variable("AAD_INSTANCE", "http://localhost:8001");
    Server::new(TcpListener::bind("127.0.0.1:3000")).run(routes(&settings)?).await?;
    Ok(())
}

/// The environment variable, or the value for the development tenant.
#[allow(clippy::disallowed_methods, reason = "the example reads its settings from the environment")]
fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
