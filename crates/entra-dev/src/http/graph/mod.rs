//! `/graph/v1.0`: the part of Microsoft Graph that says who the caller is and in which groups
//! (<https://learn.microsoft.com/graph/api/resources/users>).

mod caller;
mod error;
mod membership;
mod query;
mod resource;
mod user;

use std::sync::Arc;

use poem::{
    Body, Request, Response, handler,
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderValue, ORIGIN},
    },
    web::Data,
};
use serde_json::Value;

use crate::{
    audit::{Entry, Outcome},
    directory::Directory,
};

use self::{
    caller::Caller,
    error::{GraphError, RequestIds},
    query::Query,
    resource::Resource,
};
use super::{body_limit::BODY_LIMIT, context::Context, cors::Cors, recorded::entry_with_token};

pub(super) use self::error::problem_of_token;

/// Where this part of Microsoft Graph is, below the URL of a listener.
pub(crate) const PATH: &str = "/graph/v1.0";

const MEDIA_TYPE: &str = "application/json; odata.metadata=minimal; odata.streaming=true; \
                          IEEE754Compatible=false; charset=utf-8";

/// A request whose token was accepted.
struct GraphRequest<'a> {
    directory: &'a Directory,
    caller: &'a Caller,
    /// The URL of this part of Graph, as the client knows it.
    base_url: &'a str,
    query: &'a Query,
}

impl GraphRequest<'_> {
    /// The URL that describes the content of a response.
    fn context_url(&self, content: &str) -> String {
        format!("{}/$metadata#{content}", self.base_url)
    }
}

/// Every path below `/graph`.
#[handler]
pub(super) async fn serve(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let ids = RequestIds::of(request);
    let directory = &context.directory();
    let answer = respond(context, directory, request, body).await;
    let outcome = answer.as_ref().map_or_else(GraphError::outcome, |_| Outcome::Granted);
    let path = request.uri().path();
    context.record(Entry {
        detail: Some(path.strip_prefix(PATH).unwrap_or(path).to_owned()),
        ..entry_with_token("graph", request, ids.client(), directory, outcome)
    });
    let mut response = match &answer {
        Ok(body) => Response::builder()
            .content_type(MEDIA_TYPE)
            .header("cache-control", "no-cache")
            .body(body.to_string()),
        Err(error) => error.response(&ids, context.now()),
    };
    if let Err(GraphError { status: StatusCode::METHOD_NOT_ALLOWED, .. }) = answer {
        let allowed = Resource::allowed(path);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    }
    ids.add_to(&mut response);
    Cors::Anyone.add_to(context, None, request.headers().get(ORIGIN), response)
}

async fn respond(
    context: &Context,
    directory: &Directory,
    request: &Request,
    body: Body,
) -> Result<Value, GraphError> {
    let listener = context.urls.of(request);
    let caller = &Caller::authenticate(context, directory, request, listener)?;
    let resource = Resource::parse(request.uri().path())?;
    let is_head_of = |method: Method| *request.method() == Method::HEAD && method == Method::GET;
    if *request.method() != resource.method() && !is_head_of(resource.method()) {
        return Err(GraphError::method(resource.method()));
    }
    let query = &Query::parse(request.uri().query().unwrap_or_default())?;
    let base_url = &format!("{listener}{PATH}");
    let graph_request = GraphRequest { directory, caller, base_url, query };
    let body = match *request.method() {
        Method::POST => body.into_bytes_limit(BODY_LIMIT).await.map_err(|_| GraphError::body())?,
        _ => Default::default(),
    };
    match &resource {
        Resource::User(target) => graph_request.user(target),
        Resource::MemberOf(target, kind) => graph_request.member_of(target, *kind, &resource),
        Resource::MemberIds(target, kind) => graph_request.member_ids(target, *kind, &body),
    }
}
