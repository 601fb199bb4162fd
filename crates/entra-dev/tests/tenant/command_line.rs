//! The program `entra-dev`.

use std::{
    fs::{self, File},
    io::Write,
    process::Stdio,
};

use entra_dev::{DevTenant, Directory, Options, ids::CONTOSO};
use reqwest::Client;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{
    Answer, EntraDev, as_json, command, free_ports, output_of, run_to_end, trusting,
};

#[tokio::test]
async fn the_printed_example_is_a_valid_directory_file() {
    let folder = tempfile::tempdir().unwrap();
    let example = run_to_end(&folder, &["--example"]).await;
    assert!(example.status.success());
    assert_eq!(String::from_utf8_lossy(&example.stdout), Directory::EXAMPLE);
    fs::write(folder.path().join("mine.toml"), &example.stdout).unwrap();
    let checked = run_to_end(&folder, &["--check", "--config", "mine.toml"]).await;
    assert!(checked.status.success(), "{}", output_of(&checked));
    let people = Directory::default().people().len();
    assert_eq!(output_of(&checked), format!("{people} people; no faults found\n"));
    let both = run_to_end(&folder, &["--example", "--check"]).await;
    assert_eq!(both.status.code(), Some(2), "{}", output_of(&both));
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "no other file is created");
}

#[tokio::test]
async fn every_fault_of_a_file_is_reported_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let faulty = Directory::EXAMPLE
        .replacen("id = \"11111111-1111-4111-8111-111111111111\"", "id = \"1\"", 1)
        .replacen("groups = [\"Sales\"]", "groups = [\"Marketing\"]", 1);
    let line_of = |text: &str| faulty.lines().position(|line| line.contains(text)).unwrap() + 1;
    let lines = [line_of("id = \"1\""), line_of("Marketing")];
    fs::write(folder.path().join("faulty.toml"), &faulty).unwrap();
    for arguments in
        [["--check", "--config", "faulty.toml"], ["--port=0", "--config", "faulty.toml"]]
    {
        let output = run_to_end(&folder, &arguments).await;
        assert_eq!(output.status.code(), Some(1));
        let text = output_of(&output);
        assert!(!text.contains("backtrace"), "{text}");
        assert!(text.contains(&format!("line {}: an id must be a GUID", lines[0])), "{text}");
        let missing = format!("line {}: there is no group \"Marketing\"", lines[1]);
        assert!(text.contains(&missing), "{text}");
    }
    let output = run_to_end(&folder, &["--check", "--config", "absent.toml"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(output_of(&output).contains("absent.toml"), "{}", output_of(&output));
}

#[tokio::test]
async fn the_number_of_people_reads_well_for_one_person() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[[tenants]]\nid = \"11111111-1111-4111-8111-111111111111\"\nname = \"Contoso\"\n\
                [[people]]\nname = \"zoe\"\ndisplay_name = \"Zoe\"\ntenant = \"Contoso\"\n\
                sign_in_name = \"zoe@contoso.example\"\n\
                oid = \"0e000000-0000-4000-8000-000000000001\"\n";
    fs::write(folder.path().join("mine.toml"), file).unwrap();
    let checked = run_to_end(&folder, &["--check", "--config", "mine.toml"]).await;
    assert_eq!(output_of(&checked), "1 person; no faults found\n");
}

#[tokio::test]
async fn the_directory_file_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let mine = as_json(Directory::EXAMPLE).replace("Ada Adler", "Anna Adler");
    fs::write(folder.path().join("people.json"), &mine).unwrap();
    let checked = run_to_end(&folder, &["--check", "--config", "people.json"]).await;
    assert!(checked.status.success(), "{}", output_of(&checked));
    let people = Directory::default().people().len();
    assert_eq!(output_of(&checked), format!("{people} people; no faults found\n"));

    let faulty =
        mine.replace("\"Sales\"", "\"Marketing\"").replacen("\"Marketing\"", "\"Sales\"", 1);
    let lines = faulty.lines().zip(1..).filter(|(line, _)| line.contains("Marketing"));
    let [(_, line)] = lines.collect::<Vec<_>>()[..] else { panic!("{faulty}") };
    fs::write(folder.path().join("faulty.JSON"), &faulty).unwrap();
    let output = run_to_end(&folder, &["--check", "--config", "faulty.JSON"]).await;
    assert_eq!(output.status.code(), Some(1));
    let missing = format!("line {line}: there is no group \"Marketing\"");
    assert!(output_of(&output).contains(&missing), "{}", output_of(&output));

    let arguments = ["--port", "0", "--https-port", "0", "--config", "people.json"];
    let program = EntraDev::start_in(folder, &arguments).await;
    assert_eq!(program.forged_claims().await["name"], "Anna Adler");
}

