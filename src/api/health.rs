//! Whether the server is alive, and whether it can do its work.

use std::{fmt, sync::Arc};

use poem::http::{HeaderValue, header};
use poem_entra::{Readiness, Validator};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, Tags, types::Example};
use serde::Serialize;

use crate::store::Store;

use super::{
    json::Json,
    problem::{Code, Problem},
};

/// The operations on the server itself.
pub struct HealthApi {
    /// Judges tokens.
    pub validator: Arc<Validator>,
    /// Keeps todos.
    pub store: Store,
}

#[derive(Tags)]
enum Tag {
    /// The state of the server.
    Health,
}

#[OpenApi(tag = "Tag::Health")]
impl HealthApi {
    /// Tell that the server runs
    #[oai(path = "/health", method = "get", operation_id = "get_health")]
    async fn get_health(&self) -> HealthResponse {
        HealthResponse::Alive(Json("OK".into()))
    }

    /// Tell whether the server can do its work
    ///
    /// For load balancers: 503 while there are no signing keys to judge tokens with, or the
    /// database does not answer or takes no changes.
    #[oai(path = "/health/ready", method = "get", operation_id = "get_readiness")]
    async fn get_readiness(&self) -> Result<ReadinessResponse, Problem> {
        let keys = match self.validator.readiness() {
            Readiness::Ready => State::Ready,
            Readiness::NoKeys => State::Unavailable,
        };
        let checked = self.store.check().await;
        let database = if checked.is_ok() { State::Ready } else { State::Unavailable };
        let problem = match (keys, checked) {
            (State::Ready, Ok(())) => {
                let report = ReadinessReport { status: State::Ready, keys, database };
                return Ok(ReadinessResponse::Ready(Json(report)));
            }
            (_, Err(error)) => Problem::from(error),
            (State::Unavailable, Ok(())) => Problem::new(
                Code::KeysUnavailable,
                "There are no signing keys to judge tokens with.",
            ),
        };
        let problem = problem.with_header(header::RETRY_AFTER, HeaderValue::from(1));
        Err(problem.with_member("keys", keys).with_member("database", database))
    }
}

#[derive(ApiResponse)]
enum HealthResponse {
    /// It runs.
    #[oai(status = 200)]
    Alive(Json<String>),
}

#[derive(ApiResponse)]
enum ReadinessResponse {
    /// It can.
    #[oai(status = 200)]
    Ready(Json<ReadinessReport>),
}

/// Whether the server and what it depends on are ready.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Readiness", example)]
struct ReadinessReport {
    status: State,
    /// The authority's signing keys.
    keys: State,
    database: State,
}

/// Whether a part can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename = "ReadinessState", rename_all = "lowercase")]
enum State {
    Ready,
    Unavailable,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Unavailable => "unavailable",
        })
    }
}

impl Example for ReadinessReport {
    fn example() -> Self {
        Self { status: State::Ready, keys: State::Ready, database: State::Ready }
    }
}
