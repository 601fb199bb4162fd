//! JSON bodies. poem-openapi's own payload publishes `application/json; charset=utf-8`, which some
//! client generators misread, and its errors do not say where in the body they lie.

use std::time::Duration;

use poem::{IntoResponse, Request, RequestBody, Response, Result, error::ReadBodyError};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    error::ContentTypeError,
    payload::{ParsePayload, Payload},
    registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry},
    types::Type,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    objects::Objects,
    problem::{Code, Problem},
};

/// Bytes of the largest body that is read.
pub const BODY_LIMIT: usize = 64 * 1024;
/// How long a caller may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

const MEDIA_TYPE: &str = "application/json";

/// A JSON body, of a request or of an answer.
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

    async fn from_request(_: &Request, body: &mut RequestBody) -> Result<Self> {
        let bytes = tokio::time::timeout(BODY_TIMEOUT, body.take()?.into_bytes_limit(BODY_LIMIT))
            .await
            .map_err(|_| Problem::new(Code::RequestTimeout, "The body did not arrive in time."))?;
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
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => Response::builder().content_type(MEDIA_TYPE).body(bytes),
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
        match request.content_type() {
            Some(media_type) if Self::check_content_type(media_type) => {
                <Self as ParsePayload>::from_request(request, body).await
            }
            Some(media_type) => {
                Err(ContentTypeError::NotSupported { content_type: media_type.to_owned() }.into())
            }
            None => Err(ContentTypeError::ExpectContentType.into()),
        }
    }
}

/// The value, or a problem that points at the member that is wrong.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let objects = Objects(&mut deserializer);
    let value = serde_path_to_error::deserialize(objects).map_err(|error| {
        let pointer = pointer(error.path());
        let detail = error.into_inner().to_string();
        Problem::new(Code::InvalidRequest, "The body is not what this operation takes.")
            .with_error(pointer, detail)
    })?;
    deserializer.end().map_err(|error| {
        Problem::new(Code::InvalidRequest, "Something follows the JSON value in the body.")
            .with_error("#", error.to_string())
    })?;
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
