//! How a test turns the knobs of a tenant, and how it looks at what came of it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use entra_dev::ids::CONTOSO;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::{Certificate, Client, Method, RequestBuilder, redirect};
use serde_json::Value;

use crate::support::{Answer, Form, TestTenant};

impl TestTenant {
    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.with_json(Method::POST, path, body)).await
    }

    pub(crate) async fn put_json(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.with_json(Method::PUT, path, body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.browser.delete(self.url(path))).await
    }

    fn with_json(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let request = self.browser.request(method, self.url(path));
        request.header("content-type", "application/json").body(body.to_string())
    }

    /// Posts a form to an endpoint of Contoso, as a program does.
    pub(crate) async fn post(&self, endpoint: &str, form: &Form) -> Answer {
        let url = self.url(&format!("/{CONTOSO}/oauth2/v2.0/{endpoint}"));
        Answer::of(form.on(self.browser.post(url))).await
    }

    /// The last requests that the audit trail has, the newest first.
    pub(crate) async fn audit(&self) -> Vec<Value> {
        let document = self.get_json("/_dev/audit").await;
        document["entries"].as_array().unwrap().clone()
    }

    pub(crate) fn https_url(&self, path: &str) -> String {
        format!("{}{path}", self.tenant.https_url().unwrap())
    }

    /// A browser that trusts the authority of this tenant and no other.
    pub(crate) fn secure_browser(&self) -> Client {
        trusting(self.tenant.ca_certificate().unwrap())
    }
}

/// A browser that trusts this authority and no other; it shows what it was shown.
pub(crate) fn trusting(ca: &str) -> Client {
    let ca = Certificate::from_pem(ca.as_bytes()).unwrap();
    let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    builder.tls_certs_only([ca]).tls_info(true).build().unwrap()
}

/// What a client of its own asks for on its own account.
pub(crate) fn on_its_own_account(client_id: &str, secret: &str, scope: &str) -> Form {
    Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", client_id)
        .with("client_secret", secret)
        .with("scope", scope)
}

/// The header of a token, which nobody has verified.
pub(crate) fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// The keys that a tenant publishes.
pub(crate) struct Published(Vec<Value>);

impl Published {
    pub(crate) async fn by(tenant: &TestTenant) -> Self {
        let document = tenant.get_json("/common/discovery/v2.0/keys").await;
        Self(document["keys"].as_array().unwrap().clone())
    }

    pub(crate) fn kids(&self) -> Vec<&str> {
        self.0.iter().map(|key| key["kid"].as_str().unwrap()).collect()
    }

    /// The issuer that the key with this id vouches for.
    pub(crate) fn issuer(&self, kid: &str) -> &str {
        let key = self.0.iter().find(|key| key["kid"] == kid).unwrap();
        key["issuer"].as_str().unwrap()
    }

    /// The id of the key that made the signature, whatever the token says of it. Found by another
    /// library than the tenant's.
    pub(crate) fn signer(&self, token: &str) -> Option<&str> {
        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_nbf = false;
        signature_only.validate_aud = false;
        let made_it = |key: &&Value| {
            let part = |name: &str| key[name].as_str().unwrap();
            let key = DecodingKey::from_rsa_components(part("n"), part("e")).unwrap();
            decode::<Value>(token, &key, &signature_only).is_ok()
        };
        self.0.iter().find(made_it).map(|key| key["kid"].as_str().unwrap())
    }
}

impl Answer {
    /// That this is a problem document with this status, whose detail says so.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, detail: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["title"], self.status.canonical_reason().unwrap());
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(detail), "{said}");
    }

    /// That it is done and there is nothing to say.
    #[track_caller]
    pub(crate) fn assert_done(&self) {
        assert_eq!((self.status.as_u16(), self.body.as_str()), (204, ""));
    }

    /// The member of a successful answer that is a token.
    #[track_caller]
    pub(crate) fn token(&self, name: &str) -> String {
        assert_eq!(self.status.as_u16(), 200, "{}", self.body);
        self.json()[name].as_str().unwrap().to_owned()
    }
}
