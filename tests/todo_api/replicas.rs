//! Several servers on the same PostgreSQL database, behind nginx. Servers go down and come back
//! under load.

use futures_util::future::join_all;
use reqwest::Method;

use crate::support::{
    App, Database, Launch, Program, Proxy, RetryLoad, TestClock, Tool, free_ports, require,
    test_name,
};

#[tokio::test]
async fn one_of_two_servers_may_crash_and_restart_under_load() {
    crash_and_restart::<2>(test_name!()).await;
}

#[tokio::test]
async fn one_of_four_servers_may_crash_and_restart_under_load() {
    crash_and_restart::<4>(test_name!()).await;
}

const RESTARTS: usize = 20;

/// Unlike a crash, a restart is announced, so no request fails, and none is repeated.
#[tokio::test]
async fn twenty_restarts_under_load_fail_no_request() {
    let name = test_name!();
    let Some([nginx, _]) = require(name, [Tool::Nginx, Tool::Postgres]) else { return };
    let Some(database) = Database::postgres(name).await else { return };
    let app = App::start_on(database.clone(), TestClock::real(), |same| same).await;
    let ports = free_ports::<2>();
    let launches = ports.map(|port| {
        Launch::serve(app.tenant.base_url())
            .with("PORT", port.to_string())
            .with("DATABASE_URL", database.url())
            .with("DRAIN_TIMEOUT", "5")
    });
    let mut servers = join_all(launches.map(Program::launch)).await;
    let proxy = Proxy::start(&nginx, &ports).await;
    let load = RetryLoad::new(format!("{}/todoitems", proxy.url), app.token("uma").await);
    let events = async {
        for restart in 0..RESTARTS {
            load.more_writes(10).await;
            let server = &mut servers[restart % 2];
            assert!(server.stop("TERM").await.success());
            server.restart().await;
        }
        load.more_writes(10).await;
        load.stop();
    };
    let writing = join_all((0..WRITERS).map(|writer| load.write(writer)));
    let reading = join_all((0..READERS).map(|_| load.read()));
    tokio::join!(events, writing, reading);

    assert_eq!(load.failed_writes(), [""; 0]);
    let (acknowledged, failed) = load.into_results();
    assert_eq!(failed, [""; 0]);
    let rows = database.number("SELECT count(*) FROM todos").await;
    assert_eq!(usize::try_from(rows).unwrap(), acknowledged.len());
}

const WRITERS: usize = 8;
const READERS: usize = 4;
/// Writes between one event and the next.
const WRITES: u64 = 150;

async fn crash_and_restart<const SERVERS: usize>(name: &str) {
    let Some([nginx, _]) = require(name, [Tool::Nginx, Tool::Postgres]) else { return };
    let Some(database) = Database::postgres(name).await else { return };
    // All servers use the tenant of this one.
    let app = App::start_on(database.clone(), TestClock::real(), |same| same).await;
    let ports = free_ports::<SERVERS>();
    let launches = ports.map(|port| {
        Launch::serve(app.tenant.base_url())
            .with("PORT", port.to_string())
            .with("DATABASE_URL", database.url())
    });
    // All at once, as in a rollout.
    let mut servers = join_all(launches.map(Program::launch)).await;
    let proxy = Proxy::start(&nginx, &ports).await;
    let token = app.token("uma").await;
    let load = RetryLoad::new(format!("{}/todoitems", proxy.url), token.clone());
    let events = async {
        load.more_writes(WRITES).await;
        servers[0].kill();
        load.more_writes(WRITES).await;
        servers[0].restart().await;
        load.more_writes(WRITES).await;
        // A graceful stop, as by a supervisor.
        assert!(servers[SERVERS - 1].stop("TERM").await.success());
        load.more_writes(WRITES).await;
        servers[SERVERS - 1].restart().await;
        load.more_writes(WRITES).await;
        load.stop();
    };
    let writing = join_all((0..WRITERS).map(|writer| load.write(writer)));
    let reading = join_all((0..READERS).map(|_| load.read()));
    tokio::join!(events, writing, reading);

    let (acknowledged, failed) = load.into_results();
    assert!(failed.len() <= READERS, "more reads failed than were running: {failed:?}");
    let mut ids: Vec<_> = acknowledged.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), acknowledged.len(), "two todos have the same id");
    for (id, name) in &acknowledged {
        let path = format!("/todoitems/{id}");
        let answer = app.send(Some(&token), Method::GET, &path, None).await;
        assert_eq!(answer.body["item"]["name"], *name, "{id} is lost");
    }
    // The repeated requests created nothing twice.
    let rows = database.number("SELECT count(*) FROM todos").await;
    assert_eq!(usize::try_from(rows).unwrap(), acknowledged.len());
}
