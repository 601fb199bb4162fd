//! A revoked caller gets Entra's claims challenge, and MSAL then gets a new token. The API is a small
//! one, because no operation of the Todo API revokes anybody.

use std::{path::PathBuf, sync::Arc, time::Duration};

use entra_dev::{
    Directory,
    ids::{API_CLIENT_ID, CONTOSO},
};
use poem::{EndpointExt, Route, web::Data};
use poem_entra::{Policy, Requirement, Settings, User, Validator, poem::Guard};
use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};
use todo_api::{listener::Listener, workers::Workers};

use crate::support::{App, TestClock, Tool, client_command, require, run, test_name};

#[tokio::test]
async fn msal_for_python_renews_the_token_of_a_revoked_user() {
    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    assert_renews(python, "revoked.py").await;
}

#[tokio::test]
async fn msal_for_node_renews_the_token_of_a_revoked_user() {
    let Some([node, _]) = require(test_name!(), [Tool::Node, Tool::MsalNode]) else { return };
    assert_renews(node, "revoked.mjs").await;
}

async fn assert_renews(interpreter: PathBuf, script: &str) {
    let clock = TestClock::real();
    let tenant = App::start_having(directory(), clock.clone(), |same| same).await.tenant;
    let listener = Listener::bind("localhost", 0).await.unwrap();
    let url = listener.url();
    let validator = Arc::new(validator(tenant.base_url(), &clock));
    let api = OpenApiService::new(Api, "Revoking API", "1");
    let routes = Route::new().nest("/", api).data(validator).data(clock).boxed();
    let served = tokio::spawn(listener.serve(
        routes,
        Workers::current(),
        Duration::ZERO,
        std::future::pending(),
    ));
    let folder = tempfile::tempdir().unwrap();
    let output = run(client_command(&interpreter, script, &tenant, &url, folder.path())).await;
    served.abort();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    let passed: Vec<_> = stdout.lines().filter_map(|line| line.strip_prefix("ok: ")).collect();
    assert_eq!(passed, ["with cp1", "without cp1"], "{stdout}{stderr}");
}

/// The built-in directory, in which the API also requests the capabilities of the client.
fn directory() -> Directory {
    let (without, with) = (r#"optional_claims = ["acct"]"#, r#"optional_claims = ["xms_cc"]"#);
    assert_eq!(Directory::EXAMPLE.matches(without).count(), 1);
    let directory = Directory::EXAMPLE.replace(without, with);
    Directory::parse(&directory, std::path::Path::new("")).unwrap()
}

fn validator(instance: &str, clock: &TestClock) -> Validator {
    let settings = Settings { instance: instance.into(), ..Settings::new(CONTOSO, API_CLIENT_ID) };
    Validator::builder(settings).clock(Arc::new(clock.clone())).build().unwrap()
}

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

    /// Revoke everything that the caller got before the next second, which begins now
    #[oai(path = "/revoke", method = "post")]
    async fn revoke(
        &self,
        caller: Guard<EntraId, SignedIn>,
        validator: Data<&Arc<Validator>>,
        clock: Data<&TestClock>,
    ) -> PlainText<&'static str> {
        clock.advance(1);
        validator.revoke(caller.tenant(), caller.object_id(), clock.now()).unwrap();
        PlainText("revoked")
    }
}
