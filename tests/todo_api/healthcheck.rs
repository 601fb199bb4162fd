//! `todo-api healthcheck`, which containers run.

use poem::{
    IntoResponse, Server,
    endpoint::make_sync,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};

use crate::support::{Launch, Program, TlsFiles, free_ports};

/// The exit code and the output.
fn healthcheck(program: &Launch, folder: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let output = program.run(folder, &[&["healthcheck"], arguments].concat());
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_says_whether_the_server_is_ready() {
    let mut program = Program::start().await;
    let ask = |arguments| healthcheck(&program.launch, program.folder.path(), arguments);
    assert_eq!(ask(&[]), (0, "ready\n".into()));
    assert_eq!(ask(&["--alive"]), (0, "alive\n".into()));
    program.stop("INT").await;
    let (code, printed) = healthcheck(&program.launch, program.folder.path(), &[]);
    assert_eq!(code, 1);
    assert!(printed.starts_with("Error: no response from http://localhost:"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_keys_is_alive_but_not_ready() {
    let [port, closed] = free_ports().map(|port| port.to_string());
    let launch = Launch::serve(&format!("http://localhost:{closed}")).with("PORT", port);
    let program = Program::spawn_new(launch);
    program.wait_for("failed to refresh the signing keys").await;
    let ask = |arguments| healthcheck(&program.launch, program.folder.path(), arguments);
    assert_eq!(ask(&["--alive"]), (0, "alive\n".into()));
    let (code, printed) = ask(&[]);
    assert_eq!(code, 1);
    let reason = "responded with 503 (code: keys_unavailable, keys: unavailable, database: ready)";
    assert!(printed.contains(reason), "{printed}");
}

/// The name in the certificate is not that of this machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_certificate_is_asked_over_tls() {
    let files = TlsFiles::new("todo.example");
    let [port, closed] = free_ports().map(|port| port.to_string());
    let launch = Launch::serve(&format!("http://localhost:{closed}")).with("PORT", port);
    let launch = launch.with("TLS_CERT", &files.certificate).with("TLS_KEY", &files.key);
    let program = Program::spawn_new(launch);
    program.wait_for("failed to refresh the signing keys").await;
    let alive = healthcheck(&program.launch, program.folder.path(), &["--alive"]);
    assert_eq!(alive, (0, "alive\n".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_on_the_port_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (status, body) in [
        (StatusCode::NOT_FOUND, ""),
        (StatusCode::OK, "<h1>Another program</h1>"),
        (StatusCode::OK, "{}"),
        (StatusCode::SERVICE_UNAVAILABLE, "\"OK\""),
    ] {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let port = acceptor.local_addr()[0].as_socket_addr().unwrap().port();
        let respond = make_sync(move |_| body.with_status(status));
        let server = tokio::spawn(Server::new_with_acceptor(acceptor).run(respond));
        let launch = Launch::default().with("PORT", port.to_string()).with("HOST", "127.0.0.1");
        for arguments in [&[][..], &["--alive"]] {
            let (code, printed) = healthcheck(&launch, folder.path(), arguments);
            let expected = format!("responded with {}, but not as this API does", status.as_u16());
            assert_eq!((code, printed.contains(&expected)), (1, true), "{printed}");
        }
        server.abort();
    }
}

#[test]
fn a_port_that_is_not_known_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::default().with("PORT", "0");
    let (code, printed) = healthcheck(&launch, folder.path(), &[]);
    assert_eq!((code, printed.contains("PORT is 0")), (1, true), "{printed}");
}
