//! The server as a systemd service.

use std::{fs, path::Path, process::Command};

use reqwest::StatusCode;
use todo_api::config::VARIABLES;
use tokio::{net::UnixDatagram, time::timeout};

use crate::support::{
    GIVE_UP_AFTER, Launch, Program, Tool, client, free_ports, require, test_name,
};

const UNIT: &str = "docs/todo-api.service";

#[tokio::test]
async fn systemd_is_told_when_the_server_starts_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    let [port, unused] = free_ports();
    // The service starts although the authority is down.
    let launch = Launch::serve(&format!("http://127.0.0.1:{unused}"))
        .with("PORT", port.to_string())
        .with("NOTIFY_SOCKET", socket.to_str().unwrap());
    for signal in ["TERM", "INT"] {
        let mut program = Program::spawn_new(launch.clone());
        assert_eq!(next_message(&systemd).await.trim_end(), "READY=1");
        let answer = client().get(format!("{}/health", program.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        program.send_signal(signal);
        assert_eq!(next_message(&systemd).await.trim_end(), "STOPPING=1");
        assert!(program.wait_until_ended().await.success());
        assert!(!program.log().contains("systemd"), "{}", program.log());
    }
}

#[tokio::test]
async fn systemd_is_told_when_a_reload_begins_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    let [port, unused] = free_ports();
    let launch = Launch::serve(&format!("http://127.0.0.1:{unused}"))
        .with("PORT", port.to_string())
        .with("NOTIFY_SOCKET", socket.to_str().unwrap());
    let mut program = Program::spawn_new(launch);
    assert_eq!(next_message(&systemd).await.trim_end(), "READY=1");
    program.send_signal("HUP");
    let began = next_message(&systemd).await;
    let (state, time) = began.trim_end().split_once('\n').unwrap();
    assert_eq!(state, "RELOADING=1");
    assert!(time.strip_prefix("MONOTONIC_USEC=").unwrap().parse::<u64>().unwrap() > 0, "{time}");
    assert_eq!(next_message(&systemd).await.trim_end(), "READY=1");
    assert!(program.stop("TERM").await.success());
}

/// The next message of the server to systemd.
async fn next_message(systemd: &UnixDatagram) -> String {
    let mut message = [0; 100];
    let length = timeout(GIVE_UP_AFTER, systemd.recv(&mut message));
    let length = length.await.unwrap().unwrap();
    String::from_utf8(message[..length].to_vec()).unwrap()
}

#[test]
fn the_systemd_unit_is_valid_and_hardened() {
    let Some([analyze]) = require(test_name!(), [Tool::SystemdAnalyze]) else { return };
    let unit = fs::read_to_string(UNIT).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // systemd checks that the program exists.
    let installed = unit.replace("/usr/local/bin/todo-api", env!("CARGO_BIN_EXE_todo-api"));
    assert_ne!(installed, unit);
    check(&analyze, folder.path(), &installed).unwrap();
    // A mistake, and a unit without one of the restrictions.
    let mistaken = installed.replace("ProtectClock=yes", "ProtectClock=perhaps");
    let lax = installed.replace("PrivateUsers=yes\n", "");
    for wrong in [mistaken, lax] {
        assert_ne!(wrong, installed);
        assert!(check(&analyze, folder.path(), &wrong).is_err(), "{wrong}");
    }
}

/// What systemd says against a unit.
fn check(analyze: &Path, folder: &Path, unit: &str) -> Result<(), String> {
    let file = folder.join("todo-api.service");
    fs::write(&file, unit).unwrap();
    let rating = ["security", "--offline=true", "--threshold=13", "--no-pager"];
    for arguments in [&["verify", "--man=no"][..], &rating] {
        let output = Command::new(analyze).args(arguments).arg(&file).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        // `verify` succeeds if it can ignore a line.
        if !output.status.success() || shown.contains("todo-api.service:") {
            return Err(shown + &String::from_utf8_lossy(&output.stdout));
        }
    }
    Ok(())
}

#[test]
fn systemd_waits_longer_than_the_drain_timeout() {
    let unit = fs::read_to_string(UNIT).unwrap();
    let waits = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    let drain = VARIABLES.iter().find(|variable| variable.name == "DRAIN_TIMEOUT").unwrap();
    let drain: u64 = drain.default.unwrap().parse().unwrap();
    assert!(waits.parse::<u64>().unwrap() > drain, "{waits} and {drain}");
}
