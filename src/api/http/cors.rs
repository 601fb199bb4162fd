//! Cross-origin requests: the CORS protocol of the Fetch standard
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
//!
//! The server permits, and the browser enforces: a page of another origin cannot read a response
//! without permission. The server refuses only preflight requests, which have no other purpose.
//! Browsers also send `Origin` with requests of pages to their own server, so it never decides
//! whether any other request is served.
//!
//! poem's middleware does not do this: it refuses each request whose origin is not listed.
//! tower-http's middleware takes each OPTIONS request for a preflight request.

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

use crate::telemetry;

use super::problem::Problem;

/// The methods of the API.
const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";

/// The header fields that the API reads.
static READ: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    telemetry::REQUEST_ID,
];

/// The header fields that tracing libraries add to every request of a page. The page could not call
/// the API at all if one of them were missing here.
const TRACING: &[&str] = &[
    // W3C Trace Context and Baggage.
    "traceparent, tracestate, baggage",
    // Application Insights and Azure SDKs.
    "request-id, request-context, correlation-context, x-ms-client-request-id",
    // Zipkin, Jaeger, Sentry, Datadog, New Relic.
    "b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled, x-b3-flags, uber-trace-id",
    "sentry-trace, x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin",
    "x-datadog-sampling-priority, newrelic",
    // Others that many clients send.
    "x-correlation-id, x-requested-with",
];

/// The header fields of responses that pages may read.
static EXPOSED: [HeaderName; 8] = [
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    telemetry::REQUEST_ID,
];

/// How many seconds a browser may remember the response to a preflight request.
const MAX_AGE: u32 = 86_400;

/// The origins whose pages may call the API, and what they may send.
pub struct Cors {
    origins: Vec<HeaderValue>,
    headers: HeaderValue,
    exposed: HeaderValue,
}

impl Cors {
    /// Permits these origins, and these header fields in addition to those that the API reads and
    /// those of tracing libraries. Returns `None` if no origin is permitted.
    pub fn new(origins: &[String], headers: &[String]) -> Option<Self> {
        // The settings were checked, so nothing is left out here.
        let origins: Vec<_> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
        let read = READ.iter().map(HeaderName::as_str);
        let headers = read.chain(TRACING.iter().copied()).chain(headers.iter().map(String::as_str));
        let headers = list(headers);
        let exposed = list(EXPOSED.iter().map(HeaderName::as_str));
        (!origins.is_empty()).then_some(Self { origins, headers, exposed })
    }

    /// The response to a preflight request; `None` if this is another request.
    ///
    /// # Errors
    ///
    /// 403 if the origin is not permitted.
    pub fn preflight(&self, request: &Request) -> Option<Result<Response, Problem>> {
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN)?;
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        if !self.origins.contains(origin) {
            return Some(Err(Problem::origin_not_allowed()));
        }
        // The browser compares the lists with what the page wants to send.
        let response = Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS)
            .header(header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone())
            .header(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(Ok(response.finish()))
    }

    /// Permits the page to read the response, if the origin of the request is permitted.
    pub fn permit(&self, origin: Option<HeaderValue>, response: &mut HeaderMap) {
        // Without it, a cache could give the response for one origin to another one.
        response.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin.filter(|origin| self.origins.contains(origin)) {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
        }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> HeaderValue {
    let names: Vec<_> = names.collect();
    // Names of header fields are valid in a value.
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}
