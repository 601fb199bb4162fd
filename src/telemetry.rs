//! Logging: one line a request, with its id, operation, status and duration, and nothing that
//! identifies a person or could be replayed.

use std::{
    io::{self, IsTerminal},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{HeaderValue, header::HeaderName},
};
use tracing::Instrument;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogConfig, LogFormat};

pub use crate::causes::Causes;

/// Lines that wait to be written. Whoever reads the log may stop, and no request waits for that:
/// the lines beyond these are lost.
const LINE_LIMIT: usize = 10_000;
/// How long the end of the program waits for them.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Starts logging to standard error, so that standard output stays free for what commands print.
///
/// # Errors
///
/// When the filter cannot be read, or logging was started before.
pub fn start(config: &LogConfig) -> anyhow::Result<Log> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let (writer, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(LINE_LIMIT).finish(io::stderr());
    let log = Log { lost: writer.error_counter(), guard: Some(guard) };
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_target(false);
    // On a terminal, NO_COLOR has its say.
    let layer = if io::stderr().is_terminal() { layer } else { layer.with_ansi(false) };
    match config.format {
        LogFormat::Text => registry.with(layer).try_init()?,
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init()?,
    }
    Ok(log)
}

/// While it is there, what is logged is written. At its end it waits for what is not written yet,
/// two seconds at most.
pub struct Log {
    lost: ErrorCounter,
    guard: Option<WorkerGuard>,
}

impl Drop for Log {
    fn drop(&mut self) {
        let lost = self.lost.dropped_lines();
        if lost > 0 {
            tracing::warn!(lost, "lines of the log were lost: nobody took them in time");
        }
        let guard = self.guard.take();
        let (written, wait) = mpsc::channel();
        // The guard itself prints, and may wait for ever, where the log is stuck.
        let flush = thread::Builder::new().spawn(move || {
            drop(guard);
            written.send(())
        });
        if flush.is_ok() {
            let _ = wait.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// The header that carries a request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the caller's own, where it is one, otherwise a new one.
#[derive(Debug, Clone, Default)]
pub struct RequestId(Arc<str>);

impl RequestId {
    const LIMIT: usize = 128;

    fn of(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        match sent.filter(|id| Self::is_harmless(id)) {
            Some(id) => Self(id.into()),
            None => Self(uuid::Uuid::new_v4().to_string().into()),
        }
    }

    /// The id comes back in headers, bodies and logs.
    fn is_harmless(id: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
        (1..=Self::LIMIT).contains(&id.len()) && id.bytes().all(allowed)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The operation id of the endpoint that answered, or what stands for it with a page, in the
/// answer's data.
#[derive(Debug, Clone, Copy)]
pub struct Operation(pub &'static str);

/// Gives the request its id, and writes its line when it is answered.
pub async fn trace<E: Endpoint + 'static>(next: Arc<E>, mut request: Request) -> Result<Response> {
    let started = Instant::now();
    let id = RequestId::of(&request);
    let method = request.method().clone();
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", id = id.as_str());
    let mut response = match next.call(request).instrument(span).await {
        Ok(answer) => answer.into_response(),
        Err(error) => error.into_response(),
    };
    let operation = response.data::<Operation>().map_or("-", |operation| operation.0);
    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    // The path is not logged: it is the caller's to choose, and `operation` says what was asked.
    tracing::info!(id = id.as_str(), %method, operation, status, micros, "request");
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}
