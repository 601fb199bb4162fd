//! The sockets. An endpoint of poem always responds; here, a connection can also be closed.

use std::{fmt, future::Future, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The connection is to be closed without a response.
#[derive(Debug)]
pub(super) struct Closed;

/// What a handler returns.
pub(super) type Handled = Result<Response<Full<Bytes>>, Closed>;

/// Serves connections until the test's runtime stops.
pub(super) async fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    F: Future<Output = Handled> + Send + 'static,
{
    let handler = Arc::new(handler);
    while let Ok((stream, _)) = listener.accept().await {
        let handler = Arc::clone(&handler);
        let service = service_fn(move |request: Request<Incoming>| {
            let handler = Arc::clone(&handler);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map_err(|_| fmt::Error)?.to_bytes();
                // hyper closes the connection if a service fails.
                handler(Request::from_parts(parts, body)).await.map_err(|Closed| fmt::Error)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
