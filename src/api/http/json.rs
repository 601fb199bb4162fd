//! JSON bodies. poem-openapi's own payload documents `application/json; charset=utf-8`, which some
//! client generators misread, and its errors do not say which part of the body is wrong.

use std::time::Duration;

use poem::{
    IntoResponse, Request, RequestBody, Response, Result,
    error::ReadBodyError,
    http::{HeaderName, HeaderValue, Method, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    payload::{ParsePayload, Payload},
    registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry},
    types::Type,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::objects::Objects;

use super::problem::Problem;

/// The largest accepted body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// The time that a client has to send a body. The largest body needs 4.4 KB/s, which slow mobile
/// networks reach. So a client that trickles its body occupies the server only for this time.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);

const MEDIA_TYPE: &str = "application/json";

/// The size of a small page, in bytes. Most responses fit, so their buffer never grows.
const USUAL_SIZE: usize = 512;

/// A JSON body of a request or a response.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Type> Payload for Json<T> {
    const CONTENT_TYPE: &'static str = MEDIA_TYPE;

    /// `application/json` with or without parameters, and nothing else.
    fn check_content_type(content_type: &str) -> bool {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case(MEDIA_TYPE)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Type + DeserializeOwned> ParsePayload for Json<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        // A client that waits for 100 (Continue) need not send a body that is too large.
        if declared_length(request) > BODY_LIMIT {
            return Err(Problem::payload_too_large().into());
        }
        let bytes = tokio::time::timeout(BODY_TIMEOUT, body.take()?.into_bytes_limit(BODY_LIMIT))
            .await
            .map_err(|_| Problem::request_timeout())?;
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(ReadBodyError::PayloadTooLarge) => return Err(Problem::payload_too_large().into()),
            Err(error) => return Err(error.into()),
        };
        parse(&bytes).map(Self).map_err(poem::Error::from)
    }
}

impl<T: Serialize + Send> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut bytes = Vec::with_capacity(USUAL_SIZE);
        match serde_json::to_writer(&mut bytes, &self.0) {
            Ok(()) => Response::builder()
                .header(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))
                .body(bytes),
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

impl<'a, T: Type + DeserializeOwned> ApiExtractor<'a> for Json<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let media_type =
            MetaMediaType { content_type: Self::CONTENT_TYPE, schema: T::schema_ref() };
        Some(MetaRequest { description: None, content: vec![media_type], required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        if !request.content_type().is_some_and(Self::check_content_type) {
            return Err(unsupported_media_type(request.method()).into());
        }
        if is_encoded(request) {
            let problem = Problem::unsupported_content_coding();
            let identity = HeaderValue::from_static("identity");
            return Err(problem.with_header(header::ACCEPT_ENCODING, identity).into());
        }
        <Self as ParsePayload>::from_request(request, body).await
    }
}

/// 415: the body is not JSON. For PATCH, the response says what is accepted (RFC 5789,
/// section 2.2).
fn unsupported_media_type(method: &Method) -> Problem {
    let problem = Problem::unsupported_media_type();
    match *method {
        Method::PATCH => problem.with_header(ACCEPT_PATCH, HeaderValue::from_static(MEDIA_TYPE)),
        _ => problem,
    }
}

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Whether the body is compressed (RFC 9110, section 8.4).
fn is_encoded(request: &Request) -> bool {
    let codings = request.headers().get_all(header::CONTENT_ENCODING);
    codings.iter().any(|coding| {
        let coding = coding.as_bytes();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
    })
}

/// The length of the body in bytes, or 0 if the client does not declare it.
fn declared_length(request: &Request) -> usize {
    let length = request.header(header::CONTENT_LENGTH);
    length.and_then(|length| length.parse().ok()).unwrap_or_default()
}

/// Parses the body. The problem points at the invalid member.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let objects = Objects(&mut deserializer);
    let value = serde_path_to_error::deserialize(objects).map_err(|error| {
        let pointer = pointer(error.path());
        Problem::invalid_body(pointer, error.into_inner().to_string())
    })?;
    deserializer.end().map_err(|error| Problem::invalid_body("#", error.to_string()))?;
    Ok(value)
}

/// RFC 6901, section 6: a JSON pointer as a URI fragment.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;

    let mut pointer = String::from("#");
    for segment in path {
        match segment {
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}
