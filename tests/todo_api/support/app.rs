//! A real server with a real development tenant, and the requests that tests send to it.

use std::{future::pending, sync::Arc, time::Instant};

use entra_dev::{DevTenant, Directory};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use todo_api::{
    config::{Config, Environment},
    listener::{Listener, Stop},
    server::{Server, StartError},
    workers::Workers,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

use super::{Answer, Database, GIVE_UP_AFTER, TestClock, client, sign_in::start_tenant};

/// A server and its tenant. Dropping it stops both.
pub(crate) struct App {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) clock: TestClock,
    pub(crate) tenant: Arc<DevTenant>,
    database: Database,
    stop: Option<oneshot::Sender<Stop>>,
    served: Option<JoinHandle<()>>,
}

impl App {
    /// Starts with the settings of `serve --dev` and a new SQLite database.
    pub(crate) async fn start() -> Self {
        Self::start_with(|environment| environment).await
    }

    /// Starts with some settings changed.
    pub(crate) async fn start_with(change: impl FnOnce(Environment) -> Environment) -> Self {
        Self::start_at(TestClock::default(), change).await
    }

    /// Starts with this clock: [`TestClock::real`] if programs with the real clock take part.
    pub(crate) async fn start_at(
        clock: TestClock,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        Self::start_on(Database::sqlite(), clock, change).await
    }

    /// Starts with this database.
    pub(crate) async fn on(database: Database) -> Self {
        Self::start_on(database, TestClock::default(), |environment| environment).await
    }

    /// Starts with this database and a timeout of a second for it.
    pub(crate) async fn with_short_timeout(database: Database) -> Self {
        let change = |environment: Environment| environment.with("DATABASE_TIMEOUT", "1");
        Self::start_on(database, TestClock::default(), change).await
    }

    /// Starts with this directory of people and apps, and some settings changed.
    pub(crate) async fn start_having(
        directory: Directory,
        clock: TestClock,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        let tenant = Arc::new(start_tenant(directory, &clock).await);
        Self::start_with_tenant(tenant, Database::sqlite(), clock, change).await
    }

    /// Starts with another authority, which `authority` starts, given the URL of the tenant, and
    /// with some settings changed.
    pub(crate) async fn start_before(
        authority: impl AsyncFnOnce(&str) -> String,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        let clock = TestClock::default();
        let tenant = Arc::new(start_tenant(Directory::default(), &clock).await);
        let instance = authority(tenant.base_url()).await;
        Self::start_with_tenant(tenant, Database::sqlite(), clock, |environment| {
            change(environment.with("AAD_INSTANCE", instance))
        })
        .await
    }

    /// Starts with this database and clock, and some settings changed.
    pub(crate) async fn start_on(
        database: Database,
        clock: TestClock,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        let tenant = Arc::new(start_tenant(Directory::default(), &clock).await);
        Self::start_with_tenant(tenant, database, clock, change).await
    }

    /// Starts another server with the same tenant and database: a replica, or, after
    /// [`App::stop`], a restart.
    pub(crate) async fn another(&self) -> Self {
        self.another_with(|same| same).await
    }

    /// The same with some settings changed.
    pub(crate) async fn another_with(
        &self,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        let (tenant, database) = (Arc::clone(&self.tenant), self.database.clone());
        Self::start_with_tenant(tenant, database, self.clock.clone(), change).await
    }

    /// Assembles another server with the same tenant and database, but does not run it.
    pub(crate) async fn assemble_another(&self) -> Server {
        let environment = environment(&self.database).with("AAD_INSTANCE", self.tenant.base_url());
        assemble(&environment, &self.clock).await
    }

