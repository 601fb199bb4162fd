//! Outages of the authority, and rotations of its keys: what the server does meanwhile, and how it
//! recovers by itself.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use entra_dev::{DevTenant, Endpoint, FaultPlan, Forgery};
use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use tokio::{
    sync::watch,
    task::{JoinSet, yield_now},
    time,
};

use crate::support::{
    App, Database, Fault, FaultyAuthority, Launch, Program, TestClock, client, free_ports,
    wait_until,
};

/// Ten minutes, in seconds.
const STEP: u64 = 600;
const TWELVE_HOURS: u64 = 12 * 3_600;

#[tokio::test]
async fn with_known_keys_no_request_fails_in_12_hours_of_outage() {
    for fault in Fault::ALL {
        let authority = FaultyAuthority::new();
        let app = App::start_before(
            async |tenant| authority.start(tenant, None).await,
            |environment| environment,
        )
        .await;
        app.wait_until_ready().await;
        let before = authority.requests();
        authority.set(Some(fault)).await;
        let mut token = app.forged(|_| {});
        for _ in 0..TWELVE_HOURS / STEP {
            app.clock.advance(STEP);
            // A token that was accepted before, and a new one.
            for token in [&token, &app.forged(|_| {})] {
                let answer = app.send(Some(token), Method::GET, "/todoitems", None).await;
                assert_eq!(answer.status, StatusCode::OK, "{fault:?}: {answer:?}");
            }
            token = app.forged(|_| {});
            app.assert_ready().await;
        }
        let asked = authority.requests() - before;
        assert!(
            fault == Fault::Down || asked > 10,
            "{fault:?}: the authority got {asked} requests"
        );
        // The keys of the last refresh are trusted for a day, and no longer.
        app.clock.advance(TWELVE_HOURS + 3_600);
        let token = app.forged(|_| {});
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        answer.assert_problem(503, "keys_unavailable");
        authority.set(None).await;
        wait_until_recovered(&app).await;
    }
}

#[tokio::test]
async fn a_fault_at_the_start_causes_503_until_it_is_repaired() {
    for fault in Fault::ALL {
        let authority = FaultyAuthority::new();
        let app = App::start_before(
            async |tenant| authority.start(tenant, Some(fault)).await,
            |environment| environment,
        )
        .await;
        for _ in 0..3 {
            app.clock.advance(STEP);
            let token = app.forged(|_| {});
            let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
            answer.assert_problem(503, "keys_unavailable");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{answer:?}");
            app.readiness().await.assert_unavailable("keys_unavailable");
            let alive = app.send(None, Method::GET, "/health", None).await;
            assert_eq!(alive.status, StatusCode::OK, "{fault:?}");
        }
        authority.set(None).await;
        wait_until_recovered(&app).await;
    }
}

