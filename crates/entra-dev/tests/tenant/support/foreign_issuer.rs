//! An issuer other than the tenant, which an app may trust.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, Notify},
    task::JoinHandle,
};

use super::{Credential, NOW};

pub(crate) const METADATA: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys";
pub(crate) const SUBJECT: &str = "system:serviceaccount:shop:worker";
pub(crate) const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// An issuer on a free port of this machine.
pub(crate) struct ForeignIssuer {
    pub(crate) url: String,
    /// While a test holds it, requests are not answered.
    pub(crate) gate: Arc<AsyncMutex<()>>,
    arrived: Arc<Notify>,
    site: Arc<Mutex<Site>>,
    served: JoinHandle<()>,
}

#[derive(Default)]
struct Site {
    /// Status, `Location` and body by path.
    documents: HashMap<String, (u16, String, String)>,
    /// The paths that were requested.
    requests: Vec<String>,
}

impl ForeignIssuer {
    /// Publishes its metadata, and this key with the id `first`.
    pub(crate) async fn start(key: &Credential) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self::serve(listener);
        issuer.publish(METADATA, 200, &issuer.metadata().to_string());
        issuer.publish_keys(&[("first", key)]);
        issuer
    }

    fn serve(listener: TcpListener) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let site = Arc::new(Mutex::new(Site::default()));
        let (gate, arrived) = (Arc::new(AsyncMutex::new(())), Arc::new(Notify::new()));
        let shared = (Arc::clone(&site), Arc::clone(&gate), Arc::clone(&arrived));
        let served = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = shared.clone();
                let answer = service_fn(move |request: Request<_>| {
                    let (site, gate, arrived) = shared.clone();
                    let response = respond(&site, request.uri().path());
                    arrived.notify_one();
                    async move {
                        drop(gate.lock().await);
                        Ok::<_, Infallible>(response)
                    }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(connection);
            }
        });
        Self { url, gate, arrived, site, served }
    }

    pub(crate) fn metadata(&self) -> Value {
        json!({ "issuer": self.url, "jwks_uri": format!("{}{KEYS}", self.url) })
    }

    pub(crate) fn publish(&self, path: &str, status: u16, body: &str) {
        self.publish_at(path, status, "", body);
    }

    /// Publishes a redirect.
    pub(crate) fn redirect(&self, path: &str, location: &str) {
        self.publish_at(path, 302, location, "");
    }

    fn publish_at(&self, path: &str, status: u16, location: &str, body: &str) {
        let document = (status, location.to_owned(), body.to_owned());
        self.site.lock().unwrap().documents.insert(path.to_owned(), document);
    }

    pub(crate) fn publish_keys(&self, keys: &[(&str, &Credential)]) {
        let keys: Vec<_> = keys.iter().map(|(kid, key)| jwk(kid, key)).collect();
        self.publish(KEYS, 200, &json!({ "keys": keys }).to_string());
    }

    /// The number of requests for its keys.
    pub(crate) fn fetches(&self) -> usize {
        self.requests().iter().filter(|path| *path == KEYS).count()
    }

    /// The paths that were requested.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.site.lock().unwrap().requests.clone()
    }

    /// Waits until it has got more requests than this.
    pub(crate) async fn more_requests_than(&self, number: usize) {
        while self.requests().len() <= number {
            self.arrived.notified().await;
        }
    }

    /// The claims of a token that matches [`Self::credential`].
    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": self.url,
            "sub": SUBJECT,
            "aud": TOKEN_EXCHANGE,
            "iat": NOW,
            "exp": NOW + 600,
        })
    }

    /// A federated credential, as in a directory file.
    pub(crate) fn credential(&self) -> String {
        format!("{{ issuer = \"{}\", subject = \"{SUBJECT}\" }}", self.url)
    }

    /// Stops it. Its port is free afterwards.
    pub(crate) async fn stop(self) {
        self.served.abort();
        assert!(self.served.await.unwrap_err().is_cancelled());
    }
}

/// A token with this key id.
pub(crate) fn foreign_token(kid: &str, key: &Credential, claims: &Value) -> String {
    key.sign(&RSA_PKCS1_SHA256, &json!({ "alg": "RS256", "kid": kid }), claims)
}

/// The entry of a key in a key set.
pub(crate) fn jwk(kid: &str, key: &Credential) -> Value {
    let public = key.key.public_key();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA",
        "use": "sig",
        "kid": kid,
        "n": encode(public.modulus().big_endian_without_leading_zero()),
        "e": encode(public.exponent().big_endian_without_leading_zero()),
    })
}

fn respond(site: &Mutex<Site>, path: &str) -> Response<Full<Bytes>> {
    let mut site = site.lock().unwrap();
    site.requests.push(path.to_owned());
    let (status, location, body) = site.documents.get(path).cloned().unwrap_or_default();
    let status = if status == 0 { 404 } else { status };
    let response = Response::builder().status(status).header("content-type", "application/json");
    let response = match location.as_str() {
        "" => response,
        location => response.header("location", location),
    };
    response.body(Full::new(body.into())).unwrap()
}
