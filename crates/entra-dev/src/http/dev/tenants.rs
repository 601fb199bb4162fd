//! `/_dev/tenants`: isolated tenants, one for each test.

use std::sync::Arc;

use poem::{
    Body, Request, Response, handler,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
    web::{Data, Path},
};
use serde_json::{Value, json};

use crate::http::{context::Context, response::json as respond, routing, tenants::Tenants};

use super::{
    body::{JSON, read_value},
    problem::Problem,
    run::run,
};

/// `GET /_dev/tenants`: all isolated tenants.
#[handler]
pub(in crate::http) fn list(Data(tenants): Data<&Arc<Tenants>>, request: &Request) -> Response {
    let isolated = tenants.isolated();
    let described: Vec<_> = isolated.iter().map(|context| describe(context, request)).collect();
    respond(StatusCode::OK, &json!({ "tenants": described }))
}

/// `POST /_dev/tenants`: creates an isolated tenant. The body is a directory, or an empty object
/// for a copy of the one with which the process was started.
#[handler]
pub(in crate::http) async fn create(
    Data(tenants): Data<&Arc<Tenants>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let document = read_value(request, body, &[JSON]).await?;
    let tenants = Arc::clone(tenants);
    let context = run(move || tenants.isolate(document)).await?;
    let mut response = respond(StatusCode::CREATED, &describe_fully(&context, request));
    if let Ok(location) = HeaderValue::from_str(&context.controls_path()) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /_dev/tenants/{id}`: one isolated tenant with its directory.
#[handler]
pub(in crate::http) fn describe_one(
    Path(id): Path<String>,
    Data(tenants): Data<&Arc<Tenants>>,
    request: &Request,
) -> Result<Response, Problem> {
    let context = tenants.find(&id).ok_or_else(|| not_found(&id))?;
    Ok(respond(StatusCode::OK, &describe_fully(&context, request)))
}

/// `DELETE /_dev/tenants/{id}`: removes an isolated tenant with everything in it.
#[handler]
pub(in crate::http) fn discard(
    Path(id): Path<String>,
    Data(tenants): Data<&Arc<Tenants>>,
) -> Result<StatusCode, Problem> {
    if tenants.remove(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(not_found(&id)) }
}

fn not_found(id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, routing::unknown(id))
}

fn describe(context: &Context, request: &Request) -> Value {
    let id = context.isolated_id().unwrap_or_default();
    let base_url = context.urls.of(request);
    json!({
        "id": id,
        "authority": format!("{base_url}/{id}"),
        "controls": format!("{base_url}{}", context.controls_path()),
    })
}

fn describe_fully(context: &Context, request: &Request) -> Value {
    let mut description = describe(context, request);
    description["directory"] = context.directory().to_json();
    description
}
