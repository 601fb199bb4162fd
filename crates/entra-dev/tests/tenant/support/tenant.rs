//! A tenant for one test, with a clock that only moves when told.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use entra_dev::{DevTenant, Directory, Options, Scheme, ids::CONTOSO};
use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect};
use serde_json::Value;

use super::{
    Answer, Form, ORIGIN, OTHER_REDIRECT_URI, REDIRECT_URI, TestClock, shared_keys, trusting,
};

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

    /// A tenant with additional entries in its directory.
    pub(crate) async fn start_having(entries: &str) -> Self {
        let text = format!("{}\n{entries}", Directory::EXAMPLE);
        let directory = Directory::parse(&text, Path::new("")).unwrap();
        Self::start_with(shared_keys(), Options { directory, ..Options::ephemeral() }).await
    }

    pub(crate) async fn start_with(folder: PathBuf, options: Options) -> Self {
        let spa_redirect_uris = vec![REDIRECT_URI.to_owned(), OTHER_REDIRECT_URI.to_owned()];
        let options = Options { spa_redirect_uris, ..options };
        let clock = Arc::new(TestClock::default());
        let options = Options { data_dir: Some(folder), ..options };
        let tenant =
            DevTenant::start_with(Options { clock: clock.clone(), ..options }).await.unwrap();
        let browser =
            Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Self { tenant, browser, clock }
    }

    /// The claims of a token, without verification.
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

    /// Submits the form of the account page.
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

    /// Sends a request to the token endpoint as a script of the registered origin.
    pub(crate) async fn redeem(&self, tenant: &str, form: &Form) -> Answer {
        Answer::of(form.on(self.token_request(tenant).header("origin", ORIGIN))).await
    }

    pub(crate) fn token_request(&self, tenant: &str) -> RequestBuilder {
        self.browser.post(self.url(&format!("/{tenant}/oauth2/v2.0/token")))
    }

    /// Signs in at this tenant, and returns the token response.
    pub(crate) async fn sign_in(&self, tenant: &str, form: &Form, account: &str) -> Value {
        let code = self.code_for(tenant, form, account).await;
        let answer = self.redeem(tenant, &Form::redemption(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.with_json(Method::POST, path, body)).await
    }

    pub(crate) async fn put_json(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.with_json(Method::PUT, path, body)).await
    }

    pub(crate) async fn patch_json(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.with_json(Method::PATCH, path, body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.browser.delete(self.url(path))).await
    }

    fn with_json(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let request = self.browser.request(method, self.url(path));
        request.header("content-type", "application/json").body(body.to_string())
    }

    /// Sends a form to an endpoint of Contoso, without an origin.
    pub(crate) async fn post(&self, endpoint: &str, form: &Form) -> Answer {
        let url = self.url(&format!("/{CONTOSO}/oauth2/v2.0/{endpoint}"));
        Answer::of(form.on(self.browser.post(url))).await
    }

    /// The audit trail, the newest request first.
    pub(crate) async fn audit(&self) -> Vec<Value> {
        let document = self.get_json("/_dev/audit").await;
        document["entries"].as_array().unwrap().clone()
    }

    pub(crate) fn https_url(&self, path: &str) -> String {
        format!("{}{path}", self.tenant.https_url().unwrap())
    }

    /// A client that trusts only the certificate authority of this tenant.
    pub(crate) fn secure_browser(&self) -> Client {
        trusting(self.tenant.ca_certificate().unwrap())
    }

    /// A request to this endpoint of Contoso.
    pub(crate) fn request_to(&self, endpoint: &str, query: &str) -> RequestBuilder {
        self.browser.post(self.url(&format!("/{CONTOSO}/oauth2/v2.0/{endpoint}{query}")))
    }

    /// The correlation id of the last request in the audit trail.
    pub(crate) async fn last_correlation_id(&self) -> String {
        self.audit().await[0]["correlation_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn dev_page(&self) -> String {
        let answer = self.get("/_dev").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        answer.body
    }

    /// Sends a request with an unknown client id.
    pub(crate) async fn refused_authorization(&self, client_id: &str) {
        let form = Form::authorization().with("client_id", client_id);
        self.authorize(CONTOSO, &form).await.assert_page_refusal(700_016);
    }

    /// Sends a request without parameters to an endpoint of Contoso.
    pub(crate) async fn ask(&self, endpoint: &str) -> Answer {
        match endpoint {
            "metadata" => {
                self.get(&format!("/{CONTOSO}/v2.0/.well-known/openid-configuration")).await
            }
            "keys" => self.get(&format!("/{CONTOSO}/discovery/v2.0/keys")).await,
            "instance" => self.get("/common/discovery/instance").await,
            "adminconsent" => self.get(&format!("/{CONTOSO}/v2.0/adminconsent")).await,
            "deviceauth" => self.get(&format!("/{CONTOSO}/oauth2/deviceauth")).await,
            "userinfo" => self.get("/oidc/userinfo").await,
            "token" | "devicecode" => self.post(endpoint, &Form::empty()).await,
            _ => self.get(&format!("/{CONTOSO}/oauth2/v2.0/{endpoint}")).await,
        }
    }

    pub(crate) async fn plan(&self, endpoint: &str, plan: &Value) {
        self.put_json(&format!("/_dev/faults/{endpoint}"), plan).await.assert_done();
    }

    pub(crate) async fn statuses<const N: usize>(&self, endpoint: &str) -> [u16; N] {
        let mut statuses = [0; N];
        for status in &mut statuses {
            *status = self.ask(endpoint).await.status.as_u16();
        }
        statuses
    }

    /// Forges a token over HTTP.
    pub(crate) async fn forged(&self, description: Value) -> String {
        let answer = self.post_json("/_dev/tokens", &description).await;
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.token("access_token")
    }

    /// The URL of each listener, and a client for it.
    pub(crate) fn listeners(&self) -> [(String, Client); 2] {
        [(self.url(""), self.browser.clone()), (self.https_url(""), self.secure_browser())]
    }

    pub(crate) async fn issued_by_https() -> Self {
        let options = Options { access_token_issuer: Scheme::Https.into(), ..Options::ephemeral() };
        Self::start_with(shared_keys(), options).await
    }
}
