//! How fast a tenant starts, and how much memory it needs. It runs in other people's CI.

use std::fs;

use entra_dev::ids::CONTOSO;
use reqwest::{Client, redirect};

use crate::support::{Answer, EntraDev, Form, ORIGIN, api_scope};

/// The clock ticks of `/proc` are hundredths of a second.
const FAST: u64 = 10;

/// How many starts are measured at most. Other tests may use all processors, so the processor time
/// counts, and the least of it: some systems also count the time while another program has the
/// processor. Nothing in a start waits.
const STARTS: usize = 10;

#[tokio::test]
async fn with_saved_keys_it_is_ready_after_a_tenth_of_a_second_of_work() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--port", "0", "--https-port", "0"];
    let mut program = EntraDev::start_in(folder, &arguments).await;
    let mut least = u64::MAX;
    for _ in 0..STARTS {
        program.stop("TERM").await;
        let folder = std::mem::replace(&mut program.folder, tempfile::tempdir().unwrap());
        program = EntraDev::start_in(folder, &arguments).await;
        least = least.min(ticks_until_ready(&program).await);
        if least < FAST {
            return;
        }
    }
    panic!("{least} ticks");
}

/// The processor time of the program, once it has responded.
async fn ticks_until_ready(program: &EntraDev) -> u64 {
    let client = Client::builder().no_proxy().build().unwrap();
    let metadata = format!("{}/{CONTOSO}/v2.0/.well-known/openid-configuration", program.url);
    assert_eq!(Answer::of(client.get(metadata)).await.status, 200);
    let status = fs::read_to_string(format!("/proc/{}/stat", program.process.id())).unwrap();
    // The name of the program is in parentheses; see proc_pid_stat(5).
    let fields: Vec<_> = status.rsplit_once(") ").unwrap().1.split(' ').collect();
    [11, 12].map(|index: usize| fields[index].parse::<u64>().unwrap()).iter().sum()
}

/// More than the entries that a tenant keeps of each kind: codes, sessions, refresh tokens.
const FILLED: usize = 2_100;
const MORE: usize = 2_000;
/// In KiB. If the memory grew with each sign-in, it would be three times as much.
const FLAT: u64 = 1_280;
/// In KiB. The program itself comes in addition: less than 10 MiB in a release build.
const SMALL: u64 = 10 * 1024;

#[tokio::test]
async fn memory_stays_small_and_flat_over_thousands_of_sign_ins() {
    let program = EntraDev::start(&["--port", "0", "--https-port", "0"]).await;
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
    sign_in(&client, &program.url, FILLED).await;
    let before = memory(&program);
    sign_in(&client, &program.url, MORE).await;
    let after = memory(&program);
    assert!(after < SMALL, "{after} KiB");
    assert!(after.saturating_sub(before) < FLAT, "{before} KiB, later {after} KiB");
}

/// Signs in with a new browser each time, and gets all kinds of tokens.
async fn sign_in(client: &Client, base: &str, times: usize) {
    let url = format!("{base}/{CONTOSO}/oauth2/v2.0");
    let scope = format!("openid profile offline_access {}", api_scope());
    let request = Form::authorization().with("account", "ada").with("scope", &scope);
    for _ in 0..times {
        let code = Answer::of(request.on(client.post(format!("{url}/authorize")))).await;
        let form = Form::redemption(&code.redirect_parameter("code").unwrap());
        let redeem = client.post(format!("{url}/token")).header("origin", ORIGIN);
        assert!(Answer::of(form.on(redeem)).await.json()["refresh_token"].is_string());
    }
}

/// The memory that the process has allocated, in KiB.
fn memory(program: &EntraDev) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
