//! `/_dev/directory`: reads and changes tenants, people, groups and apps.

use std::{str, sync::Arc};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use poem::{
    Body, Request, Response, handler,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
    web::{
        Data,
        headers::{ETag, HeaderMapExt},
    },
};

use crate::{
    directory::{Directory, DirectoryError, Edit, Edited},
    http::{context::Context, response::json},
};

use super::{
    body::{Empty, JSON, read, read_text, read_value, require},
    preconditions::{Preconditions, entity_tag},
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
    let path = segments(request)?;
    let part = context.directory().part(&path)?;
    let tag = entity_tag(&part)?;
    tagged(&Preconditions::of(request, Some(path))?, tag, || json(StatusCode::OK, &part))
}

/// `GET /_dev/directory.toml`: the directory as a file. Its entity tag is that of the directory, so
/// that a file can be written back to it.
#[handler]
pub(in crate::http) fn export(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Result<Response, Problem> {
    let directory = context.directory();
    let tag = entity_tag(&directory.to_json())?;
    tagged(&Preconditions::of(request, Some(Vec::new()))?, tag, || {
        Response::builder()
            .content_type("application/toml")
            .header("cache-control", "no-store")
            .body(directory.to_toml())
    })
}

/// The response to a GET, with an entity tag. 304 if the client already has the current version.
fn tagged(
    preconditions: &Preconditions,
    tag: ETag,
    response: impl FnOnce() -> Response,
) -> Result<Response, Problem> {
    preconditions.check_match(Some(&tag))?;
    let mut response = match preconditions.is_known(Some(&tag)) {
        true => Response::builder().status(StatusCode::NOT_MODIFIED).finish(),
        false => response(),
    };
    response.headers_mut().typed_insert(tag);
    Ok(response)
}

/// `POST /_dev/directory/{collection}`, or a list in an entry: adds an entry or a text.
#[handler]
pub(in crate::http) async fn add(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let value = read_value(request, body, &[JSON]).await?;
    change(context, request, |path| Edit::add(path, value)).await
}

/// `PUT /_dev/directory` and below: replaces the directory, an entry or a field.
#[handler]
pub(in crate::http) async fn put(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    if segments(request)?.is_empty() && require(request, &[JSON, TOML])? == TOML {
        return replace(context, request, body).await;
    }
    let value = read_value(request, body, &[JSON]).await?;
    change(context, request, |path| Edit::put(path, value)).await
}

/// `PATCH /_dev/directory/{collection}/{entry}` and below: changes some fields.
#[handler]
pub(in crate::http) async fn patch(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let value = read_value(request, body, &[JSON, MERGE_PATCH]).await?;
    change(context, request, |path| Edit::patch(path, value)).await
}

/// `DELETE /_dev/directory/{collection}/{entry}` and below: removes an entry, a field or a text.
#[handler]
pub(in crate::http) async fn remove(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Result<Response, Problem> {
    change(context, request, Edit::remove).await
}

/// `POST /_dev/directory/reset`: the directory as it was when the tenant was started.
#[handler]
pub(in crate::http) async fn reset(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<StatusCode, Problem> {
    let Empty {} = read(request, body).await?;
    let preconditions = Preconditions::of(request, None)?;
    let context = Arc::clone(context);
    run(move || {
        let initial = context.issuer.directory.initial();
        context.set_directory_if(initial, |directory| preconditions.check(directory))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces the directory by the one in a TOML file.
async fn replace(
    context: &Arc<Context>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let preconditions = Preconditions::of(request, Some(Vec::new()))?;
    let text = read_text(body).await?;
    let directory = Directory::parse_sent(&text).map_err(|error| match error {
        DirectoryError::Faults(faults) => {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            bad_request(faults.join("; "))
        }
        DirectoryError::Read { .. } => bad_request(error),
    })?;
    let changed = Arc::clone(context);
    run(move || changed.set_directory_if(&directory, |before| preconditions.check(before))).await?;
    Ok(json(StatusCode::OK, &context.directory().to_json()))
}

/// Changes the part of the directory that the path of the request names, and responds with the new
/// value.
async fn change(
    context: &Arc<Context>,
    request: &Request,
    edit: impl FnOnce(Vec<String>) -> Edit,
) -> Result<Response, Problem> {
    let path = segments(request)?;
    let preconditions = Preconditions::of(request, Some(path.clone()))?;
    let (changed, edit) = (Arc::clone(context), edit(path));
    let edited =
        run(move || changed.edit_directory_if(&edit, |directory| preconditions.check(directory)));
    let Edited { value, path, created, .. } = edited.await?;
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
