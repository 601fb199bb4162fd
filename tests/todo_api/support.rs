//! A real server and a real development tenant on ports of their own, a clock that tests move, and
//! people who sign in over HTTP as a browser would.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use entra_dev::{DevTenant, Directory, Forgery};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect};
use serde_json::Value;
use todo_api::{
    config::{Config, Environment},
    listener::Listener,
    server::Server,
};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::databases::Database;

/// The registered redirect of the docs page; nobody needs to listen there.
const REDIRECT: &str = "http://localhost:8000/oauth2-redirect";

/// A server with its tenant; dropping it stops both.
pub(crate) struct App {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) clock: TestClock,
    pub(crate) tenant: Arc<DevTenant>,
    database: Database,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl App {
    /// With the settings of `serve --dev`.
    pub(crate) async fn start() -> Self {
        Self::start_with(|environment| environment).await
    }

    /// With settings changed.
    pub(crate) async fn start_with(change: impl FnOnce(Environment) -> Environment) -> Self {
        Self::start_at(TestClock::default(), change).await
    }

    /// With another clock: [`TestClock::real`] where others' programs have a say.
    pub(crate) async fn start_at(
        clock: TestClock,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        Self::start_on(Database::sqlite(), clock, change).await
    }

    /// With this database.
    pub(crate) async fn on(database: Database) -> Self {
        Self::start_on(database, TestClock::default(), |environment| environment).await
    }

    /// With another directory: other people, other apps.
    pub(crate) async fn start_having(directory: Directory, clock: TestClock) -> Self {
        let tenant = Arc::new(start_tenant(directory, &clock).await);
        Self::start_with_tenant(tenant, Database::sqlite(), clock, |same| same).await
    }

    /// With an authority of the test's own in front of the tenant, whose URL it is told.
    pub(crate) async fn start_before(authority: impl AsyncFnOnce(&str) -> String) -> Self {
        let clock = TestClock::default();
        let tenant = Arc::new(start_tenant(Directory::default(), &clock).await);
        let instance = authority(tenant.base_url()).await;
        Self::start_with_tenant(tenant, Database::sqlite(), clock, |environment| {
            environment.with("AAD_INSTANCE", instance)
        })
        .await
    }

    /// With everything else chosen.
    pub(crate) async fn start_on(
        database: Database,
        clock: TestClock,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        let tenant = Arc::new(start_tenant(Directory::default(), &clock).await);
        Self::start_with_tenant(tenant, database, clock, change).await
    }

    /// Another server over the same tenant and the same database: a replica, or after [`App::stop`]
    /// the same one again.
    pub(crate) async fn another(&self) -> Self {
        let (tenant, database) = (Arc::clone(&self.tenant), self.database.clone());
        Self::start_with_tenant(tenant, database, self.clock.clone(), |same| same).await
    }

    async fn start_with_tenant(
        tenant: Arc<DevTenant>,
        database: Database,
        clock: TestClock,
        change: impl FnOnce(Environment) -> Environment,
    ) -> Self {
        let environment = environment(&database).with("AAD_INSTANCE", tenant.base_url());
        let config = Config::read(&change(environment)).unwrap();
        let listener = Listener::bind(&config.server.host, config.server.port).await.unwrap();
        let server = Server::new(&config, listener, Arc::new(clock.clone())).await.unwrap();
        let url = server.url();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let client =
            Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Self { url, client, clock, tenant, database, stop: Some(stop), served: Some(served) }
    }

    /// Stops the server as SIGTERM does.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap();
    }

    pub(crate) fn database(&self) -> Database {
        self.database.clone()
    }

    /// A request as this person, who signs in first.
    pub(crate) async fn send_as(
        &self,
        person: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.send_with(person, method, path, &[], body).await
    }

    /// The same with more headers; those that are not ASCII go as UTF-8.
    pub(crate) async fn send_with(
        &self,
        person: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let token = self.token(person).await;
        let mut request = self.request(Some(&token), method, path, body);
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// A request with this token.
    pub(crate) async fn send(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        Answer::of(self.request(token, method, path, body).send().await.unwrap()).await
    }

    fn request(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request
    }

    /// The person's new todo.
    pub(crate) async fn create(&self, person: &str, name: &str) -> Value {
        let body = serde_json::json!({ "item": { "name": name } });
        let answer = self.send_as(person, Method::POST, "/todoitems", Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.body["item"].clone()
    }

    /// The names on the person's list.
    pub(crate) async fn names(&self, person: &str) -> Vec<String> {
        let answer = self.send_as(person, Method::GET, "/todoitems", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The access token that signing in on the docs page gives, by the way a browser takes:
    /// authorization code flow with PKCE (RFC 7636; verifier and challenge of its appendix B).
    pub(crate) async fn token(&self, person: &str) -> String {
        let directory = match person {
            "tia" => entra_dev::ids::FABRIKAM,
            "pia" => entra_dev::ids::CONSUMERS,
            _ => entra_dev::ids::CONTOSO,
        };
        let endpoint = format!("{}/{directory}/oauth2/v2.0", self.tenant.base_url());
        let scope = format!("api://{}/access_as_user", entra_dev::ids::API_CLIENT_ID);
        let authorize = [
            ("client_id", entra_dev::ids::SWAGGER_UI_CLIENT_ID),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", &scope),
            ("state", "state"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("account", person),
        ];
        let request = self.client.post(format!("{endpoint}/authorize")).form(&authorize);
        let response = request.send().await.unwrap();
        let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let location = url::Url::parse(&location).unwrap();
        let parameter = |name: &str| {
            let found = location.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned())
        };
        assert_eq!(parameter("state").as_deref(), Some("state"), "{location}");
        let code = parameter("code").unwrap();
        let exchange = [
            ("grant_type", "authorization_code"),
            ("client_id", entra_dev::ids::SWAGGER_UI_CLIENT_ID),
            ("redirect_uri", REDIRECT),
            ("code", &code),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ];
        let request = self.client.post(format!("{endpoint}/token")).form(&exchange);
        let request = request.header(header::ORIGIN, "http://localhost:8000");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Uma's token with claims changed, signed by the tenant all the same.
    pub(crate) fn forged(&self, change: impl FnOnce(&mut Value)) -> String {
        let now = self.clock.now();
        let mut claims = serde_json::json!({
            "aud": entra_dev::ids::API_CLIENT_ID,
            "iss": format!("{}/{}/v2.0", self.tenant.base_url(), entra_dev::ids::CONTOSO),
            "iat": now, "nbf": now, "exp": now + 3_600,
            "azp": entra_dev::ids::SWAGGER_UI_CLIENT_ID,
            "oid": "0a000000-0000-4000-8000-000000000002",
            "sub": "uma-at-the-todo-api", "tid": entra_dev::ids::CONTOSO,
            "scp": "access_as_user", "ver": "2.0",
        });
        change(&mut claims);
        self.tenant.forge(&Forgery::exactly(claims)).unwrap()
    }
}

/// What came back, with the body read as what it says it is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    /// `Null` where there is none.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned())),
        };
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts what every error has: the status, the media type, the code, the request's id.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.body["code"], code, "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        assert_eq!(self.body["type"], "about:blank", "{self:?}");
        assert_eq!(self.body["instance"], self.header("x-request-id"), "{self:?}");
        assert!(!self.header("x-request-id").is_empty(), "{self:?}");
        assert!(self.body["detail"].as_str().is_some_and(|d| !d.is_empty()), "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
    }

    /// Asserts the pointer and the text of the one field error.
    #[track_caller]
    pub(crate) fn assert_field_error(&self, pointer: &str, text: &str) {
        self.assert_problem(400, "invalid_request");
        assert_eq!(self.body["errors"][0]["pointer"], pointer, "{self:?}");
        let detail = self.body["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(text), "{detail}");
    }
}

/// Seconds that pass when a test says so.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000)))
    }
}

impl TestClock {
    /// The time at which others' programs run too; it stands still as the tests' own does.
    pub(crate) fn real() -> Self {
        Self(Arc::new(AtomicU64::new(poem_entra::Clock::now(&poem_entra::SystemClock))))
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl poem_entra::Clock for TestClock {
    fn now(&self) -> u64 {
        TestClock::now(self)
    }
}

impl entra_dev::Clock for TestClock {
    fn now(&self) -> u64 {
        TestClock::now(self)
    }
}

/// The settings of `serve --dev`, but for ports, with this database.
fn environment(database: &Database) -> Environment {
    Environment::default()
        .with("PORT", "0")
        .with("AAD_TENANT_ID", entra_dev::ids::CONTOSO)
        .with("API_CLIENT_ID", entra_dev::ids::API_CLIENT_ID)
        .with("SWAGGER_UI_CLIENT_ID", entra_dev::ids::SWAGGER_UI_CLIENT_ID)
        .with("DATABASE_URL", database.url())
}

/// The same, read.
pub(crate) fn config(database: &Database) -> Config {
    Config::read(&environment(database)).unwrap()
}

/// The tenant's folder. The signing keys are made once and shared by all tests.
pub(crate) fn tenant_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("dev-tenant")
}

async fn start_tenant(directory: Directory, clock: &TestClock) -> DevTenant {
    let options = entra_dev::Options {
        directory,
        data_dir: Some(tenant_folder()),
        spa_redirect_uris: vec![REDIRECT.into()],
        clock: Arc::new(clock.clone()),
        ..entra_dev::Options::ephemeral()
    };
    DevTenant::start_with(options).await.unwrap()
}
