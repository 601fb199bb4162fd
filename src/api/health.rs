//! Whether the server is alive, and whether it can serve requests.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use poem::http::{HeaderValue, StatusCode, header};
use poem_entra::{Readiness, Validator};
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi, Tags,
    registry::{
        MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
    },
    types::{Example, Type},
};
use serde::Serialize;

use crate::store::{Store, StoreError};

use super::http::{
    json::Json,
    preconditions::NoPreconditions,
    problem::{self, Problem, ProblemDocument},
};

/// The operations on the server itself.
pub struct HealthApi {
    /// Validates tokens.
    pub validator: Arc<Validator>,
    /// Stores the todos.
    pub store: Store,
    /// Whether the server is shutting down.
    pub stopping: Arc<AtomicBool>,
}

#[derive(Tags)]
enum Tag {
    /// The state of the server.
    Health,
}

#[OpenApi(tag = "Tag::Health")]
impl HealthApi {
    /// Check that the server is running
    ///
    /// Checks only that the server responds, not what it depends on.
    #[oai(path = "/health", method = "get", operation_id = "getHealth")]
    async fn get_health(&self, _conditions: NoPreconditions) -> HealthResponse {
        HealthResponse::Alive(Json("OK".into()))
    }

    /// Check that the server can serve requests
    ///
    /// Checks the signing keys and the database, for load balancers. The response is 503 if there
    /// are no signing keys to verify tokens with, if the database does not respond or does not
    /// accept changes, or if the server is shutting down.
    #[oai(path = "/health/ready", method = "get", operation_id = "getReadiness")]
    async fn get_readiness(
        &self,
        _conditions: NoPreconditions,
    ) -> Result<ReadinessResponse, NotReady> {
        let keys = match self.validator.readiness() {
            Readiness::Ready => State::Ready,
            Readiness::NoKeys => State::Unavailable,
        };
        let database = self.store.check().await;
        if self.stopping.load(Ordering::Relaxed) {
            let database = if database.is_ok() { State::Ready } else { State::Unavailable };
            return Err(NotReady::new(Problem::shutting_down(), keys, database));
        }
        match (keys, database) {
            (State::Ready, Ok(())) => {
                let report = ReadinessReport { status: State::Ready, keys, database: State::Ready };
                Ok(ReadinessResponse::Ready(Json(report)))
            }
            (State::Unavailable, Ok(())) => Err(NotReady::without_keys()),
            (_, Err(error)) => {
                // Whatever is wrong with the database, the server is not ready.
                let error = match error {
                    StoreError::Internal(cause) => StoreError::Unavailable(cause),
                    other => other,
                };
                Err(NotReady::new(error.into(), keys, State::Unavailable))
            }
        }
    }
}

#[derive(ApiResponse)]
enum HealthResponse {
    /// The server is running.
    #[oai(status = 200)]
    Alive(Json<String>),
}

#[derive(ApiResponse)]
enum ReadinessResponse {
    /// The server can serve requests.
    #[oai(status = 200)]
    Ready(Json<ReadinessReport>),
}

/// Whether the server is ready, and what it depends on: the authority's signing keys and the
/// database.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Readiness", example)]
struct ReadinessReport {
    status: State,
    keys: State,
    database: State,
}

/// Whether a part of the server is available.
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

/// 503: a problem with the members `keys` and `database`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NotReady(Problem);

impl NotReady {
    /// The response if there are no signing keys.
    fn without_keys() -> Self {
        Self::new(Problem::keys_unavailable(), State::Unavailable, State::Ready)
    }

    /// One response for each code, as examples.
    pub fn examples() -> [Self; 4] {
        let without_database = |problem| Self::new(problem, State::Ready, State::Unavailable);
        [
            Self::without_keys(),
            without_database(Problem::overloaded()),
            without_database(Problem::database_unavailable()),
            Self::new(Problem::shutting_down(), State::Ready, State::Ready),
        ]
    }

    fn new(problem: Problem, keys: State, database: State) -> Self {
        let problem = problem.with_header(header::RETRY_AFTER, HeaderValue::from(1));
        Self(problem.with_member("keys", keys).with_member("database", database))
    }
}

impl From<NotReady> for Problem {
    fn from(not_ready: NotReady) -> Self {
        not_ready.0
    }
}

impl From<NotReady> for poem::Error {
    fn from(NotReady(problem): NotReady) -> Self {
        problem.into()
    }
}

impl ApiResponse for NotReady {
    fn meta() -> MetaResponses {
        let retry_after = MetaHeader {
            name: header::RETRY_AFTER.as_str().to_owned(),
            description: Some("Seconds to wait before retrying.".into()),
            required: true,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format(
                "integer", "int32",
            ))),
        };
        let problem = MetaMediaType {
            content_type: problem::MEDIA_TYPE,
            schema: MetaSchemaRef::Reference(SCHEMA.into()),
        };
        let response = MetaResponse {
            description: "The server cannot serve requests. `keys` and `database` say which part \
                          is unavailable. If neither is, the server is shutting down.",
            status: Some(StatusCode::SERVICE_UNAVAILABLE.as_u16()),
            status_range: None,
            content: vec![problem],
            headers: vec![retry_after],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        State::register(registry);
        registry.create_schema::<Self, _>(SCHEMA.into(), |registry| {
            ProblemDocument::register(registry);
            let problem = registry.schemas.get(ProblemDocument::name().as_ref()).cloned();
            let mut schema = problem.unwrap_or_else(|| MetaSchema::new("object"));
            schema.title = Some(SCHEMA.into());
            schema.description = Some(
                "Why the server cannot serve requests. `keys` and `database` are present if the \
                 status is 503.",
            );
            for part in ["keys", "database"] {
                schema.properties.push((part, State::schema_ref()));
            }
            schema
        });
    }
}

/// The name of the schema of [`NotReady`]: a problem with two more members. They are optional,
/// because the other errors of the operation have the same schema.
pub const SCHEMA: &str = "ReadinessProblem";

impl Example for ReadinessReport {
    fn example() -> Self {
        Self { status: State::Ready, keys: State::Ready, database: State::Ready }
    }
}
