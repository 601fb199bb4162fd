//! More than one server over one PostgreSQL, behind nginx: servers go and come back under load.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::{
    databases::Database,
    ports::free_ports,
    program::{Launch, Program},
    support::{App, TestClock},
    tools::{Tool, require},
};

#[tokio::test]
async fn one_of_two_servers_may_die_and_come_back_under_load() {
    let name = "replicas::one_of_two_servers_may_die_and_come_back_under_load";
    die_and_come_back::<2>(name).await;
}

#[tokio::test]
async fn one_of_four_servers_may_die_and_come_back_under_load() {
    let name = "replicas::one_of_four_servers_may_die_and_come_back_under_load";
    die_and_come_back::<4>(name).await;
}

const WRITERS: usize = 8;
const READERS: usize = 4;
/// Writes between one event and the next.
const WRITES: u64 = 150;

async fn die_and_come_back<const SERVERS: usize>(name: &str) {
    let Some([nginx, _]) = require(name, [Tool::Nginx, Tool::Postgres]) else { return };
    let Some(database) = Database::postgres(name).await else { return };
    // Its tenant is everybody's.
    let app = App::start_on(database.clone(), TestClock::real(), |same| same).await;
    let ports = free_ports::<SERVERS>();
    let launches = ports.map(|port| {
        Launch::serve(app.tenant.base_url())
            .with("PORT", port.to_string())
            .with("DATABASE_URL", database.url())
    });
    // All at once, as a roll-out would.
    let mut servers = join_all(launches.map(Program::launch)).await;
    let proxy = Proxy::start(&nginx, &ports).await;
    let load = Load {
        list: format!("{}/todoitems", proxy.url),
        token: app.token("uma").await,
        client: Client::builder().no_proxy().build().unwrap(),
        acknowledged: Mutex::default(),
        failed_reads: Mutex::default(),
        written: watch::Sender::new(0),
        over: watch::Sender::new(false),
    };
    let events = async {
        load.more_writes().await;
        servers[0].kill();
        load.more_writes().await;
        servers[0].restart().await;
        load.more_writes().await;
        // In good order, as a supervisor stops it.
        assert!(servers[SERVERS - 1].stop("TERM").await.success());
        load.more_writes().await;
        servers[SERVERS - 1].restart().await;
        load.more_writes().await;
        load.over.send_replace(true);
    };
    let writing = join_all((0..WRITERS).map(|writer| load.write(writer)));
    let reading = join_all((0..READERS).map(|_| load.read()));
    tokio::join!(events, writing, reading);

    let failed = load.failed_reads.into_inner().unwrap();
    assert!(failed.len() <= READERS, "more reads failed than were under way: {failed:?}");
    let acknowledged = load.acknowledged.into_inner().unwrap();
    let mut ids: Vec<_> = acknowledged.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), acknowledged.len(), "an id was given out twice");
    for (id, name) in &acknowledged {
        let path = format!("/todoitems/{id}");
        let answer = app.send(Some(&load.token), Method::GET, &path, None).await;
        assert_eq!(answer.body["item"]["name"], *name, "{id} is lost");
    }
    // Repeats included, nothing was made twice.
    let rows = database.number("SELECT count(*) FROM todos").await;
    assert_eq!(usize::try_from(rows).unwrap(), acknowledged.len());
}

struct Load {
    list: String,
    token: String,
    client: Client,
    acknowledged: Mutex<Vec<(i64, String)>>,
    failed_reads: Mutex<Vec<String>>,
    written: watch::Sender<u64>,
    over: watch::Sender<bool>,
}

impl Load {
    async fn more_writes(&self) {
        let target = *self.written.borrow() + WRITES;
        let mut written = self.written.subscribe();
        written.wait_for(|written| *written >= target).await.unwrap();
    }

    fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Repeats what had no answer, which the key makes safe.
    async fn write(&self, writer: usize) {
        let mut number = 0;
        while !self.is_over() {
            let name = format!("writer {writer}, item {number}");
            let deadline = Instant::now() + Duration::from_secs(30);
            let id = loop {
                assert!(Instant::now() < deadline, "nobody takes {name}");
                let request = self.client.post(&self.list).bearer_auth(&self.token);
                let request = request.header("idempotency-key", name.replace(' ', "-"));
                let body = json!({ "item": { "name": name } });
                let Ok(answer) = request.json(&body).send().await else { continue };
                if answer.status() == StatusCode::CREATED {
                    let body: Value = answer.json().await.unwrap();
                    break body["item"]["id"].as_i64().unwrap();
                }
                assert!(answer.status().is_server_error(), "{answer:?}");
            };
            self.acknowledged.lock().unwrap().push((id, name));
            self.written.send_modify(|written| *written += 1);
            number += 1;
        }
    }

    async fn read(&self) {
        while !self.is_over() {
            let request = self.client.get(format!("{}?limit=10", self.list));
            let answer = request.bearer_auth(&self.token).send().await;
            match answer {
                Ok(answer) if answer.status() == StatusCode::OK => {}
                Ok(answer) => self.failed_reads.lock().unwrap().push(answer.status().to_string()),
                Err(error) => self.failed_reads.lock().unwrap().push(error.to_string()),
            }
        }
    }
}

/// nginx on a port and in a folder of its own; dropping it kills it.
struct Proxy {
    url: String,
    process: Child,
    _folder: TempDir,
}

impl Proxy {
    async fn start(program: &Path, servers: &[u16]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port] = free_ports();
        let server = |port: &u16| format!("server 127.0.0.1:{port} max_fails=0;");
        let servers: String = servers.iter().map(server).collect();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};"))
            .concat();
        // The answers of docs/DEPLOY.md. The workers are to read the folder, which is ours alone.
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log; events {{ }}
             http {{
                 access_log off; {temporary}
                 upstream todo {{ {servers} keepalive 16; }}
                 server {{
                     listen 127.0.0.1:{port};
                     location / {{
                         proxy_pass http://todo;
                         proxy_http_version 1.1;
                         proxy_set_header Connection \"\";
                         proxy_next_upstream error timeout;
                         proxy_connect_timeout 1s;
                     }}
                 }}
             }}"
        );
        fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
        let process = command.stderr(Stdio::null()).spawn().unwrap();
        let proxy = Self { url: format!("http://127.0.0.1:{port}"), process, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(10);
        while reqwest::get(format!("{}/health", proxy.url)).await.is_err() {
            assert!(Instant::now() < deadline, "nginx does not answer");
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
