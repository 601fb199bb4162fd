//! A tenant on a free port with a clock that only moves when told, and a browser to visit it with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use entra_dev::ids::{API_CLIENT_ID, CONTOSO, SWAGGER_UI_CLIENT_ID};
use entra_dev::{Clock, DevTenant, Directory, Options};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

pub(crate) const ORIGIN: &str = "http://localhost:8000";
pub(crate) const REDIRECT_URI: &str = "http://localhost:8000/oauth2-redirect";
pub(crate) const OTHER_REDIRECT_URI: &str = "http://localhost:8000/other?kept=1";
/// The example of RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const UNKNOWN_CLIENT_ID: &str = "a0000000-0000-4000-8000-000000000000";
pub(crate) const NOW: u64 = 1_795_557_600;

pub(crate) struct TestTenant {
    pub(crate) tenant: DevTenant,
    pub(crate) browser: Client,
    pub(crate) clock: Arc<TestClock>,
}

impl TestTenant {
    pub(crate) async fn start() -> Self {
        Self::start_in(shared_keys()).await
    }

    pub(crate) async fn start_in(folder: PathBuf) -> Self {
        Self::start_with(folder, Options::ephemeral()).await
    }

    /// A tenant with these people and apps beside the built-in ones.
    pub(crate) async fn start_having(entries: &str) -> Self {
        let text = format!("{}\n{entries}", Directory::EXAMPLE);
        let directory = Directory::parse(&text, Path::new("")).unwrap();
        Self::start_with(shared_keys(), Options { directory, ..Options::ephemeral() }).await
    }

    pub(crate) async fn start_with(folder: PathBuf, options: Options) -> Self {
        let spa_redirect_uris = vec![REDIRECT_URI.to_owned(), OTHER_REDIRECT_URI.to_owned()];
        let options = Options { spa_redirect_uris, ..options };
        let clock = Arc::new(TestClock(AtomicU64::new(NOW)));
        let options = Options { data_dir: Some(folder), ..options };
        let tenant =
            DevTenant::start_with(Options { clock: clock.clone(), ..options }).await.unwrap();
        let browser =
            Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Self { tenant, browser, clock }
    }

    /// The claims of a token, which nobody has verified.
    pub(crate) fn claims(token: &str) -> Value {
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.tenant.base_url())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.browser.get(self.url(path))).await
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    /// Opens the authorization endpoint of a tenant.
    pub(crate) async fn authorize(&self, tenant: &str, form: &Form) -> Answer {
        self.get(&format!("/{tenant}/oauth2/v2.0/authorize?{}", form.encoded())).await
    }

    /// Sends the account page's form.
    pub(crate) async fn pick(&self, tenant: &str, form: &Form, account: &str) -> Answer {
        let form = form.clone().with("account", account);
        let url = self.url(&format!("/{tenant}/oauth2/v2.0/authorize"));
        Answer::of(form.on(self.browser.post(url))).await
    }

    /// Signs in at Contoso, and returns the code.
    pub(crate) async fn code(&self, account: &str) -> String {
        self.code_for(CONTOSO, &Form::authorization(), account).await
    }

    pub(crate) async fn code_for(&self, tenant: &str, form: &Form, account: &str) -> String {
        let answer = self.pick(tenant, form, account).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.redirect_parameter("code").unwrap()
    }

    /// Posts to the token endpoint as a script of the registered origin.
    pub(crate) async fn redeem(&self, tenant: &str, form: &Form) -> Answer {
        Answer::of(form.on(self.token_request(tenant).header("origin", ORIGIN))).await
    }

    pub(crate) fn token_request(&self, tenant: &str) -> RequestBuilder {
        self.browser.post(self.url(&format!("/{tenant}/oauth2/v2.0/token")))
    }

    /// The whole flow at one tenant: the token response.
    pub(crate) async fn sign_in(&self, tenant: &str, form: &Form, account: &str) -> Value {
        let code = self.code_for(tenant, form, account).await;
        let answer = self.redeem(tenant, &Form::redemption(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }
}

pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// One set of keys for all tests: making them takes a good part of a second.
pub(crate) fn shared_keys() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shared-keys")
}

/// A folder of its own for one test.
pub(crate) fn new_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(uuid::Uuid::new_v4().to_string())
}

/// Parameters of a request, each of which a test can change.
#[derive(Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    /// What Swagger UI sends.
    pub(crate) fn authorization() -> Self {
        Self::empty()
            .with("response_type", "code")
            .with("client_id", SWAGGER_UI_CLIENT_ID)
            .with("redirect_uri", REDIRECT_URI)
            .with("scope", &format!("api://{API_CLIENT_ID}/access_as_user"))
            .with("state", "VHVlIE5vdiAyNA==")
            .with("code_challenge", CHALLENGE)
            .with("code_challenge_method", "S256")
    }

    pub(crate) fn redemption(code: &str) -> Self {
        Self::empty()
            .with("grant_type", "authorization_code")
            .with("code", code)
            .with("client_id", SWAGGER_UI_CLIENT_ID)
            .with("redirect_uri", REDIRECT_URI)
            .with("code_verifier", VERIFIER)
    }

    /// Sets a parameter.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Adds a parameter, even if it is there.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub(crate) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("content-type", "application/x-www-form-urlencoded").body(self.encoded())
    }
}

/// A response that has been read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn location(&self) -> Url {
        Url::parse(self.header(LOCATION.as_str()).unwrap()).unwrap()
    }

    pub(crate) fn redirect_parameter(&self, name: &str) -> Option<String> {
        let location = self.location();
        let mut pairs = location.query_pairs();
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// That this is a page saying no, with this code, and sends the browser nowhere.
    #[track_caller]
    pub(crate) fn assert_page_refusal(&self, code: u32) {
        assert_eq!(self.status, StatusCode::BAD_REQUEST, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(self.header("location"), None);
        assert!(self.body.contains(&format!("AADSTS{code}:")), "{}", self.body);
    }

    /// That this sends an error to the app, with the state.
    #[track_caller]
    pub(crate) fn assert_redirected_refusal(&self, error: &str, code: u32) {
        assert_eq!(self.status, StatusCode::FOUND, "{}", self.body);
        assert!(self.location().as_str().starts_with(REDIRECT_URI));
        assert_eq!(self.redirect_parameter("error").as_deref(), Some(error));
        let description = self.redirect_parameter("error_description").unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        assert_eq!(self.redirect_parameter("state").as_deref(), Some("VHVlIE5vdiAyNA=="));
        assert_eq!(self.redirect_parameter("code"), None);
    }

    /// That this is Entra's JSON envelope with this status, error and code.
    #[track_caller]
    pub(crate) fn assert_refusal(&self, status: u16, error: &str, code: u32) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let body = self.json();
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(body["error_codes"], serde_json::json!([code]), "{body}");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        let part = |name: &str| body[name].as_str().unwrap().to_owned();
        assert!(description.ends_with(&format!(
            " Trace ID: {} Correlation ID: {} Timestamp: {}",
            part("trace_id"),
            part("correlation_id"),
            part("timestamp"),
        )));
        assert!(part("error_uri").ends_with(&format!("/error?code={code}")));
        let mut members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let expected = [
            "correlation_id",
            "error",
            "error_codes",
            "error_description",
            "error_uri",
            "timestamp",
            "trace_id",
        ];
        assert_eq!(members, expected);
    }
}
