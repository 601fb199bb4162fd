//! Files that are served from memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use poem::{
    Endpoint, Request, Response, Result,
    http::{StatusCode, header},
};
use poem_openapi::{OperationId, types::ToHeader};

use crate::api::http::preconditions::{EntityTag, Preconditions};

/// A file that is served from memory. It is compressed if the client accepts that, and the response
/// is 304 if the client has already stored it.
pub(super) struct Asset {
    pub(super) media_type: &'static str,
    pub(super) plain: Bytes,
    pub(super) gzip: Option<Bytes>,
    /// Identifies the content; each of the two encodings has its own entity tag (RFC 9110, section
    /// 8.8.3).
    pub(super) tag: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Asset {
    /// A file that the server generates at start-up.
    pub(super) fn made(media_type: &'static str, content: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let tag = format!("{:016x}", hasher.finish());
        Self { media_type, plain: content.into(), gzip: None, tag, headers: Vec::new() }
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
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(accepted));
        let suffix = if gzip.is_some() { "-gzip" } else { "" };
        let tag = EntityTag::of_content(&format!("{}{suffix}", self.tag));
        let is_known = Preconditions::of_request(&request)?.of_read(&tag)?;
        let mut response = Response::builder()
            .extension(OperationId("getDocs"))
            .header(header::VARY, "accept-encoding")
            // The browser stores the file and revalidates it each time; a 304 is a few hundred bytes.
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
        let body = gzip.unwrap_or(&self.plain).clone();
        Ok(response.content_type(self.media_type).body(body))
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
