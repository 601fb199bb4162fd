//! Everything that runs during the measurements, and a single measurement.

use std::{collections::HashMap, fs, path::PathBuf, time::Duration};

use crate::{
    commits::{self, Commits},
    load::{Load, Request, Traffic},
    postgres::{Postgres, Statement},
    programs::{Peers, build_todo_api, work_folder},
    servers::Server,
    stats::{Sample, millis},
    subjects::{
        MANY,
        Subject::{self, *},
    },
    tenant::Tenant,
};

/// The number of connections, unless a row says otherwise.
pub(crate) const CONNECTIONS: u32 = 64;
/// The connections of this server to PostgreSQL, and those of pgbench.
pub(crate) const DATABASE_CONNECTIONS: u32 = 8;
/// More new tokens than a second needs, at one in a hundred requests.
const NEW_TOKENS: u64 = 2_000;

/// The variables of a server with one worker thread: the first for this server, the second for one
/// on a runtime of tokio.
const ONE_WORKER: &[(&str, &str)] = &[("WORKER_THREADS", "1"), ("TOKIO_WORKER_THREADS", "1")];

/// The number of people who create todos: each may have 10,000.
const OWNERS: u32 = 200;

pub(crate) struct Fixture {
    pub(crate) program: PathBuf,
    pub(crate) tenant: Tenant,
    /// The program with the other servers in Rust.
    peers: Option<PathBuf>,
    servers: HashMap<&'static str, Server>,
    database: Option<Database>,
    folder: PathBuf,
}

/// PostgreSQL, and the statements that this server sends to it.
struct Database {
    postgres: Postgres,
    list: Statement,
    get: Statement,
}

impl Fixture {
    /// Builds and starts what the subjects need.
    pub(crate) async fn start(subjects: &[Subject]) -> Self {
        let program = build_todo_api();
        let peers = subjects.contains(&Poem).then(Peers::build);
        println!("starting the servers");
        let tenant = Tenant::start().await;
        let mut fixture = Self {
            program,
            tenant,
            peers: peers.as_ref().map(|peers| peers.rust.clone()),
            servers: HashMap::new(),
            database: None,
            folder: work_folder("load"),
        };
        fixture.start_on_sqlite(subjects).await;
        fixture.start_on_postgres().await;
        if let Some(peers) = peers {
            fixture.start_peers(&peers).await;
        }
        fixture.check().await;
        fixture.write_tokens("one", vec![fixture.tenant.token()]);
        fixture.write_tokens("owners", fixture.tenant.tokens_of_owners(OWNERS));
        if subjects.contains(&ListManyTokens) {
            fixture.write_tokens("many", fixture.tenant.tokens(MANY));
        }
        fixture
    }

    async fn start_on_sqlite(&mut self, subjects: &[Subject]) {
        for (name, variables) in [
            ("sqlite", &[][..]),
            ("sqlite-logged", &[("RUST_LOG", "info")]),
            ("sqlite-uncached", &[("TOKEN_CACHE_ENTRIES", "0")]),
            ("sqlite-one-worker", ONE_WORKER),
            ("sqlite-create", &[]),
        ] {
            if subjects.iter().any(|subject| server_of(*subject) == Some(name)) {
                let server = Server::todo_api(&self.program, &self.tenant, name, variables).await;
                self.add(server, true).await;
            }
        }
    }

    async fn start_on_postgres(&mut self) {
        let Some(postgres) = Postgres::start() else {
            println!("PostgreSQL is left out, because it is not installed");
            return;
        };
        // A database of its own for the new todos, so that the others stay as they are.
        for name in ["postgresql", "postgresql-create"] {
            let (url, connections) = (postgres.create_database(name), DATABASE_CONNECTIONS);
            let connections = connections.to_string();
            let variables = [("DATABASE_URL", &*url), ("DATABASE_CONNECTIONS", &*connections)];
            let server = Server::todo_api(&self.program, &self.tenant, name, &variables).await;
            self.add(server, true).await;
        }
        let server = &self.servers["postgresql"];
        let list = postgres.observe(server.get("/todoitems", self.tenant.token())).await;
        let get = postgres.observe(server.get("/todoitems/1", self.tenant.token())).await;
        self.database = Some(Database { postgres, list, get });
    }

    async fn start_peers(&mut self, peers: &Peers) {
        for (name, variables) in [
            ("poem", &[][..]),
            ("poem-one-worker", ONE_WORKER),
            ("poem-openapi", &[]),
            ("poem-entra", &[]),
            ("poem-entra-uncached", &[]),
            ("actix", &[]),
            ("axum", &[]),
        ] {
            let server = Server::rust_peer(&peers.rust, &self.tenant, name, variables).await;
            self.add(server, false).await;
        }
        if let Some(server) = Server::fastapi(peers, &self.tenant).await {
            self.add(server, false).await;
        }
        if let Some(server) = Server::fastify(peers, &self.tenant).await {
            self.add(server, false).await;
        }
    }

    async fn add(&mut self, server: Server, fill: bool) {
        if fill {
            server.fill(&self.tenant).await;
        }
        self.servers.insert(server.name, server);
    }

