//! Agents of Microsoft Entra Agent ID: the tokens that an unmodified client gets, the policies that
//! refuse them, and what the log says.

use std::{path::Path, sync::Arc, time::Duration};

use entra_dev::{
    Directory,
    ids::{API_CLIENT_ID, CONTOSO},
};
use poem::{EndpointExt, Route};
use poem_entra::{Policy, Principal, Requirement, Settings, User, Validator, poem::Guard};
use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};
use serde_json::Value;
use todo_api::{listener::Listener, workers::Workers};

use crate::support::{
    App, Launch, Program, TestClock, Tool, client_command, free_ports, require, run, test_name,
};

const BLUEPRINT: &str = "a9000000-0000-4000-8000-000000000001";
const AGENT: &str = "a9000000-0000-4000-8000-000000000002";
const OTHER_AGENT: &str = "a9000000-0000-4000-8000-000000000003";
const AGENT_USER: &str = "a9000000-0000-4000-8000-000000000004";

/// A blueprint, two agents and the user account of the first.
const ENTRIES: &str = r#"
[[apps]]
client_id = "a9000000-0000-4000-8000-000000000001"
name = "Planning blueprint"
tenant = "Contoso"
secrets = ["blueprint-secret"]
scopes = ["ask"]

[[apps]]
client_id = "a9000000-0000-4000-8000-000000000002"
name = "Planning agent"
tenant = "Contoso"
agent_blueprint = "Planning blueprint"
permissions = { "Todo API" = ["Todos.ReadWrite.All"] }

[[apps]]
client_id = "a9000000-0000-4000-8000-000000000003"
name = "Second agent"
tenant = "Contoso"
agent_blueprint = "Planning blueprint"

[[people]]
name = "polly"
display_name = "Polly (planning agent)"
sign_in_name = "polly@contoso.example"
oid = "a9000000-0000-4000-8000-000000000004"
tenant = "Contoso"
agent_identity = "Planning agent"
"#;

#[tokio::test]
async fn msal_for_python_gets_tokens_of_agents_that_policies_tell_apart() {
    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    let clock = TestClock::real();
    let tenant = App::start_having(directory(), clock.clone(), |same| same).await.tenant;
    let [port] = free_ports();
    let launch =
        Launch::serve(tenant.base_url()).with("PORT", port.to_string()).with("LOG_FORMAT", "json");
    let mut api = Program::launch(launch).await;

    let listener = Listener::bind("localhost", 0).await.unwrap();
    let policy_url = listener.url();
    let service = OpenApiService::new(PolicyApi, "Policies about agents", "1");
    let validator = Arc::new(validator(tenant.base_url(), &clock));
    let routes = Route::new().nest("/", service).data(validator).boxed();
    let served = tokio::spawn(listener.serve(
        routes,
        Workers::current(),
        Duration::ZERO,
        std::future::pending(),
    ));

    let folder = tempfile::tempdir().unwrap();
    let mut command = client_command(&python, "agents.py", &tenant, &api.url, folder.path());
    command
        .env("POLICY_URL", policy_url)
        .env("BLUEPRINT_CLIENT_ID", BLUEPRINT)
        .env("BLUEPRINT_SECRET", "blueprint-secret")
        .env("AGENT_CLIENT_ID", AGENT)
        .env("OTHER_AGENT_CLIENT_ID", OTHER_AGENT)
        .env("AGENT_USER", "polly@contoso.example")
        .env("AGENT_USER_OID", AGENT_USER);
    let output = run(command).await;
    served.abort();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    let passed: Vec<_> = stdout.lines().filter_map(|line| line.strip_prefix("ok: ")).collect();
    let flows = ["as an app", "as its user account", "for a person", "without an agent", "refused"];
    assert_eq!(passed, flows, "{stdout}{stderr}");

    assert!(api.stop("TERM").await.success());
    let log = api.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let calls: Vec<_> = lines.filter(|line| line["operation"] == "listTodos").collect();
    assert_eq!(calls.len(), 2, "{log}");
    for line in calls {
        for (name, value) in [
            ("client", Value::from(AGENT)),
            ("agent", true.into()),
            ("agent_user", true.into()),
            ("blueprint", BLUEPRINT.into()),
        ] {
            assert_eq!(line[name], value, "{line}");
        }
    }
    assert!(!log.contains("polly") && !log.contains(AGENT_USER), "{log}");
}

/// The built-in directory with the agents. The Todo API asks for the claims about them.
fn directory() -> Directory {
    let without = r#"optional_claims = ["acct"]"#;
    let with = r#"optional_claims = ["acct", "xms_act_fct", "xms_par_app_azp", "xms_sub_fct"]"#;
    assert_eq!(Directory::EXAMPLE.matches(without).count(), 1);
    let directory = Directory::EXAMPLE.replace(without, with) + ENTRIES;
    Directory::parse(&directory, Path::new("")).unwrap()
}

fn validator(instance: &str, clock: &TestClock) -> Validator {
    let settings = Settings { instance: instance.into(), ..Settings::new(CONTOSO, API_CLIENT_ID) };
    Validator::builder(settings).clock(Arc::new(clock.clone())).build().unwrap()
}

poem_entra::security_scheme!(EntraId, "access_as_user" = "Act as the signed-in user.");

const ANYBODY: Requirement =
    Requirement::scope_or_app_role(&["access_as_user"], &["Todos.ReadWrite.All"]);

struct Anybody;

impl Policy for Anybody {
    type Caller = Principal;
    const REQUIRES: Requirement = ANYBODY;
}

struct NoAgents;

impl Policy for NoAgents {
    type Caller = Principal;
    const REQUIRES: Requirement = ANYBODY.and_no_agents();
}

struct HumansOnly;

impl Policy for HumansOnly {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_humans_only();
}

struct PolicyApi;

#[OpenApi]
impl PolicyApi {
    /// For agents, too
    #[oai(path = "/anybody", method = "get")]
    async fn anybody(&self, _caller: Guard<EntraId, Anybody>) -> PlainText<&'static str> {
        PlainText("anybody")
    }

    /// Not for agents, and not for their user accounts
    #[oai(path = "/no-agents", method = "get")]
    async fn no_agents(&self, _caller: Guard<EntraId, NoAgents>) -> PlainText<&'static str> {
        PlainText("no agent")
    }

    /// For people, through whichever app
    #[oai(path = "/humans-only", method = "get")]
    async fn humans_only(&self, _caller: Guard<EntraId, HumansOnly>) -> PlainText<&'static str> {
        PlainText("human")
    }
}
