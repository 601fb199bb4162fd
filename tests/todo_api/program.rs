//! Starts and stops the real program.

use std::{collections::HashMap, fs};

use entra_dev::DevTenant;
use futures_util::future::join_all;
use reqwest::{Client, StatusCode, redirect::Policy};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{Answer, GIVE_UP_AFTER, Launch, Program, free_ports, wait_until};

#[tokio::test]
async fn a_request_is_one_log_line_without_token_name_or_path() {
    let mut program = Program::start().await;
    let token = program.todo_api(&["token", "--as", "uma"]);
    let token = token.trim();
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/todoitems?secret=in-the-query", program.url));
    let request = request.header("x-request-id", "walk-1").bearer_auth(token);
    let body = serde_json::json!({ "item": { "name": "Buy a surprise" } });
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(program.stop("TERM").await.success());

    let log = program.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("walk-1")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    for part in ["POST", "operation=createTodo", "status=201", "micros="] {
        assert!(line.contains(part), "{line} lacks {part}");
    }
    let signature = token.rsplit('.').next().unwrap();
    for secret in [signature, "Buy a surprise", "in-the-query", "\u{1b}["] {
        assert!(!log.contains(secret), "the log has {secret}");
    }
    // The output says where the docs page is and who can sign in.
    for shown in [&format!("{}/docs", program.url), "uma@contoso.example", "FOR DEVELOPMENT ONLY"] {
        assert!(log.contains(shown), "{log} lacks {shown}");
    }
    assert!(!log.contains("tls config"), "{log}");
}