#[tokio::test]
async fn other_hosts_need_a_name_and_a_control_token() {
    let folder = tempfile::tempdir().unwrap();
    let named = ["--answer-to", "entra-dev"];
    let token = ["--control-token", "the-token-of-the-tests"];
    for host in ["0.0.0.0", "::", "[::]", "192.168.1.10", "10.0.0.1"] {
        for more in [&[][..], &named, &token] {
            let arguments = [&["--check", "--host", host], more].concat();
            let output = run_to_end(&folder, &arguments).await;
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            let text = output_of(&output);
            assert!(text.contains("can sign in as anybody, so --host"), "{text}");
        }
        let arguments = [&["--check", "--host", host], &named[..], &token].concat();
        let output = run_to_end(&folder, &arguments).await;
        assert!(output.status.success(), "{host}");
    }
    for host in ["example.com", ""] {
        let output = run_to_end(&folder, &["--check", "--host", host]).await;
        assert_eq!(output.status.code(), Some(2), "{host}");
    }
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]"] {
        let output = run_to_end(&folder, &["--check", "--host", host]).await;
        assert!(output.status.success(), "{host}: {}", output_of(&output));
    }
}

#[tokio::test]
async fn the_listeners_need_different_ports() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, port) in [
        (&["--port", "9000", "--https-port", "9000"][..], 9_000),
        (&["--port", "8443"], 8_443),
        (&["--https-port", "8001", "--check"], 8_001),
    ] {
        let output = run_to_end(&folder, arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = output_of(&output);
        let expected = format!("--port and --https-port are both {port}; set one of them");
        assert!(text.contains(&expected), "{text}");
    }
    let output = run_to_end(&folder, &["--check", "--port", "0", "--https-port", "0"]).await;
    assert!(output.status.success(), "{}", output_of(&output));

    let same = Options { port: 9_000, https_port: Some(9_000), ..Options::ephemeral() };
    let Err(error) = DevTenant::start_with(same).await else { panic!("it started") };
    assert!(error.to_string().starts_with("HTTP and HTTPS cannot both use the port 9000"));
}

#[tokio::test]
async fn only_a_port_in_use_is_explained_with_another_tenant() {
    let other = DevTenant::start().await.unwrap();
    let port = other.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let Err(in_use) = DevTenant::start_with(Options { port, ..Options::ephemeral() }).await else {
        panic!("it started")
    };
    let expected = format!("127.0.0.1:{port}; is another development tenant running?");
    assert!(in_use.to_string().ends_with(&expected), "{in_use}");

    // An address for documentation (RFC 5737), which no machine has.
    let foreign = Options {
        host: Some("192.0.2.1".parse().unwrap()),
        answer_to: vec!["entra-dev".parse().unwrap()],
        control_token: Some("the-token-of-the-tests".parse().unwrap()),
        ..Options::ephemeral()
    };
    let Err(foreign) = DevTenant::start_with(foreign).await else { panic!("it started") };
    assert_eq!(foreign.to_string(), "failed to listen on 192.0.2.1:0");
}

#[tokio::test]
async fn names_that_are_no_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["*", "*.example", "", "http://entra-dev", "entra-dev:8001", "localhost"] {
        let output = run_to_end(&folder, &["--check", "--answer-to", name]).await;
        assert_eq!(output.status.code(), Some(2), "{name}: {}", output_of(&output));
    }
    let arguments = ["--port", "0", "--access-token-issuer", "https://entra-dev:8443"];
    let output = run_to_end(&folder, &arguments).await;
    assert_eq!(output.status.code(), Some(1));
    let text = output_of(&output);
    assert!(text.contains("https://entra-dev:8443 has a name that the tenant does not"), "{text}");
}

