//! Waiting for a state, and the readiness of a server.

use std::time::Instant;

use reqwest::{Method, StatusCode};

use super::{Answer, App, GIVE_UP_AFTER};

/// Repeats a check until it succeeds, for as long as a slow machine needs.
pub(crate) async fn wait_until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + GIVE_UP_AFTER;
    while !check().await {
        assert!(Instant::now() < deadline, "timeout while waiting until {what}");
    }
}

impl App {
    pub(crate) async fn readiness(&self) -> Answer {
        self.send(None, Method::GET, "/health/ready", None).await
    }

    pub(crate) async fn assert_ready(&self) {
        let answer = self.readiness().await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// Asserts that the server is not ready because of its database.
    pub(crate) async fn assert_not_ready(&self, code: &str) {
        let answer = self.readiness().await;
        answer.assert_unavailable(code);
        assert_eq!(answer.body["database"], "unavailable");
        assert_eq!(answer.body["keys"], "ready");
    }

    pub(crate) async fn wait_until_ready(&self) {
        wait_until("the server is ready", async || self.readiness().await.status == StatusCode::OK)
            .await;
    }
}
