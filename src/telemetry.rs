//! Logging. Each request has one line with its id, operation, status and duration, and with tenant,
//! client and agent if its token was accepted. No line contains names, or anything that could be
//! replayed, such as a token. Only the audit log identifies people, by their object ids.

mod lines;
mod timestamp;

use std::{
    fmt::{self, Debug, Write as _},
    io::{self, IsTerminal},
    sync::Arc,
    time::{Duration, Instant},
};

use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderValue, header::HeaderName},
};
use poem_entra::poem::CallerSlot;
use poem_openapi::OperationId;
use tracing::{Instrument, field::Field};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt,
    filter::ParseError,
    fmt::{
        FormatFields,
        format::{Writer, debug_fn},
    },
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};
use uuid::Uuid;

use crate::config::{LogConfig, LogFormat};

use lines::Lines;
use timestamp::Timestamp;

/// How long the program waits on exit for these lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Starts logging to standard error. Standard output is reserved for the output of commands.
///
/// # Errors
///
/// [`StartError`], if the filter is invalid or logging has already been started.
pub fn start(config: &LogConfig) -> Result<Log, StartError> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = Lines::write_to(io::stderr())?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(Arc::clone(&lines))
        .with_timer(Timestamp)
        .with_target(false);
    match config.format {
        // On a terminal, the layer respects NO_COLOR.
        LogFormat::Text if io::stderr().is_terminal() => registry.with(layer).try_init()?,
        LogFormat::Text => registry.with(layer.with_ansi(false).fmt_fields(plain())).try_init()?,
        LogFormat::Json => {
            registry.with(layer.with_ansi(false).json().flatten_event(true)).try_init()?;
        }
    }
    Ok(Log(lines))
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `RUST_LOG` is not a list of directives.
    #[error("failed to read the log filter")]
    Filter(#[from] ParseError),
    /// Another logger has been installed in this process.
    #[error("failed to install the logger")]
    Install(#[from] TryInitError),
    /// The system allows no further thread.
    #[error("failed to start the thread that writes the log")]
    Thread(#[from] io::Error),
}

/// Writes fields like the layer's default, but without styles. The default spends a third of the
/// time of a line on them, even if there are none.
fn plain() -> impl for<'line> FormatFields<'line> + Send + Sync {
    let fields =
        debug_fn(|line: &mut Writer<'_>, field: &Field, value: &dyn Debug| match field.name() {
            "message" => write!(Escaped(line), "{value:?}"),
            name => write!(line, "{name}={value:?}"),
        });
    fields.delimited(" ")
}

/// Escapes control characters, so that a message can neither begin another line nor command a
/// terminal.
struct Escaped<'a, 'line>(&'a mut Writer<'line>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.contains(char::is_control) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|character| match character.is_control() {
            true => write!(self.0, "{}", character.escape_default()),
            false => self.0.write_char(character),
        })
    }
}

/// Writes log lines until it is dropped. Dropping it waits up to two seconds for lines that have
/// not been written yet.
pub struct Log(Arc<Lines>);

impl Drop for Log {
    fn drop(&mut self) {
        let lost = self.0.lost();
        if lost > 0 {
            tracing::warn!(lost, "log lines were lost because they could not be written in time");
        }
        self.0.close(FLUSH_TIMEOUT);
    }
}

/// The header field for the id of a request, in requests and responses.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the client's `X-Request-Id` if it has only safe characters, otherwise a new
/// id.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    const LIMIT: usize = 128;

    fn of(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID);
        match sent.filter(|id| Self::is_harmless(id.as_bytes())) {
            Some(id) => Self(id.clone()),
            None => Self::random(),
        }
    }

    fn random() -> Self {
        let mut text = Uuid::encode_buffer();
        let text = Uuid::new_v4().hyphenated().encode_lower(&mut text);
        // A UUID is a valid value.
        Self(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-")))
    }

    /// Whether the id can be copied into header fields, response bodies and logs.
    fn is_harmless(id: &[u8]) -> bool {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
        (1..=Self::LIMIT).contains(&id.len()) && id.iter().all(allowed)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // All of its characters are visible ASCII characters.
        self.0.to_str().unwrap_or_default()
    }
}

/// Assigns an id to the request, and logs one line when the response is ready. The response's data
/// contains the [`OperationId`], for the line.
///
/// It is not an `async fn`, because the future of one would contain a second copy of the request.
pub fn trace<E: Endpoint + 'static>(
    next: Arc<E>,
    mut request: Request,
) -> impl Future<Output = poem::Result<Response>> {
    let started = Instant::now();
    let id = RequestId::of(&request);
    let method = request.method().clone();
    request.extensions_mut().insert(id.clone());
    let slot = CallerSlot::default();
    request.extensions_mut().insert(slot.clone());
    let span = tracing::info_span!("request", id = %id.as_str());
    async move {
        let mut response = match next.call(request).instrument(span).await {
            Ok(response) => response.into_response(),
            Err(error) => error.into_response(),
        };
        let operation = response.data::<OperationId>().map_or("-", |operation| operation.0);
        let status = response.status().as_u16();
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        // The path is not logged, because the client can put anything into it. `operation` is
        // enough.
        let caller = slot.caller();
        let actor = caller.map(|caller| caller.actor());
        tracing::info!(
            id = %id.as_str(),
            %method,
            %operation,
            status,
            micros,
            tenant = caller.map(|caller| display(caller.tenant())),
            client = actor.and_then(|actor| actor.client()).map(display),
            agent = actor.and_then(|actor| actor.is_agent()),
            agent_user = actor.and_then(|actor| actor.has_agent_user()),
            blueprint = actor.and_then(|actor| actor.blueprint()).map(display),
            "request"
        );
        response.headers_mut().insert(REQUEST_ID, id.0);
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::Mutex};

    use tracing_subscriber::fmt::format::DefaultFields;

    use super::*;

    #[test]
    fn a_plain_line_is_like_a_line_of_the_default() {
        let log = || {
            let span = tracing::info_span!("request", id = "a\"b", agent = true);
            let _entered = span.enter();
            tracing::warn!(number = 7, text = "two\nlines", shown = %"as it is", "it \"failed\"");
            tracing::info!(nothing = None::<u8>, "{} things", 2);
        };
        assert_eq!(lines(plain(), log), lines(DefaultFields::new(), log));
    }

    #[test]
    fn a_message_cannot_begin_another_line_or_command_a_terminal() {
        let log = || tracing::info!("{}", "one\ntwo \u{1b}[31m red \u{9b}31m é");
        assert_eq!(lines(plain(), log), " INFO one\\ntwo \\u{1b}[31m red \\u{9b}31m é\n");
    }

    /// What is logged, without the times.
    fn lines<F>(fields: F, log: impl FnOnce()) -> String
    where
        F: for<'line> FormatFields<'line> + Send + Sync + 'static,
    {
        let written = Arc::new(Mutex::new(Vec::new()));
        let target = Arc::clone(&written);
        let layer = tracing_subscriber::fmt::layer()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || Written(Arc::clone(&target)))
            .fmt_fields(fields);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        String::from_utf8(written.lock().unwrap().clone()).unwrap()
    }

    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
