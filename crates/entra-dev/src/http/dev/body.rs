//! Request bodies.

use poem::{Body, Request, http::StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::{
    directory::check_keys,
    http::body_limit::{BODY_LIMIT, DIRECTORY_LIMIT},
};

use super::problem::{Problem, bad_request};

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";

/// Reads a JSON body, which must be an object. serde would also read a struct from an array.
pub(super) async fn read<T: DeserializeOwned>(request: &Request, body: Body) -> Result<T, Problem> {
    require(request, &[JSON])?;
    let bytes = read_bytes(body, BODY_LIMIT).await?;
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(bad_request("the body must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let steps = error.path().iter().filter_map(|step| match step {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{key}")),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        let pointer = format!("#{}", steps.collect::<String>());
        Problem::at(pointer, in_terms_of_json(error.inner()))
    })?;
    json.end().map_err(bad_request)?;
    Ok(value)
}

/// What is wrong, without names of Rust's types. The pointer says where it is.
fn in_terms_of_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if error.is_syntax() || error.is_eof() {
        return text;
    }
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.trim_end_matches(&place);
    match text.rsplit_once(", expected ") {
        Some((found, "u8" | "u16" | "u64" | "usize")) => {
            format!("{found}, expected a whole number of 0 or more")
        }
        Some((found, "i64")) => format!("{found}, expected a whole number"),
        Some((found, "a map")) => format!("{found}, expected an object"),
        _ => text.to_owned(),
    }
}

/// A body without members. It has no meaning, but its media type keeps pages of other sites away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

/// The media type of the body, which must be one of these.
pub(super) fn require<'a>(request: &Request, known: &[&'a str]) -> Result<&'a str, Problem> {
    let sent = request.content_type().and_then(|value| value.split(';').next());
    let is_sent = |known: &&&str| sent.is_some_and(|sent| sent.trim().eq_ignore_ascii_case(known));
    known.iter().find(is_sent).copied().ok_or_else(|| {
        let detail = format!("send {}", known.join(" or "));
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    })
}

/// Reads a body of at most `limit` bytes.
async fn read_bytes(body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let bytes = body.into_bytes_limit(limit).await.map_err(|_| {
        let detail = format!("the body is larger than {} KiB", limit / 1024);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    })?;
    Ok(bytes.into())
}

/// Reads a directory, or a part of one, in JSON. No object may have two fields with the same name.
pub(super) async fn read_value(
    request: &Request,
    body: Body,
    media: &[&str],
) -> Result<Value, Problem> {
    require(request, media)?;
    let text = read_text(body).await?;
    check_keys(&text).map_err(bad_request)?;
    serde_json::from_str(&text).map_err(bad_request)
}

/// Reads a directory in text form.
pub(super) async fn read_text(body: Body) -> Result<String, Problem> {
    let bytes = read_bytes(body, DIRECTORY_LIMIT).await?;
    String::from_utf8(bytes).map_err(|_| bad_request("the body is not valid UTF-8"))
}