/// Waits until the server is ready, and then sends a request. Until then, only `/health/ready` is
/// requested, as by a load balancer.
async fn wait_until_recovered(app: &App) {
    let client = without_reuse();
    let ready = format!("{}/health/ready", app.url);
    wait_until("the server recovers by itself", async || {
        app.clock.advance(61);
        pass(Duration::from_secs(31)).await;
        client.get(&ready).send().await.unwrap().status() == StatusCode::OK
    })
    .await;
    let request = client.get(format!("{}/todoitems", app.url)).bearer_auth(app.forged(|_| {}));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

/// The server closes idle connections when the time passes, so the client must not reuse them.
fn without_reuse() -> Client {
    Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// Lets this time pass for the timers of the server.
async fn pass(time: Duration) {
    time::pause();
    time::advance(time).await;
    time::resume();
    yield_now().await;
}

#[tokio::test]
async fn a_slow_authority_delays_no_request_with_a_known_key() {
    let app = App::start().await;
    app.wait_until_ready().await;
    slow_down(&app.tenant);
    for hour in 1..=12 {
        // The refresh is due, and takes longer than this test.
        app.clock.advance(3_600);
        let token = app.forged(|_| {});
        let started = Instant::now();
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(started.elapsed() < Duration::from_secs(4), "it waited in hour {hour}");
    }
    app.assert_ready().await;
}

#[tokio::test]
async fn without_keys_a_request_waits_5_seconds_for_a_slow_authority() {
    let clock = TestClock::default();
    let tenant = start_tenant(&clock).await;
    slow_down(&tenant);
    let app = App::start_with_tenant(tenant.into(), Database::sqlite(), clock, |same| same).await;
    let client = without_reuse();
    let get = |path: &str| client.get(format!("{}{path}", app.url));
    // The fetch of the start has failed.
    pass(Duration::from_secs(6)).await;
    app.clock.advance(61);
    let request = get("/todoitems").bearer_auth(app.forged(|_| {}));
    let request = tokio::spawn(request.send());
    let mut seconds = 0;
    while !request.is_finished() {
        assert!(seconds < 60, "the request got no response");
        pass(Duration::from_secs(1)).await;
        seconds += 1;
        // Meanwhile the server responds.
        assert_eq!(get("/health").send().await.unwrap().status(), StatusCode::OK);
        assert_ne!(get("/health/ready").send().await.unwrap().status(), StatusCode::OK);
    }
    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(seconds <= 8, "it waited {seconds} seconds");
    for endpoint in [Endpoint::Metadata, Endpoint::Keys] {
        app.tenant.plan_fault(endpoint, None);
    }
    wait_until_recovered(&app).await;
}

/// Each response takes ten seconds from now on.
fn slow_down(tenant: &DevTenant) {
    for endpoint in [Endpoint::Metadata, Endpoint::Keys] {
        let mut plan = FaultPlan::default();
        plan.latency_ms = 10_000;
        tenant.plan_fault(endpoint, Some(plan));
    }
}

/// A tenant with its own keys, for tests that change them.
async fn start_tenant(clock: &TestClock) -> DevTenant {
    let mut options = entra_dev::Options::ephemeral();
    options.clock = Arc::new(clock.clone());
    DevTenant::start_with(options).await.unwrap()
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = entra_dev::Options::ephemeral();
    options.data_dir = Some(folder.path().to_owned());
    let tenant = DevTenant::start_with(options).await.unwrap();
    let https = tenant.https_url().unwrap();
    let start = |instance: &str| {
        let [port] = free_ports();
        let launch = Launch::serve(instance).with("PORT", port.to_string());
        Program::spawn_new(
            launch.with("SSL_CERT_FILE", tenant.ca_file().unwrap().to_str().unwrap()),
        )
    };
    start(https).wait_until_ready().await;
    // An address of the same server that its certificate does not name.
    let another = https.replace("localhost", "[::ffff:127.0.0.1]");
    assert_ne!(another, https);
    let program = start(&another);
    program.wait_for("failed to refresh the signing keys").await;
    let log = program.log();
    assert!(log.contains("certificate not valid for name"), "{log}");
    let ready = format!("{}/health/ready", program.url);
    let answer = client().get(ready).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// The number of clients, and of the requests of each, while the speed is measured.
const CONCURRENT: usize = 8;
const MEASURED: u32 = 25;
/// The number of requests between two rotations.
const BETWEEN_ROTATIONS: u32 = 100;
const ROTATIONS: u32 = 3;
/// The number of tokens for each key.
const TOKENS: usize = 64;

/// Keys are rotated under half of the load that this machine can bear.
#[tokio::test]
async fn rotating_keys_under_load_refuses_no_valid_token() {
    let clock = TestClock::default();
    let tenant = start_tenant(&clock).await;
    let app = App::start_with_tenant(tenant.into(), Database::sqlite(), clock, |same| same).await;
    app.wait_until_ready().await;
    let tokens = new_tokens(&app);
    let send = |token: String| {
        let request = app.client.get(format!("{}/todoitems", app.url)).bearer_auth(token);
        async move { request.send().await.unwrap().status() }
    };
    let started = Instant::now();
    join_all((0..CONCURRENT).map(async |client| {
        for served in 0..MEASURED {
            let token = &tokens[(client + served as usize) % tokens.len()];
            assert_eq!(send(token.clone()).await, StatusCode::OK);
        }
    }))
    .await;
    let per_request = started.elapsed() / (MEASURED * CONCURRENT as u32);

    let tokens = Mutex::new(tokens);
    let sent = watch::Sender::new(0);
    let is_over = AtomicBool::new(false);
    let rotating = async {
        for _ in 0..ROTATIONS {
            more(&sent, BETWEEN_ROTATIONS).await;
            // Twice, because the next key is published before it signs. So the server does not know
            // this one. The old keys are no longer published.
            app.tenant.rotate_keys(false).await.unwrap();
            app.tenant.rotate_keys(false).await.unwrap();
            // Unknown keys cause a refresh every five minutes.
            app.clock.advance(301);
            tokens.lock().unwrap().extend(new_tokens(&app));
        }
        more(&sent, BETWEEN_ROTATIONS).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let (mut requests, mut statuses) = (JoinSet::new(), Vec::new());
    let loading = async {
        let mut ticks = time::interval(2 * per_request);
        while !is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            // Other programs may have left this one less of the machine than when it was measured.
            if requests.len() >= 2 * CONCURRENT {
                statuses.push(requests.join_next().await.unwrap().unwrap());
            }
            let number = *sent.borrow() as usize;
            let token = {
                let tokens = tokens.lock().unwrap();
                // By turns one of the newest tokens and one of all.
                let newest = tokens.len() - 1 - number % TOKENS;
                tokens[if number.is_multiple_of(2) { newest } else { number % tokens.len() }]
                    .clone()
            };
            requests.spawn(send(token));
            sent.send_modify(|sent| *sent += 1);
        }
    };
    tokio::join!(rotating, loading);
    statuses.extend(requests.join_all().await);
    let refused = statuses.iter().filter(|status| **status != StatusCode::OK).count();
    assert_eq!(refused, 0, "of {} requests: {statuses:?}", statuses.len());
}

/// Waits until this many more requests are sent.
async fn more(sent: &watch::Sender<u32>, requests: u32) {
    let target = *sent.borrow() + requests;
    sent.subscribe().wait_for(|sent| *sent >= target).await.unwrap();
}

/// Tokens that are signed with the current key. They differ, so the server verifies each.
fn new_tokens(app: &App) -> Vec<String> {
    let token = |number: i64| {
        let forgery = Forgery::of("uma").expires_in(7_200 + number);
        app.tenant.forge(&forgery).unwrap()
    };
    (0..TOKENS as i64).map(token).collect()
}
