//! A web API that Microsoft Entra ID protects: who may call which operation, and where a handler
//! sees who calls. README.md says how to run it.

use std::sync::{Arc, Mutex, PoisonError};

use poem::{Endpoint, EndpointExt, Route, endpoint::make_sync};
use poem_entra::{
    App, Policy, Principal, Requirement, Settings, User, Validator,
    poem::{Guard, Published, publish, swagger_ui},
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

/// A person with the app role `Admin`.
struct Admin;

impl Policy for Admin {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Admin"]);
}

/// A program that acts for itself, such as a nightly job.
struct Daemon;

impl Policy for Daemon {
    type Caller = App;
    const REQUIRES: Requirement = Requirement::app_role(&["Todos.ReadWrite.All"]);
}

/// A person or a program.
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

    /// List the runs
    #[oai(path = "/runs", method = "get", operation_id = "listRuns")]
    async fn list_runs(&self, _caller: Guard<EntraId, Anybody>) -> Json<Vec<Run>> {
        Json(self.runs.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Record a run of a job
    #[oai(path = "/runs", method = "post", operation_id = "recordRun")]
    async fn record_run(&self, _caller: Guard<EntraId, Daemon>, run: Json<Run>) -> Json<Run> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).push(run.0.clone());
        run
    }

    /// Delete all runs
    #[oai(path = "/runs", method = "delete", operation_id = "deleteAllRuns")]
    async fn delete_all_runs(&self, _caller: Guard<EntraId, Admin>) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The API, its document at `/openapi.json`, and a docs page at `/docs`, where people sign in with
/// the app registration `swagger_ui_client_id`.
///
/// # Errors
///
/// If the settings are wrong.
pub fn routes(
    settings: &Settings,
    swagger_ui_client_id: &str,
) -> anyhow::Result<impl Endpoint + use<>> {
    let validator = Arc::new(Validator::new(settings)?);
    // Fetches the signing keys and keeps them fresh.
    validator.maintain();
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let service = OpenApiService::new(Api::default(), name, version);
    let document = publish(&service.spec(), &Published::of(&validator))?;
    let docs = swagger_ui(&document, swagger_ui_client_id);
    let document = make_sync(move |_| poem::web::Json(document.clone()));
    Ok(Route::new()
        .nest("/", service)
        .at("/openapi.json", document)
        .nest("/docs", docs)
        .data(validator))
}
