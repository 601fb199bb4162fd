//! `/_dev/directory`: reads and changes tenants, people, groups and apps.

use std::{str, sync::Arc};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use poem::{
    Body, Request, Response, handler,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
    web::Data,
};

use crate::{
    directory::{Directory, DirectoryError, Edit, Edited},
    http::{context::Context, response::json},
};

use super::{
    body::{JSON, read_text, read_value, require},
    problem::{Problem, bad_request},
    run::run,
};

const PATH: &str = "/_dev/directory";
const TOML: &str = "application/toml";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// `GET /_dev/directory` and below: the directory, or the part that the path names.
#[handler]
pub(in crate::http) fn show(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &context.directory().part(&segments(request)?)?))
}

/// `GET /_dev/directory.toml`: the directory as a file.
#[handler]
pub(in crate::http) fn export(Data(context): Data<&Arc<Context>>) -> Response {
    Response::builder()
        .content_type("application/toml")
        .header("cache-control", "no-store")
        .body(context.directory().to_toml())
}

/// `POST /_dev/directory/{collection}`, or a list in an entry: adds an entry or a text.
#[handler]
pub(in crate::http) async fn add(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let value = read_value(request, body, &[JSON]).await?;
    change(context, Edit::add(segments(request)?, value)).await
}

/// `PUT /_dev/directory` and below: replaces the directory, an entry or a field.
#[handler]
pub(in crate::http) async fn put(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let path = segments(request)?;
    if path.is_empty() && require(request, &[JSON, TOML])? == TOML {
        return replace(context, body).await;
    }
    let value = read_value(request, body, &[JSON]).await?;
    change(context, Edit::put(path, value)).await
}

/// `PATCH /_dev/directory/{collection}/{entry}` and below: changes some fields.
#[handler]
pub(in crate::http) async fn patch(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let value = read_value(request, body, &[JSON, MERGE_PATCH]).await?;
    change(context, Edit::patch(segments(request)?, value)).await
}

/// `DELETE /_dev/directory/{collection}/{entry}` and below: removes an entry, a field or a text.
#[handler]
pub(in crate::http) async fn remove(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Result<Response, Problem> {
    change(context, Edit::remove(segments(request)?)).await
}

/// `POST /_dev/directory/reset`: the directory as it was when the tenant was started.
#[handler]
pub(in crate::http) async fn reset(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Result<StatusCode, Problem> {
    // The body has no meaning, but its media type keeps pages of other sites away.
    require(request, &[JSON])?;
    let context = Arc::clone(context);
    run(move || context.reset_directory()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces the directory by the one in a TOML file.
async fn replace(context: &Arc<Context>, body: Body) -> Result<Response, Problem> {
    let text = read_text(body).await?;
    let directory = Directory::parse_sent(&text).map_err(|error| match error {
        DirectoryError::Faults(faults) => {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            bad_request(faults.join("; "))
        }
        DirectoryError::Read { .. } => bad_request(error),
    })?;
    let changed = Arc::clone(context);
    run(move || changed.set_directory(&directory)).await?;
    Ok(json(StatusCode::OK, &context.directory().to_json()))
}

/// Changes the directory, and responds with the new value.
async fn change(context: &Arc<Context>, edit: Edit) -> Result<Response, Problem> {
    let changed = Arc::clone(context);
    let Edited { value, path, created, .. } = run(move || changed.edit_directory(&edit)).await?;
    let Some(value) = value else {
        return Ok(Response::builder().status(StatusCode::NO_CONTENT).finish());
    };
    let mut response = json(if created { StatusCode::CREATED } else { StatusCode::OK }, &value);
    let segments = path.iter().map(|segment| utf8_percent_encode(segment, &RESERVED).to_string());
    let directory = [format!("{}/directory", context.controls_path())];
    let location = directory.into_iter().chain(segments).collect::<Vec<_>>().join("/");
    if let (true, Ok(location)) = (created, HeaderValue::from_str(&location)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// The decoded segments of the path below `/_dev/directory`.
fn segments(request: &Request) -> Result<Vec<String>, Problem> {
    let path = request.uri().path();
    let path = path.strip_prefix(PATH).unwrap_or_default().trim_matches('/');
    let decode = |segment| percent_decode_str(segment).decode_utf8().map(|text| text.into_owned());
    let segments = path.split('/').filter(|_| !path.is_empty()).map(decode);
    segments.collect::<Result<_, str::Utf8Error>>().map_err(|_| {
        bad_request("the path is not valid UTF-8: encode each segment like encodeURIComponent")
    })
}

/// What is encoded in a segment of a path (RFC 3986, section 3.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
