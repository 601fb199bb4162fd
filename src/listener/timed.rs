//! A stream that fails if the client sends nothing, or reads nothing, for too long. TLS is a layer
//! above it, so a handshake has the same limits as a request header.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::connections::{Activity, Connection};

/// The time from the connection to the first byte. A client connects because it has a request to
/// send.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);
/// The time from the first byte of a request header to its last. The largest header arrives in
/// this time at 6.4 KiB/s. A TLS handshake has the same time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The time from the end of a response to the next request. It is longer than the 60 seconds after
/// which most proxies close their idle connections: if the server closed first, it could do so in
/// the moment in which a proxy sends a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client may take to read the next part of a response. The smallest part that it must
/// read is what the system buffers, so this is also enough for a slow network.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to read a whole response, from the moment when it falls behind. The
/// largest response, a script of the docs page, is read in this time at 4 KB/s. A connection whose
/// client reads only a little from time to time is never idle, so it could not be closed to make
/// room.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(120);

/// A stream that fails if the client is silent for too long between two requests, takes too long to
/// send a request header or to read a response, or stops reading. Bodies of requests have a limit
/// of their own.
pub(super) struct Timed {
    stream: TcpStream,
    connection: Arc<Connection>,
    /// When the header of the next request began to arrive, and since when the connection was idle
    /// then.
    header: Option<(Instant, Instant)>,
    /// When the client stopped reading, if it has not continued.
    blocked: Option<Instant>,
    /// When the client stopped reading for the first time since its last request.
    behind: Option<Instant>,
    /// Made when a read or write has to wait for the first time. It is not reset for each request:
    /// when it fires, it is set to the current deadline.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    /// Wraps the stream of this connection.
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { stream, connection, header: None, blocked: None, behind: None, timer: None }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Completes with the first byte that the client sends, which can still be read after that.
    /// `None` if the client sends nothing more.
    pub(super) fn poll_first_byte(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<u8>>> {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        match self.stream.poll_peek(context, &mut buffer) {
            Poll::Pending => self.poll_deadline(context).map(Err),
            Poll::Ready(peeked) => {
                self.received();
                Poll::Ready(peeked.map(|_| buffer.filled().first().copied()))
            }
        }
    }

    /// The time by which the client must have read or sent more. `None` if the server does not wait
    /// for it.
    fn deadline(&self) -> io::Result<Option<Instant>> {
        let activity = self.connection.activity();
        if activity == Activity::Closed {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if let (Some(since), Some(first)) = (self.blocked, self.behind) {
            return Ok(Some((since + WRITE_TIMEOUT).min(first + RESPONSE_TIMEOUT)));
        }
        let Activity::Idle(idle_since) = activity else { return Ok(None) };
        Ok(Some(match self.header {
            Some((began, since)) if since == idle_since => began + HEADER_TIMEOUT,
            _ if self.connection.has_served() => idle_since + IDLE_TIMEOUT,
            _ => idle_since + FIRST_BYTE_TIMEOUT,
        }))
    }

    /// Records that a part of the next header has arrived, if it is the first part. The rest of a
    /// refused body is not one.
    fn received(&mut self) {
        if let Activity::Idle(idle_since) = self.connection.activity()
            && !self.connection.is_receiving()
            && self.header.is_none_or(|(_, since)| since != idle_since)
        {
            self.header = Some((Instant::now(), idle_since));
            self.behind = None;
        }
    }

    /// Completes with an error when the deadline has passed.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = match self.deadline() {
            Ok(Some(deadline)) => deadline,
            Ok(None) => return Poll::Pending,
            Err(error) => return Poll::Ready(error),
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Records whether the client reads.
    fn poll_written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.blocked = None;
            return written;
        }
        let now = *self.blocked.get_or_insert_with(Instant::now);
        self.behind.get_or_insert(now);
        self.poll_deadline(context).map(Err)
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Pending => this.poll_deadline(context).map(Err),
            Poll::Ready(read) => {
                this.received();
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.poll_written(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.poll_written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
