//! Request bodies that nobody reads to the end, because the header alone decides about the
//! response.
//!
//! If the server closed the connection while the client still sends, the client's system would drop
//! the response, and the client would only see a broken connection (RFC 9112, section 9.6). So the
//! rest of the body is read and discarded, within limits, while the response is on its way.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, combinators::BoxBody};
use hyper::{
    body::{Body, Frame, SizeHint},
    header::{self, HeaderMap},
};
use tokio::{runtime::Handle, time::timeout};

/// How much of a body is discarded, in bytes. The connection is closed beyond that.
const DISCARD_LIMIT: usize = 8 * 1024 * 1024;
/// How long that may take.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(15);

/// A request body whose rest is discarded when it is dropped.
pub struct Discarded {
    body: BoxBody<Bytes, io::Error>,
    /// Whether the client waits for 100 (Continue), which hyper sends when the body is first read.
    waits: bool,
    ended: bool,
}

impl Discarded {
    /// Wraps the body of a request with these headers.
    pub fn new(body: BoxBody<Bytes, io::Error>, headers: &HeaderMap) -> Self {
        Self { body, waits: headers.contains_key(header::EXPECT), ended: false }
    }
}

impl Body for Discarded {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.waits = false;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Discarded {
    fn drop(&mut self) {
        // A client that still waits for 100 (Continue) has sent nothing.
        if self.ended || self.waits || self.body.is_end_stream() {
            return;
        }
        let body = mem::take(&mut self.body);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(DISCARD_TIMEOUT, discard(body)));
        }
    }
}

async fn discard(mut body: BoxBody<Bytes, io::Error>) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, Bytes::len);
        if discarded > DISCARD_LIMIT {
            return;
        }
    }
}
