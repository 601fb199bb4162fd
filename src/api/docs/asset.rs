//! Files that are served from memory.

use std::{
    error::Error,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read},
    sync::OnceLock,
};

use bytes::Bytes;
use flate2::read::GzDecoder;
use poem::{
    Endpoint, Request, Response, Result,
    error::InternalServerError,
    http::{StatusCode, header},
};
use poem_openapi::{OperationId, types::ToHeader};

use crate::api::http::preconditions::{EntityTag, Preconditions};

/// A file that is served from memory. It is compressed if the client accepts that, and the response
/// is 304 if the client has already stored it.
pub(super) struct Asset {
    media_type: &'static str,
    content: Content,
    /// Identifies the content; each of the two encodings has its own entity tag (RFC 9110, section
    /// 8.8.3).
    tag: String,
    headers: Vec<(&'static str, String)>,
}

impl Asset {
    /// A file that build.rs has compressed, and its tag.
    pub(super) fn packaged(media_type: &'static str, gzip: &'static [u8], tag: &str) -> Self {
        let content = Content::Packaged(Packaged { gzip, plain: OnceLock::new() });
        Self { media_type, content, tag: tag.to_owned(), headers: Vec::new() }
    }

    /// A file that is neither compressed nor large.
    pub(super) fn plain(media_type: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let tag = format!("{:016x}", hasher.finish());
        Self { media_type, content: Content::Plain(content), tag, headers: Vec::new() }
    }

    /// Adds a header field to the response.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Endpoint for Asset {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let accepted = request.header(header::ACCEPT_ENCODING).unwrap_or_default();
        let gzip = self.content.gzip().filter(|_| accepts_gzip(accepted));
        let suffix = if gzip.is_some() { "-gzip" } else { "" };
        let tag = EntityTag::of_content(&format!("{}{suffix}", self.tag));
        let is_known = Preconditions::of_request(&request)?.of_read(&tag)?;
        let mut response = Response::builder()
            .extension(OperationId("getDocs"))
            .header(header::VARY, "accept-encoding")
            // The browser stores the file and revalidates it each time; a 304 is a few hundred
            // bytes.
            .header(header::CACHE_CONTROL, "no-cache");
        if let Some(tag) = tag.to_header() {
            response = response.header(header::ETAG, tag);
        }
        if is_known {
            return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
        }
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        if gzip.is_some() {
            response = response.header(header::CONTENT_ENCODING, "gzip");
        }
        let body = match gzip {
            Some(gzip) => Bytes::from_static(gzip),
            None => self.content.plain().map_err(InternalServerError)?,
        };
        Ok(response.content_type(self.media_type).body(body))
    }
}

enum Content {
    Plain(Bytes),
    Packaged(Packaged),
}

impl Content {
    fn gzip(&self) -> Option<&'static [u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Packaged(packaged) => Some(packaged.gzip),
        }
    }

    fn plain(&self) -> io::Result<Bytes> {
        match self {
            Self::Plain(plain) => Ok(plain.clone()),
            Self::Packaged(packaged) => packaged.plain(),
        }
    }
}

/// A file that is generated for its first request, and then kept. Most servers run for a long time
/// before anybody asks for it, if at all, and until then it needs no memory.
pub(super) struct Generated<F> {
    media_type: &'static str,
    generate: F,
    asset: OnceLock<Asset>,
}

impl<F> Generated<F> {
    /// `generate` must return the same bytes each time: requests at the same time may both call it.
    pub(super) fn new(media_type: &'static str, generate: F) -> Self {
        Self { media_type, generate, asset: OnceLock::new() }
    }
}

impl<F, E> Endpoint for Generated<F>
where
    F: Fn() -> Result<Vec<u8>, E> + Send + Sync,
    E: Error + Send + Sync + 'static,
{
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let asset = match self.asset.get() {
            Some(asset) => asset,
            None => {
                let content = (self.generate)().map_err(InternalServerError)?;
                self.asset.get_or_init(|| Asset::plain(self.media_type, content))
            }
        };
        asset.call(request).await
    }
}

/// A compressed file. Nearly all clients accept it as it is. It is decompressed when the first
/// client does not, and then kept, so that such requests need neither time nor memory of their own.
struct Packaged {
    gzip: &'static [u8],
    plain: OnceLock<Bytes>,
}

impl Packaged {
    fn plain(&self) -> io::Result<Bytes> {
        if let Some(plain) = self.plain.get() {
            return Ok(plain.clone());
        }
        let mut plain = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut plain)?;
        Ok(self.plain.get_or_init(|| plain.into()).clone())
    }
}

/// Whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|item| {
        let (coding, quality) = item.split_once(';').unwrap_or((item, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        coding.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}
