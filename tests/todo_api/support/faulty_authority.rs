//! An authority that fails in different ways, and can be repaired.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use poem::{IntoResponse, Request, Response, http::StatusCode, web::Json};
use tokio::task::AbortHandle;

use super::{Document, free_ports, gateway::gateway_at};

/// What is wrong with an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It refuses connections.
    Down,
    /// It responds with 500.
    Broken,
    /// It responds with 200 and a web page, like the login page of a network.
    WebPage,
    /// It responds with 200 and JSON of another form.
    WrongContent,
    /// Its discovery document names the issuer of another authority.
    WrongIssuer,
    /// Its documents are larger than 256 KiB.
    Huge,
    /// It redirects to the correct documents.
    Redirect,
}

impl Fault {
    pub(crate) const ALL: [Self; 7] = [
        Self::Down,
        Self::Broken,
        Self::WebPage,
        Self::WrongContent,
        Self::WrongIssuer,
        Self::Huge,
        Self::Redirect,
    ];

    fn respond(self, mut document: Document) -> Response {
        match self {
            // On a connection that is still open from before.
            Self::Down | Self::Broken => Response::builder()
                .status(StatusCode::INTERNAL_SERVER_ERROR)
                .header("connection", "close")
                .finish(),
            Self::WebPage => Response::builder().content_type("text/html").body("<h1>Log in</h1>"),
            Self::WrongContent => Json(serde_json::json!({ "keys": "none" })).into_response(),
            Self::WrongIssuer => {
                if let Some(issuer) = document.body.get_mut("issuer") {
                    *issuer = "https://login.microsoftonline.com/common/v2.0".into();
                }
                Json(document.body).into_response()
            }
            Self::Huge => {
                document.body["padding"] = " ".repeat(300 * 1024).into();
                Json(document.body).into_response()
            }
            Self::Redirect => Response::builder()
                .status(StatusCode::FOUND)
                .header("location", document.url.as_str())
                .finish(),
        }
    }
}

/// A gateway to a tenant. It stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct FaultyAuthority(Arc<State>);

struct State {
    port: u16,
    tenant: Mutex<String>,
    fault: Mutex<Option<Fault>>,
    requests: AtomicUsize,
    /// The running gateway.
    gateway: Mutex<Option<AbortHandle>>,
}

impl FaultyAuthority {
    /// An authority that refuses connections until it is started.
    pub(crate) fn new() -> Self {
        let [port] = free_ports();
        Self(Arc::new(State {
            port,
            tenant: Mutex::default(),
            fault: Mutex::default(),
            requests: AtomicUsize::new(0),
            gateway: Mutex::default(),
        }))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port)
    }

    /// Starts it in front of this tenant, with a fault or without one.
    pub(crate) async fn start(&self, tenant: &str, fault: Option<Fault>) -> String {
        *self.0.tenant.lock().unwrap() = tenant.to_owned();
        self.set(fault).await;
        self.url()
    }

    /// Gives it this fault, or none, from now on.
    pub(crate) async fn set(&self, fault: Option<Fault>) {
        *self.0.fault.lock().unwrap() = fault;
        if fault == Some(Fault::Down) {
            if let Some(gateway) = self.0.gateway.lock().unwrap().take() {
                gateway.abort();
            }
        } else if self.0.gateway.lock().unwrap().is_none() {
            let tenant = self.0.tenant.lock().unwrap().clone();
            let state = Arc::clone(&self.0);
            let respond = move |_: &Request, document: Document| {
                state.requests.fetch_add(1, Ordering::Relaxed);
                match *state.fault.lock().unwrap() {
                    Some(fault) => fault.respond(document),
                    None => Json(document.body).into_response(),
                }
            };
            let gateway = gateway_at(self.0.port, &tenant, respond).await;
            *self.0.gateway.lock().unwrap() = Some(gateway);
        }
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.0.requests.load(Ordering::Relaxed)
    }
}