/// The scope in the document is the one that the development tenant knows.
#[tokio::test]
async fn serve_dev_registers_the_api_with_its_app_id_uris() {
    let default = "api://33333333-3333-4333-8333-333333333333";
    for (setting, known, unknown) in [
        ("", default, "https://api.contoso.example"),
        ("https://api.contoso.example, api://todo", "https://api.contoso.example", default),
        ("https://api.contoso.example, api://todo", "api://todo", default),
    ] {
        let program = Program::launch(Launch::dev().with("APP_ID_URI", setting)).await;
        let document = get(&format!("{}/openapi.json", program.url)).await.text().await.unwrap();
        let first = if setting.is_empty() { default } else { "https://api.contoso.example" };
        assert!(document.contains(&format!("\"{first}/access_as_user\"")), "{document}");
        // A scope that is known needs a sign-in.
        for (uri, number) in [(known, "AADSTS50058:"), (unknown, "AADSTS500011:")] {
            let request = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("client_id", "44444444-4444-4444-8444-444444444444")
                .append_pair("redirect_uri", &format!("{}/oauth2-redirect", program.url))
                .append_pair("response_type", "code")
                .append_pair("scope", &format!("{uri}/access_as_user"))
                .append_pair("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
                .append_pair("code_challenge_method", "S256")
                .append_pair("prompt", "none")
                .finish();
            let authorize = format!("{}/common/oauth2/v2.0/authorize", program.tenant_url());
            let answer = get(&format!("{authorize}?{request}")).await;
            let location = answer.headers()["location"].to_str().unwrap().to_owned();
            assert!(location.contains(&number.replace(':', "%3A")), "{uri}: {location}");
        }
    }
}

async fn get(url: &str) -> reqwest::Response {
    let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    client.get(url).send().await.unwrap()
}

#[tokio::test]
async fn the_program_keeps_todos_and_keys_across_a_restart() {
    let mut program = Program::start().await;
    let token = program.todo_api(&["token", "--as", "uma"]);
    let client = Client::builder().no_proxy().build().unwrap();
    let body = serde_json::json!({ "item": { "name": "Walk the dog" } });
    let list = format!("{}/todoitems", program.url);
    let answer = client.post(&list).bearer_auth(token.trim()).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    // Ctrl-C stops it too.
    assert!(program.stop("INT").await.success());

    program.restart().await;
    let answer = client.get(&list).bearer_auth(token.trim()).send().await.unwrap();
    let page: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(page["items"][0]["name"], "Walk the dog", "{page}");
}

#[tokio::test]
async fn the_server_runs_if_neither_output_nor_log_can_be_written() {
    let full_disk = ["sh", "-c", "exec \"$@\" >/dev/full 2>&1", "sh"];
    let tenant = DevTenant::start().await.unwrap();
    let [port] = free_ports().map(|port| port.to_string());
    let serve = Launch::serve(tenant.base_url()).with("PORT", port);
    for launch in [Launch::dev(), serve] {
        let mut program = Program::launch(launch.through(&full_disk)).await;
        let list = format!("{}/todoitems", program.url);
        let client = Client::builder().no_proxy().build().unwrap();
        for _ in 0..3 {
            let answer = client.get(&list).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
        assert!(program.stop("TERM").await.success());
        assert_eq!(program.log(), "");
    }
}

#[tokio::test]
async fn a_blocked_log_reader_never_blocks_a_request() {
    // A pipe with a reader that never reads. It holds some hundred lines, and 2 MiB wait.
    let stuck = ["sh", "-c", "mkfifo log; exec 3<>log; exec \"$0\" \"$@\" >log 2>&1"];
    let mut program = Program::launch(Launch::dev().through(&stuck)).await;
    let client = Client::builder().no_proxy().timeout(GIVE_UP_AFTER).build().unwrap();
    let url = format!("{}/health", program.url);
    // Longer lines.
    let id = "a".repeat(128);
    join_all((0..32).map(async |_| {
        for _ in 0..400 {
            let answer = client.get(&url).header("x-request-id", &id).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }))
    .await;
    assert!(program.stop("TERM").await.success());
}

#[tokio::test]
async fn each_worker_thread_serves_a_part_of_the_connections() {
    let program = Program::launch(Launch::dev().with("WORKER_THREADS", "3")).await;
    let before = worker_threads(&program);
    assert_eq!(before.len(), 3);
    let address = program.url.trim_start_matches("http://");
    // While all six are open, each thread has two of them.
    let mut connections = join_all((0..6).map(|_| TcpStream::connect(address))).await;
    for connection in connections.iter_mut().map(|connection| connection.as_mut().unwrap()) {
        connection.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        assert_eq!(Answer::read(connection).await.status, StatusCode::OK);
    }
    // A thread waits again after it has served something.
    wait_until("each thread has served something", async || {
        worker_threads(&program).iter().all(|(thread, waits)| *waits > before[thread])
    })
    .await;
}

/// The ids of the threads that serve requests, and how many times each has waited for something.
fn worker_threads(program: &Program) -> HashMap<String, u64> {
    let threads = fs::read_dir(format!("/proc/{}/task", program.id())).unwrap();
    let statuses = threads.map(|thread| {
        let thread = thread.unwrap();
        let status = fs::read_to_string(thread.path().join("status")).unwrap();
        (thread.file_name().into_string().unwrap(), status)
    });
    let workers = statuses.filter(|(_, status)| status.starts_with("Name:\tworker\n"));
    let waits = |status: String| {
        let waits = status.lines().find_map(|it| it.strip_prefix("voluntary_ctxt_switches:\t"));
        waits.unwrap().parse().unwrap()
    };
    workers.map(|(thread, status)| (thread, waits(status))).collect()
}

#[tokio::test]
async fn a_setting_without_an_effect_is_a_warning_at_start() {
    let tenant = DevTenant::start().await.unwrap();
    let [port] = free_ports().map(|port| port.to_string());
    let launch = Launch::serve(tenant.base_url()).with("PORT", port);
    let audiences = format!("https://old.contoso.example,{}", entra_dev::ids::API_CLIENT_ID);
    let mut program = Program::launch(launch.with("API_AUDIENCE", audiences)).await;
    assert!(program.stop("TERM").await.success());
    let log = program.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    let [warning] = warnings[..] else { panic!("{log}") };
    let expected = format!(
        "API_AUDIENCE contains {:?}, which is accepted anyway",
        entra_dev::ids::API_CLIENT_ID
    );
    assert!(warning.ends_with(&expected), "{warning}");
}

#[test]
fn paste_errors_are_named_when_the_server_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::serve("login.microsoftonline.com")
        .with("API_CLIENT_ID", format!("{}\u{200b}", entra_dev::ids::API_CLIENT_ID))
        .with("SWAGGER_UI_CLIENT_ID", format!("{{{}}}", entra_dev::ids::SWAGGER_UI_CLIENT_ID));
    let shown = launch.refusal(folder.path());
    for fault in [
        "- AAD_INSTANCE has no scheme; write https://login.microsoftonline.com\n",
        "- API_CLIENT_ID contains the invisible character U+200B; remove it\n",
        "- SWAGGER_UI_CLIENT_ID is in braces; remove them\n",
    ] {
        assert!(shown.contains(fault), "{shown}");
    }
}

#[test]
fn a_variable_that_is_not_utf_8_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let broken = ["sh", "-c", r#"DATABASE_URL=$(printf 'sqlite://b\377.db') exec "$0" "$@""#];
    let shown = Launch::dev().through(&broken).refusal(folder.path());
    assert!(shown.contains("- DATABASE_URL is not UTF-8"), "{shown}");
}

#[test]
fn a_command_that_cannot_print_fails_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full_disk = ["sh", "-c", "exec \"$@\" >/dev/full", "sh"];
    let launch = Launch::dev().through(&full_disk);
    for (arguments, what) in [
        (&["token", "--as", "uma"][..], "the token"),
        (&["openapi"], "the document"),
        (&["register", "--dry-run"], "what would be done"),
        (&["register", "--dry-run", "--format", "entra-dev"], "what would be done"),
    ] {
        let output = launch.run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(&format!("Error: failed to print {what}: ")), "{said}");
    }
}

/// As in `todo-api openapi | head -1`.
#[test]
fn a_command_whose_output_is_not_read_to_the_end_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.json"), "{}").unwrap();
    for arguments in [
        &["token", "--as", "uma"][..],
        &["openapi"],
        &["completions", "bash"],
        &["man"],
        &["doctor", "--dev"],
        &["doctor", "--dev", "--json"],
        &["explain", "--dev", "e30.e30.e30"],
        &["explain", "--dev", "--json", "e30.e30.e30"],
        &["register", "--dry-run"],
        &["register", "--dry-run", "--format", "entra-dev"],
        &["--help"],
    ] {
        let launch = Launch::dev();
        let read = launch.run(folder.path(), arguments);
        let unread = launch.run_unread(folder.path(), arguments);
        assert!(!read.stdout.is_empty(), "{arguments:?}");
        assert_eq!(unread.status, read.status, "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&unread.stderr), "", "{arguments:?}");
    }
    // What follows the output still happens.
    let check = ["openapi", "--check", "--output", "old.json"];
    let unread = Launch::dev().run_unread(folder.path(), &check);
    assert_eq!(unread.status.code(), Some(1));
    let said = String::from_utf8(unread.stderr).unwrap();
    assert!(said.starts_with("Error: old.json is not up to date"), "{said}");
}
