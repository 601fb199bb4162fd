//! A browser that keeps the session cookie.

use std::sync::Mutex;

use entra_dev::ids::CONTOSO;
use reqwest::{
    Certificate, Client, RequestBuilder, StatusCode,
    header::{COOKIE, SET_COOKIE},
    redirect,
};

use super::{Answer, Form, TestTenant};

pub(crate) struct Browser {
    client: Client,
    base_url: String,
    cookie: Mutex<Option<String>>,
}

impl Browser {
    pub(crate) fn new(tenant: &TestTenant) -> Self {
        let base_url = tenant.tenant.base_url().to_owned();
        Self { client: tenant.browser.clone(), base_url, cookie: Mutex::new(None) }
    }

    /// A browser that uses the HTTPS listener, and trusts only its certificate authority.
    pub(crate) fn over_https(tenant: &TestTenant) -> Self {
        let client = tenant.secure_browser();
        let base_url = tenant.tenant.https_url().unwrap().to_owned();
        Self { client, base_url, cookie: Mutex::new(None) }
    }

    /// The cookie as `name=value`.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    pub(crate) fn set_cookie(&self, cookie: &str) {
        *self.cookie.lock().unwrap() = Some(cookie.to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.visit(self.client.get(format!("{}{path}", self.base_url))).await
    }

    pub(crate) async fn post(&self, path: &str, form: &Form) -> Answer {
        self.visit(form.on(self.client.post(format!("{}{path}", self.base_url)))).await
    }

    /// Opens the authorization endpoint.
    pub(crate) async fn authorize(&self, tenant: &str, form: &Form) -> Answer {
        self.get(&format!("{}?{}", authorize_path(tenant), form.encoded())).await
    }

    /// Submits the form of the account page.
    pub(crate) async fn pick(&self, tenant: &str, form: &Form, account: &str) -> Answer {
        self.post(&authorize_path(tenant), &form.clone().with("account", account)).await
    }

    /// Signs in at Contoso as Swagger UI.
    pub(crate) async fn sign_in(&self, account: &str) {
        let answer = self.pick(CONTOSO, &Form::authorization(), account).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    }

    /// Sends a request with `prompt=none` to Contoso.
    pub(crate) async fn ask_silently(&self, form: &Form) -> Answer {
        self.authorize(CONTOSO, &form.clone().with("prompt", "none")).await
    }

    async fn visit(&self, mut request: RequestBuilder) -> Answer {
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        let answer = Answer::of(request).await;
        if let Some(cookie) = answer.header(SET_COOKIE.as_str()) {
            self.set_cookie(cookie.split(';').next().unwrap());
        }
        answer
    }
}

pub(crate) fn authorize_path(tenant: &str) -> String {
    format!("/{tenant}/oauth2/v2.0/authorize")
}

/// A client that trusts only this certificate authority. Its responses include the certificate of
/// the server.
pub(crate) fn trusting(ca: &str) -> Client {
    let ca = Certificate::from_pem(ca.as_bytes()).unwrap();
    let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    builder.tls_certs_only([ca]).tls_info(true).build().unwrap()
}
