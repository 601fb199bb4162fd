//! The bytes of HTTP: as they arrive, or decrypted.

use std::{
    io::{self, IoSlice},
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

use crate::tls::Tls;

use super::timed::Timed;

/// The first byte of a TLS connection: the content type of a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// The stream of a connection. If the server has a certificate, the TLS handshake takes place when
/// a request is first read, so it counts as part of the first request header.
///
/// A client that speaks plain HTTP to a server with a certificate is understood, so that the server
/// can tell it what is wrong.
pub(super) enum Transport {
    /// The client has sent nothing yet.
    New(Timed, Tls),
    Handshake(Box<Accept<Timed>>),
    Encrypted(Box<TlsStream<Timed>>),
    Plain(Timed),
    Failed,
}

impl Transport {
    pub(super) fn new(stream: Timed, tls: Option<Tls>) -> Self {
        match tls {
            Some(tls) => Self::New(stream, tls),
            None => Self::Plain(stream),
        }
    }

    /// Completes when bytes of HTTP can be read.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self {
                Self::New(stream, _) => {
                    let first = ready!(stream.poll_first_byte(context))?;
                    *self = match mem::replace(self, Self::Failed) {
                        Self::New(stream, tls) if first == Some(HANDSHAKE) => {
                            let accept = TlsAcceptor::from(tls.config()).accept(stream);
                            Self::Handshake(Box::new(accept))
                        }
                        Self::New(stream, _) => Self::Plain(stream),
                        other => other,
                    };
                }
                Self::Handshake(accept) => {
                    let accepted = ready!(Pin::new(accept).poll(context));
                    *self = Self::Failed;
                    let stream = accepted?;
                    stream.get_ref().0.connection().encrypt();
                    *self = Self::Encrypted(Box::new(stream));
                }
                Self::Encrypted(_) | Self::Plain(_) => return Poll::Ready(Ok(())),
                Self::Failed => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_ready(context))?;
        match this {
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            _ => Poll::Pending,
        }
    }
}

/// A server writes nothing before it has read a request.
impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Plain(stream) | Self::New(stream, _) => Pin::new(stream).poll_shutdown(context),
            // The connection is closed when the handshake is dropped.
            Self::Handshake(_) | Self::Failed => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Encrypted(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        // Both kinds of streams can do it. hyper asks before the handshake.
        true
    }
}