    /// Checks that all servers answer with the same bytes.
    async fn check(&self) {
        let mut answers = Vec::new();
        for server in self.servers.values() {
            answers.push((server.name, server.check(&self.tenant).await));
        }
        let (first, expected) = &answers[0];
        for (name, answer) in &answers {
            assert_eq!(answer, expected, "{name} and {first} answer differently");
        }
    }

    fn write_tokens(&self, name: &str, tokens: Vec<String>) {
        fs::write(self.folder.join(name), tokens.join("\n") + "\n").unwrap();
    }

    /// Whether the subject can be measured on this machine.
    pub(crate) fn has(&self, subject: Subject) -> bool {
        match server_of(subject) {
            Some(name) => self.servers.contains_key(name),
            None => self.database.is_some(),
        }
    }

    pub(crate) fn measure(&self, subject: Subject, time: Duration) -> Sample {
        let database = self.database.as_ref();
        match subject {
            PgbenchList => database.unwrap().pgbench(|database| &database.list, time),
            PgbenchGet => database.unwrap().pgbench(|database| &database.get, time),
            PgList | PgGet | PgCreate => {
                let before = database.unwrap().cpu();
                let (sample, traffic) = self.send(subject, time);
                let used = database.unwrap().cpu() - before;
                let database_cpu = Some(used.as_secs_f64() * 1e6 / traffic.requests);
                Sample { database_cpu, ..sample }
            }
            _ => self.send(subject, time).0,
        }
    }

    fn send(&self, subject: Subject, time: Duration) -> (Sample, Traffic) {
        let server = &self.servers[server_of(subject).unwrap()];
        let token = self.tenant.token();
        let [one, many, new, owners] =
            ["one", "many", "new", "owners"].map(|name| self.folder.join(name));
        let request = match subject {
            Create | CreateAlone | PgCreate => Request::Create(&owners),
            ListScripted => Request::Rotate(&one),
            ListManyTokens => Request::Rotate(&many),
            ListNewTokens => {
                let number = NEW_TOKENS * time.as_secs();
                self.write_tokens("new", self.tenant.tokens(number.try_into().unwrap()));
                Request::WithNew(&one, &new)
            }
            _ => Request::Get(&token),
        };
        let path = match subject {
            Get | GetLogged | PgGet => "/todoitems/1",
            _ => "/todoitems",
        };
        let connections = if subject == CreateAlone { 1 } else { CONNECTIONS };
        let url = format!("{}{path}", server.url);
        let commits = || matches!(subject, Create | CreateAlone).then(|| commits::count(server));
        let (before, first) = (server.process.usage(), commits());
        let traffic = Load { url, connections, duration: time, request }.run();
        let (after, last) = (server.process.usage(), commits());
        server.empty_log();
        let sample = Sample {
            rate: traffic.rate,
            p50: Some(millis(traffic.p50)),
            p99: Some(millis(traffic.p99)),
            cpu: (after.cpu - before.cpu).as_secs_f64() * 1e6 / traffic.requests,
            database_cpu: None,
            memory: Some(after.memory),
            batch: first.zip(last).map(|(first, last)| traffic.requests / f64::from(last - first)),
        };
        (sample, traffic)
    }

    /// Measures the commits of the row with this sample without a server. `None` without the program
    /// that does so, or if the sample is not of a row that creates todos on SQLite.
    pub(crate) fn measure_commits(&self, sample: &Sample, time: Duration) -> Option<Commits> {
        let (peers, batch) = (self.peers.as_ref()?, sample.batch?);
        let server = self.servers.get("sqlite-create")?;
        Some(Commits::measure(&self.program, peers, server, batch, time))
    }
}

impl Database {
    fn pgbench(&self, statement: impl Fn(&Self) -> &Statement, time: Duration) -> Sample {
        let before = self.cpu();
        let rate = self.postgres.pgbench("postgresql", statement(self), DATABASE_CONNECTIONS, time);
        let cpu = (self.cpu() - before).as_secs_f64() * 1e6 / (rate * time.as_secs_f64());
        Sample { rate, p50: None, p99: None, cpu, database_cpu: None, memory: None, batch: None }
    }

    fn cpu(&self) -> Duration {
        self.postgres.process.usage().cpu
    }
}

/// The name of the server that a subject loads. `None` for pgbench, which needs none.
fn server_of(subject: Subject) -> Option<&'static str> {
    Some(match subject {
        Poem => "poem",
        PoemOneWorker => "poem-one-worker",
        PoemOpenApi => "poem-openapi",
        Guard => "poem-entra",
        GuardUncached => "poem-entra-uncached",
        List | Get | ListScripted | ListManyTokens | ListNewTokens => "sqlite",
        ListLogged | GetLogged => "sqlite-logged",
        ListUncached => "sqlite-uncached",
        ListOneWorker => "sqlite-one-worker",
        Create | CreateAlone => "sqlite-create",
        PgList | PgGet => "postgresql",
        PgCreate => "postgresql-create",
        PgbenchList | PgbenchGet => return None,
        Actix => "actix",
        Axum => "axum",
        Fastify => "fastify",
        FastApi => "fastapi",
    })
}