#[tokio::test]
async fn a_tenant_that_others_can_reach_says_so_loudly() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(&folder);
    let arguments = ["--port=0", "--https-port=0", "--host=0.0.0.0", "--answer-to=entra-dev"];
    command.args(arguments).args(["--answer-to", "10.0.0.5"]);
    command.env("ENTRA_DEV_CONTROL_TOKEN", "short");
    let program = EntraDev::start_command(folder, command).await;
    let log = program.log();
    let also = "This tenant also answers to entra-dev, 10.0.0.5: anybody who can reach it can sign";
    assert_eq!(log.matches(also).count(), 2, "welcome and warning: {log}");
    assert!(log.contains("it listens on 0.0.0.0: other machines may reach it"), "{log}");
    assert!(log.contains("the control token is short"), "{log}");
    let client = Client::builder().no_proxy().build().unwrap();
    let page = client.get(format!("{}/_dev/audit", program.url));
    assert_eq!(Answer::of(page.bearer_auth("short")).await.status, 200);
    let help = run_to_end(&program.folder, &["--help"]).await;
    assert!(!output_of(&help).contains("short]"), "{}", output_of(&help));
}

#[tokio::test]
async fn the_health_check_asks_a_running_tenant() {
    let mut program = EntraDev::start(&["--port", "0", "--https-port", "0"]).await;
    let port = program.url.rsplit(':').next().unwrap().to_owned();
    let check = ["healthcheck", "--port", &port];
    let output = run_to_end(&program.folder, &check).await;
    assert!(output.status.success() && output_of(&output).is_empty(), "{}", output_of(&output));
    program.stop("TERM").await;
    let output = run_to_end(&program.folder, &check).await;
    assert_eq!(output.status.code(), Some(1));
    let text = output_of(&output);
    assert!(text.contains(&format!("no development tenant answers at port {port}")), "{text}");
}

#[tokio::test]
async fn the_health_check_says_what_is_at_the_port_instead() {
    let folder = tempfile::tempdir().unwrap();
    let listen = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (silent, other) = (listen().await, listen().await);
    let check = async |listener: &TcpListener| {
        let port = listener.local_addr().unwrap().port().to_string();
        let output = run_to_end(&folder, &["healthcheck", "--port", &port]).await;
        assert_eq!(output.status.code(), Some(1));
        output_of(&output)
    };
    let answer = async {
        let (mut connection, _) = other.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
        }
        connection.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").await.unwrap();
    };
    let (of_silent, of_other, ()) = tokio::join!(check(&silent), check(&other), answer);
    assert!(of_silent.contains("it does not respond in time"), "{of_silent}");
    assert!(of_other.contains("another program answers"), "{of_other}");
}

#[tokio::test]
async fn help_explains_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_to_end(&folder, &["--help"]).await;
    assert!(output.status.success());
    let help = output_of(&output);
    for option in [
        "--config <FILE>",
        "--port <PORT>",
        "--https-port <HTTPS_PORT>",
        "--host <HOST>",
        "--access-token-issuer <ISSUER>",
        "--answer-to <NAME>",
        "--control-token <TOKEN>",
        "--for <LANGUAGE>",
        "--app <APP>",
        "healthcheck",
        "--data <FOLDER>",
        "--example",
        "--check",
        "--until-stdin-closes",
        "FOR DEVELOPMENT ONLY",
        "8001",
        "8443",
        "data/dev-tenant",
    ] {
        assert!(help.contains(option), "{help} lacks {option}");
    }
    let output = run_to_end(&folder, &["--prot", "8001"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(output_of(&output).contains("'--port'"), "{}", output_of(&output));
}

#[tokio::test]
async fn it_prints_its_urls_and_stops_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut program = EntraDev::start(&["--port", "0", "--https-port", "0"]).await;
        for shown in ["FOR DEVELOPMENT ONLY", &format!("{}/_dev", program.url)] {
            assert!(program.log().contains(shown), "{} lacks {shown}", program.log());
        }
        let ca = program.folder.path().join("data/dev-tenant/ca.pem");
        assert!(program.log().contains("data/dev-tenant/ca.pem"), "{}", program.log());
        let browser = trusting(&fs::read_to_string(ca).unwrap());
        for url in [&program.url, &program.https_url] {
            let answer = Answer::of(browser.get(url)).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains("ada@contoso.example"));
        }
        let status = program.stop(signal).await;
        assert!(status.success(), "{status}\n{}", program.log());
        assert!(!program.log().contains("poem"), "no log lines of poem: {}", program.log());
        assert!(!program.log().contains('\u{1b}'), "colours in a file: {}", program.log());
        let left = Client::builder().no_proxy().build().unwrap().get(&program.url).send().await;
        assert!(left.unwrap_err().is_connect(), "the port is closed");
    }
}

