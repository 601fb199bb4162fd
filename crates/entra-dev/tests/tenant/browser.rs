//! A browser that keeps the session cookie, and what an app finds in an answer.

use std::sync::Mutex;

use entra_dev::ids::CONTOSO;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, redirect};
use url::form_urlencoded;

use crate::support::{Answer, Form, TestTenant};

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

    /// One that uses the HTTPS listener, and trusts its certificate authority and nobody else.
    pub(crate) fn over_https(tenant: &TestTenant) -> Self {
        let ca = tenant.tenant.ca_certificate().unwrap();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(ca.as_bytes()).unwrap()])
            .build()
            .unwrap();
        let base_url = tenant.tenant.https_url().unwrap().to_owned();
        Self { client, base_url, cookie: Mutex::new(None) }
    }

    /// `name=value`, as it is sent.
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

    /// Sends the account page's form.
    pub(crate) async fn pick(&self, tenant: &str, form: &Form, account: &str) -> Answer {
        self.post(&authorize_path(tenant), &form.clone().with("account", account)).await
    }

    /// Signs in at Contoso as Swagger UI.
    pub(crate) async fn sign_in(&self, account: &str) {
        let answer = self.pick(CONTOSO, &Form::authorization(), account).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    }

    /// Asks at Contoso with `prompt=none`.
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

impl Answer {
    /// A parameter that the app's script finds after the `#`.
    pub(crate) fn fragment_parameter(&self, name: &str) -> Option<String> {
        let location = self.location();
        let mut pairs = form_urlencoded::parse(location.fragment()?.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The value that a form on the page sends under this name without being asked.
    pub(crate) fn hidden_input(&self, name: &str) -> Option<String> {
        let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&start)?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    /// That this is a page of the tenant with this heading.
    #[track_caller]
    pub(crate) fn assert_page(&self, heading: &str) {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(self.header("location"), None);
        assert!(self.body.contains(&format!("<h1>{heading}</h1>")), "{}", self.body);
    }

    /// That this sends a code, and no error, to the app.
    #[track_caller]
    pub(crate) fn assert_code(&self, status: StatusCode) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.redirect_parameter("error"), None);
        assert_eq!(self.redirect_parameter("code").unwrap().len(), 43);
        assert_eq!(self.redirect_parameter("state").as_deref(), Some("VHVlIE5vdiAyNA=="));
    }
}
