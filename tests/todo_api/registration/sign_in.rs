//! How people sign in: the Azure CLI, a code, or a token.

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    process::Command,
    sync::{Arc, Mutex},
};

use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Route, Server,
    endpoint::make_sync,
    handler,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
    post,
    web::{Data, Form, Json},
};
use serde_json::{Value, json};

use crate::{
    register::{Run, Setup},
    support::{Launch, Tool, free_ports, require, test_name},
};

/// Starts the program with this folder at the beginning of `PATH`.
const WITH_AZ: [&str; 3] = ["sh", "-c", "PATH=\"$AZ_FOLDER:$PATH\" exec \"$0\" \"$@\""];

impl Setup {
    /// With a program `az` that does this.
    fn with_az(mut self, script: &str) -> Self {
        let folder = self.folder.path().join("bin");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("az");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self.launch = Launch::default()
            .with("AZ_FOLDER", folder.to_str().unwrap())
            .with("AZ_TOKEN", self.graph.token())
            .through(&WITH_AZ);
        self
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_azure_cli_gives_a_token_for_graph_and_the_configured_tenant() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let script = r#"echo "$@" > arguments; echo "{\"accessToken\": \"$AZ_TOKEN\"}""#;
    let mut setup = setup.with_az(script);
    setup.launch = setup.launch.with("AAD_TENANT_ID", "contoso.example");
    setup.run(&["--use-az"]).assert_done();
    let arguments = fs::read_to_string(setup.folder.path().join("arguments")).unwrap();
    assert_eq!(
        arguments.trim(),
        "account get-access-token --resource-type ms-graph --output json --tenant contoso.example"
    );
    assert_eq!(setup.setting("AAD_TENANT_ID"), "contoso.example", "the same tenant by name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_that_the_command_waits_for_the_azure_cli() {
    let Some([_]) = require(test_name!(), [Tool::Script]) else { return };
    let Some(setup) = Setup::new(test_name!()).await else { return };
    // It waits until the test has seen the line. If there is none, it fails.
    let script = r#"timeout 120 cat gate && echo "{\"accessToken\": \"$AZ_TOKEN\"}""#;
    let mut setup = setup.with_az(script);
    let gate = setup.folder.path().join("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let on_a_terminal =
        ["sh", "-c", "PATH=\"$AZ_FOLDER:$PATH\" exec script -qec \"$0 $*\" /dev/null"];
    setup.launch = setup.launch.through(&on_a_terminal).with("TERM", "xterm");
    let mut process = setup.begin(&["--use-az"]);
    let stdout = process.stdout.as_mut().unwrap();
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while !shown.ends_with(b"\rwaiting for the Azure CLI, ") {
        stdout.read_exact(&mut byte).expect("the line is missing");
        shown.extend(byte);
    }
    fs::write(&gate, "").unwrap();
    let run = Run::of(&process.wait_with_output().unwrap());
    run.assert_done();
    let (before, after) = run.stdout.split_once(" s\r    ").unwrap();
    assert!(before.ends_with(|c: char| c.is_ascii_digit()), "{run:#?}");
    assert!(after.contains("\rTenant Contoso"), "{run:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_azure_cli_without_an_account_is_explained() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let setup =
        setup.with_az("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1");
    let texts = ["az login", "It said: ERROR: Please run 'az login'", "Nothing was changed."];
    setup.run(&["--use-az"]).assert_failed(&texts);
    assert_eq!(setup.graph.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_the_azure_cli_is_explained() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&["--use-az"]).assert_failed(&["the Azure CLI (az) is not installed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_to_sign_in_the_command_names_all_of_them() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    setup.launch = Launch::default();
    let run = setup.run(&[]);
    run.assert_failed(&["--use-az", "--client-id", "GRAPH_TOKEN", "--dry-run"]);
}

/// The responses of an authority to the device code flow, and the requests.
#[derive(Clone)]
struct Authority {
    answers: Arc<Mutex<Vec<Value>>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

#[handler]
fn device_code(Form(form): Form<Value>, authority: Data<&Authority>) -> Json<Value> {
    authority.requests.lock().unwrap().push(form);
    Json(json!({
        "device_code": "device", "user_code": "ABCD-EFGH", "expires_in": 900, "interval": 0,
        "verification_uri": "https://login.microsoft.com/device",
    }))
}

#[handler]
fn token(Form(form): Form<Value>, authority: Data<&Authority>) -> (StatusCode, Json<Value>) {
    authority.requests.lock().unwrap().push(form);
    let answer = authority.answers.lock().unwrap().remove(0);
    let status = match answer.get("error") {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    (status, Json(answer))
}

/// Starts an authority, and returns its URL.
async fn start(answers: &[Value]) -> (String, Authority) {
    let authority =
        Authority { answers: Arc::new(Mutex::new(answers.to_vec())), requests: Arc::default() };
    let routes = Route::new()
        .at("/:tenant/oauth2/v2.0/devicecode", post(device_code))
        .at("/:tenant/oauth2/v2.0/token", post(token))
        .data(authority.clone());
    (serve(routes).await, authority)
}

/// Serves the endpoint on a free port, and returns its URL.
async fn serve(endpoint: impl Endpoint + 'static) -> String {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].clone();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint));
    format!("http://{}", address.as_socket_addr().unwrap())
}

fn error(code: &str) -> Value {
    json!({ "error": code, "error_description": "AADSTS70000: Because.\r\nTrace ID: 1" })
}

const CLIENT: &str = "66666666-6666-4666-8666-666666666666";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_code_in_a_browser() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    let success = json!({ "access_token": setup.graph.token() });
    let (url, authority) = start(&[error("authorization_pending"), success]).await;
    setup.launch = Launch::default().with("AAD_INSTANCE", url);
    let arguments = ["--client-id", CLIENT, "--tenant", "contoso.example", "--admin-consent"];
    let run = setup.run(&arguments);
    run.assert_done();
    let shown =
        "To sign in, open https://login.microsoft.com/device and enter the code ABCD-EFGH\n";
    assert!(run.stderr.contains(shown), "{run:#?}");
    run.assert_keeps(&setup.graph.token());
    let requests = authority.requests.lock().unwrap().clone();
    let [first, ..] = &requests[..] else { panic!("{requests:?}") };
    let scope =
        ["User.Read", "Application.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All"]
            .map(|name| format!("{}/{name}", setup.graph.url()));
    assert_eq!(first["scope"], scope.join(" "));
    assert_eq!(requests.len(), 3, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_is_explained() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    for (code, expected) in [
        ("authorization_declined", "the sign-in was declined in the browser"),
        ("expired_token", "the code has expired; run the command again"),
        ("invalid_client", "set Allow public client flows to Yes"),
        ("invalid_grant", "invalid_grant AADSTS70000: Because.\n"),
    ] {
        let (url, _) = start(&[error(code)]).await;
        setup.launch = Launch::default().with("AAD_INSTANCE", url);
        let run: Run = setup.run(&["--client-id", CLIENT]);
        run.assert_failed(&["the sign-in failed: ", expected, "Nothing was changed."]);
    }
    assert_eq!(setup.graph.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_a_sign_in_with_a_code_says_what_to_check() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    let [port] = free_ports();
    setup.launch = Launch::default().with("AAD_INSTANCE", format!("http://127.0.0.1:{port}"));
    let run: Run = setup.run(&["--client-id", CLIENT]);
    run.assert_failed(&["cannot be reached", "Check the network", "HTTPS_PROXY", "Nothing was"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_never_waits_longer_than_the_code_is_valid() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    for (interval, polls) in [(0, 2), (u64::MAX - 1, 1)] {
        let requests = Arc::<Mutex<usize>>::default();
        let counter = Arc::clone(&requests);
        let answer = move |request: Request| {
            let mut requests = counter.lock().unwrap();
            *requests += 1;
            match request.uri().path().ends_with("/devicecode") {
                true => Json(json!({
                    "device_code": "device", "user_code": "ABCD-EFGH", "expires_in": 2,
                    "interval": interval, "verification_uri": "https://login.microsoft.com/device",
                }))
                .into_response(),
                false => {
                    Json(error("slow_down")).with_status(StatusCode::BAD_REQUEST).into_response()
                }
            }
        };
        let url = serve(make_sync(answer)).await;
        // A command that waits too long is ended, with another exit code.
        let launch = Launch::default().through(&["timeout", "120"]);
        setup.launch = launch.with("AAD_INSTANCE", url);
        setup.run(&["--client-id", CLIENT]).assert_failed(&["the code has expired", "Nothing was"]);
        assert_eq!(*requests.lock().unwrap(), 1 + polls);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_array_from_the_device_code_endpoint_is_not_a_code() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    let page = "https://login.microsoft.com/device";
    let url = serve(make_sync(move |_| Json(json!(["device", "ABCD-EFGH", page, 900, 0])))).await;
    setup.launch = Launch::default().with("AAD_INSTANCE", url);
    let run: Run = setup.run(&["--client-id", CLIENT]);
    let text = "the response of the device code endpoint cannot be understood";
    run.assert_failed(&[text, "Nothing was changed."]);
    assert!(!run.stderr.contains("ABCD-EFGH"), "{run:#?}");
}
