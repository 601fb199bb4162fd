//! Receives request bodies.

use std::{io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, combinators::BoxBody};
use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{
        StatusCode,
        header::{CONNECTION, EXPECT},
    },
};
use tokio::time::timeout;

use super::{body_limit::body_limit, response::problem};

/// How long a client may take to send a request body.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Receives the whole body before the endpoint runs, so that no endpoint has to wait for it.
pub(super) async fn receive_first<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    match receive(&mut request).await {
        Ok(()) => endpoint.call(request).await,
        Err(response) => Ok(response),
    }
}

/// Receives the body of a request. The error is the response to a request whose body is incomplete,
/// after which the connection is closed.
pub(super) async fn receive(request: &mut Request) -> Result<(), Response> {
    let limit = body_limit(request.uri().path());
    let (status, text) = match timeout(TIMEOUT, read(request.take_body().into(), limit)).await {
        Ok(Ok(body)) => {
            request.set_body(body);
            return Ok(());
        }
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, error.to_string()),
        Err(_) => {
            let text = "the request body did not arrive in time";
            (StatusCode::REQUEST_TIMEOUT, text.to_owned())
        }
    };
    Err(problem(status, &text).with_header(CONNECTION, "close").into_response())
}

/// Discards the body of a request that is refused in any case. A client that is still sending
/// would otherwise often see a broken connection instead of the response (RFC 9112, section 9.6).
///
/// A client that expects `100 Continue` does not send the body after the response.
pub(super) fn discard(request: &mut Request) {
    if request.headers().contains_key(EXPECT) {
        return;
    }
    let limit = body_limit(request.uri().path());
    let mut body: BoxBody<Bytes, io::Error> = request.take_body().into();
    let discard = async move {
        let mut length = 0;
        while length <= limit
            && let Some(Ok(frame)) = body.frame().await
        {
            length += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    tokio::spawn(timeout(TIMEOUT, discard));
}

/// Reads a body. If it is longer than the limit, it is cut off one byte after the limit, so that
/// the endpoint refuses it.
async fn read(mut body: BoxBody<Bytes, io::Error>, limit: usize) -> io::Result<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let wanted = data.len().min(limit + 1 - bytes.len());
        bytes.extend_from_slice(&data[..wanted]);
        if bytes.len() > limit {
            break;
        }
    }
    Ok(bytes.freeze())
}