#[tokio::test]
async fn it_stops_when_standard_input_ends_if_asked_to() {
    let start = async |stdin: Stdio, arguments: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(&folder);
        command.args(["--port=0", "--https-port=0"]).args(arguments).stdin(stdin);
        EntraDev::start_command(folder, command).await
    };
    let mut program = start(Stdio::piped(), &["--until-stdin-closes"]).await;
    let mut input = program.process.stdin.take().unwrap();
    input.write_all(b"Input does not matter.\n").unwrap();
    program.wait_until_it_answers().await;
    drop(input);
    let status = program.wait_until_ended().await;
    assert!(status.success(), "{status}\n{}", program.log());
    assert!(program.log().contains("standard input has ended"), "{}", program.log());

    // Without the option, standard input does not matter.
    let mut program = start(Stdio::null(), &[]).await;
    program.wait_until_it_answers().await;
    assert!(program.stop("TERM").await.success());
    assert!(!program.log().contains("standard input"), "{}", program.log());
}

#[tokio::test]
async fn ports_people_and_folder_can_be_configured() {
    let ports = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let mine = Directory::EXAMPLE.replace("Ada Adler", "Anna Adler");
    fs::write(folder.path().join("mine.toml"), mine).unwrap();
    let [port, https_port] = ports.map(|port| port.to_string());
    let arguments = [
        "--port",
        &port,
        "--https-port",
        &https_port,
        "--config",
        "mine.toml",
        "--data",
        "kept",
        "--host",
        "127.0.0.1",
    ];
    let mut program = EntraDev::start_in(folder, &arguments).await;
    assert_eq!(program.url, format!("http://localhost:{port}"));
    assert_eq!(program.https_url, format!("https://localhost:{https_port}"));
    assert!(program.folder.path().join("kept/signing-keys.json").exists());
    let claims = program.forged_claims().await;
    assert_eq!(claims["name"], "Anna Adler");
    assert_eq!(claims["iss"], format!("http://localhost:{port}/{CONTOSO}/v2.0"));

    let second = run_to_end(&program.folder, &["--port", &port, "--https-port", "0"]).await;
    assert_eq!(second.status.code(), Some(1));
    assert!(output_of(&second).contains(&format!("127.0.0.1:{port}")), "{}", output_of(&second));
    assert!(program.stop("TERM").await.success());
}

#[tokio::test]
async fn access_tokens_can_be_issued_by_the_https_listener() {
    let arguments = ["--port", "0", "--https-port", "0", "--access-token-issuer", "https"];
    let program = EntraDev::start(&arguments).await;
    let claims = program.forged_claims().await;
    assert_eq!(claims["iss"], format!("{}/{CONTOSO}/v2.0", program.https_url));
}

#[tokio::test]
async fn an_api_can_expect_another_issuer_than_the_option_says() {
    let folder = tempfile::tempdir().unwrap();
    let api = "name = \"Todo API\"";
    let mine = Directory::EXAMPLE.replacen(api, &format!("{api}\ntoken_issuer = \"http\""), 1);
    fs::write(folder.path().join("mine.toml"), mine).unwrap();
    let arguments = ["--port", "0", "--https-port", "0", "--config", "mine.toml"];
    let arguments = [&arguments[..], &["--access-token-issuer", "https"]].concat();
    let program = EntraDev::start_in(folder, &arguments).await;
    let claims = program.forged_claims().await;
    assert_eq!(claims["iss"], format!("{}/{CONTOSO}/v2.0", program.url));
}

#[tokio::test]
async fn it_serves_even_if_it_cannot_write_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let [port, https_port] = free_ports().map(|port| port.to_string());
    let full_disk = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = command(&folder);
    command.args(["--port", &port, "--https-port", &https_port]);
    let process = command.stdout(full_disk()).stderr(full_disk()).spawn().unwrap();
    let (url, https_url) = (format!("http://localhost:{port}"), String::new());
    let mut program = EntraDev { url, https_url, folder, process };
    program.wait_until_it_answers().await;
    let refused = format!("{}/{CONTOSO}/oauth2/v2.0/token", program.url);
    let client = Client::builder().no_proxy().build().unwrap();
    for _ in 0..3 {
        assert_eq!(Answer::of(client.post(&refused)).await.status, 400);
    }
    assert!(program.stop("TERM").await.success());
}