    /// Starts with this tenant, database and clock, and some settings changed.
    pub(crate) async fn start_with_tenant(
        tenant: Arc<DevTenant>,
        database: Database,
        clock: TestClock,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        let environment = environment(&database).with("AAD_INSTANCE", tenant.base_url());
        let server = assemble(&change(environment), &clock).await;
        let url = server.url();
        let (stop, stopped) = oneshot::channel();
        let served =
            tokio::spawn(server.run(async { (stopped.await.unwrap_or(Stop::AtOnce), pending()) }));
        Self {
            url,
            client: client(),
            clock,
            tenant,
            database,
            stop: Some(stop),
            served: Some(served),
        }
    }

    /// Tells the server to stop, as SIGTERM does, and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(Stop::Announced).unwrap();
    }

    /// Stops the server gracefully, as SIGINT does, or waits until it has stopped.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap();
    }

    pub(crate) fn database(&self) -> Database {
        self.database.clone()
    }

    /// Signs this person in and sends a request with their token.
    pub(crate) async fn send_as(
        &self,
        person: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.send_with(person, method, path, &[], body).await
    }

    /// The same with more headers. Values that are not ASCII are sent as UTF-8.
    pub(crate) async fn send_with(
        &self,
        person: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let token = self.token(person).await;
        self.send_all(Some(&token), method, path, headers, body).await
    }

    /// Sends a request with this token, or without one.
    pub(crate) async fn send(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.send_all(token, method, path, &[], body).await
    }

    /// The same with more headers.
    pub(crate) async fn send_all(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.request(token, method, path);
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// A request with this token, or without one, to be completed.
    pub(crate) fn request(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
    ) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Connects to the server, for requests that no HTTP client sends.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.strip_prefix("http://").unwrap()).await.unwrap()
    }

    /// Sends these bytes and reads until the server closes the connection.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        // The server may respond and close the connection before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer::parse(&answer)
    }

    /// Creates a todo for this person and returns it.
    pub(crate) async fn create(&self, person: &str, name: &str) -> Value {
        let body = serde_json::json!({ "item": { "name": name } });
        let answer = self.send_as(person, Method::POST, "/todoitems", Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.body["item"].clone()
    }

    /// Tries to create a todo.
    pub(crate) async fn try_create(&self, token: &str, name: &str) -> Answer {
        let body = serde_json::json!({ "item": { "name": name } });
        self.send(Some(token), Method::POST, "/todoitems", Some(body)).await
    }

    /// The names of the todos on the first page of this person's list.
    pub(crate) async fn names(&self, person: &str) -> Vec<String> {
        let answer = self.send_as(person, Method::GET, "/todoitems", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The settings of `serve --dev` with a free port and this database.
fn environment(database: &Database) -> Environment {
    Environment::default()
        .with("PORT", "0")
        .with("AAD_TENANT_ID", entra_dev::ids::CONTOSO)
        .with("API_CLIENT_ID", entra_dev::ids::API_CLIENT_ID)
        .with("SWAGGER_UI_CLIENT_ID", entra_dev::ids::SWAGGER_UI_CLIENT_ID)
        .with("DATABASE_URL", database.url())
}

async fn assemble(environment: &Environment, clock: &TestClock) -> Server {
    let deadline = Instant::now() + GIVE_UP_AFTER;
    loop {
        match try_to_assemble(environment, clock).await {
            Ok(server) => return server,
            // A busy machine may need more than a second to connect to the database.
            Err(error) if is_timeout(&error) && Instant::now() < deadline => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn is_timeout(error: &StartError) -> bool {
    format!("{error:?}").contains("TimedOut")
}

async fn try_to_assemble(
    environment: &Environment,
    clock: &TestClock,
) -> Result<Server, StartError> {
    let config = Config::read(environment).unwrap();
    let listener = Listener::bind(&config.server.host, config.server.port).await.unwrap();
    let listener = listener.with_tls(config.server.tls.clone());
    Server::new(&config, listener, Workers::current(), Arc::new(clock.clone())).await
}

/// The same, parsed.
pub(crate) fn config(database: &Database) -> Config {
    Config::read(&environment(database)).unwrap()
}
