//! The documents of an authority, in memory.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use poem_entra::transport::{Fetch, FetchError, Transport};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// A transport with documents by URL, a gate that delays responses, and request counters.
#[derive(Default)]
pub(crate) struct Documents {
    by_url: Mutex<HashMap<String, String>>,
    keys_fetched: AtomicUsize,
    discovery_fetched: AtomicUsize,
    gate: Mutex<Option<Arc<Semaphore>>>,
    retry_after: Mutex<Option<u64>>,
}

impl Documents {
    /// Publishes the discovery document of an instance and a directory, with this issuer.
    pub(crate) fn publish(&self, instance: &str, directory: &str, issuer: &str) {
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{instance}/keys") });
        let url = format!("{instance}/{directory}/v2.0/.well-known/openid-configuration");
        self.by_url.lock().unwrap().insert(url, discovery.to_string());
    }

    pub(crate) fn publish_keys(&self, instance: &str, keys: &[Value]) {
        self.set(&format!("{instance}/keys"), &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn set(&self, url: &str, body: &str) {
        self.by_url.lock().unwrap().insert(url.to_owned(), body.to_owned());
    }

    /// Makes the authority unavailable, and returns its documents for [`Self::come_back`].
    pub(crate) fn go_down(&self) -> HashMap<String, String> {
        std::mem::take(&mut self.by_url.lock().unwrap())
    }

    /// Makes the authority unavailable, with this many seconds in `Retry-After`.
    pub(crate) fn go_down_for(&self, seconds: u64) -> HashMap<String, String> {
        *self.retry_after.lock().unwrap() = Some(seconds);
        self.go_down()
    }

    pub(crate) fn come_back(&self, documents: HashMap<String, String>) {
        *self.by_url.lock().unwrap() = documents;
    }

    /// From now on, each response waits for a permit of the returned semaphore.
    pub(crate) fn close_gate(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.gate.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    pub(crate) fn discovery_fetched(&self) -> usize {
        self.discovery_fetched.load(Ordering::SeqCst)
    }

    pub(crate) fn keys_fetched(&self) -> usize {
        self.keys_fetched.load(Ordering::SeqCst)
    }
}

impl Transport for Documents {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        Box::pin(async move {
            let fetched = match url.ends_with("/keys") {
                true => &self.keys_fetched,
                false => &self.discovery_fetched,
            };
            fetched.fetch_add(1, Ordering::SeqCst);
            // A delayed response has the document from the time of the request.
            let body = self.by_url.lock().unwrap().get(url).cloned();
            let gate = self.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
            let error = match *self.retry_after.lock().unwrap() {
                Some(seconds) => FetchError::RetryAfter { status: 503, seconds },
                None => FetchError::Status(503),
            };
            body.map(String::into_bytes).ok_or(error)
        })
    }
}
