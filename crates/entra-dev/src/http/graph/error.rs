//! Error responses of Microsoft Graph (<https://learn.microsoft.com/graph/errors>).

use poem::{
    Request, Response,
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue, WWW_AUTHENTICATE},
    },
};
use serde_json::json;

use crate::{
    audit::Outcome, ids::MICROSOFT_GRAPH, random, timestamp::timestamp, tokens::AccessTokenError,
};

/// Why a request was refused.
#[derive(Debug)]
pub(super) struct GraphError {
    pub(super) status: StatusCode,
    code: &'static str,
    message: String,
    /// Where the client gets a token, if it needs another one.
    challenge: Option<String>,
}

impl GraphError {
    /// There is no token.
    pub(super) fn token_missing(base_url: &str) -> Self {
        Self::unauthorized(base_url, "Access token is empty.")
    }

    /// The token is not valid here.
    pub(super) fn token(base_url: &str, error: &AccessTokenError) -> Self {
        Self::unauthorized(base_url, problem_of_token(error))
    }

    /// The token has no permission for this.
    pub(super) fn denied(needed: &str) -> Self {
        let message =
            format!("Insufficient privileges to complete the operation: the token needs {needed}.");
        Self::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    }

    /// `/me` with a token that an app has got for itself.
    pub(super) fn not_delegated() -> Self {
        let text = "/me request is only valid with delegated authentication flow.";
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", text)
    }

    /// Nobody in the tenant has this object id or sign-in name.
    pub(super) fn not_found(name: &str) -> Self {
        let message = format!(
            "Resource '{name}' does not exist or one of its queried reference-property objects are \
             not present."
        );
        Self::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
    }

    /// A segment of the path names nothing.
    pub(super) fn segment(segment: &str) -> Self {
        let message = format!(
            "Resource not found for the segment '{segment}'. The development tenant has /me, \
             /users/{{id}} and, for both, /memberOf, /getMemberObjects and /getMemberGroups."
        );
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// Another version than `v1.0`.
    pub(super) fn version(version: &str) -> Self {
        let message = format!("Invalid version: {version}. The development tenant has v1.0.");
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The resource does not support this method.
    pub(super) fn method(allowed: Method) -> Self {
        let message =
            format!("Specified HTTP method is not allowed for the request target: send {allowed}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", message)
    }

    /// A query option that exists in Graph, but not here or not for this resource.
    pub(super) fn query(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    /// `$select` names a property that does not exist.
    pub(super) fn property(name: &str, kind: &str) -> Self {
        let message = format!(
            "Parsing OData Select and Expand failed: Could not find a property named '{name}' on \
             type 'microsoft.graph.{kind}'."
        );
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The `$skiptoken` is not one of ours, or the membership that it names has ended.
    pub(super) fn page_token() -> Self {
        let text = "The specified page token value has expired and can no longer be included in \
                    your request.";
        Self::new(StatusCode::BAD_REQUEST, "Directory_ExpiredPageToken", text)
    }

    /// The result has too many ids for one response.
    pub(super) fn too_many() -> Self {
        let text = "The result has more than 11,000 ids: use memberOf.";
        Self::new(StatusCode::BAD_REQUEST, "Directory_ResultSizeLimitExceeded", text)
    }

    /// The body could not be read.
    pub(super) fn body() -> Self {
        let text = "The request body is larger than 64 KiB or could not be read.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "BadRequest", text)
    }

    /// The body is not what the action needs.
    pub(super) fn bad_body(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    fn unauthorized(base_url: &str, message: impl Into<String>) -> Self {
        let challenge = format!(
            "Bearer realm=\"\", authorization_uri=\"{base_url}/common/oauth2/v2.0/authorize\", \
             client_id=\"{MICROSOFT_GRAPH}\""
        );
        let error = Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
        Self { challenge: Some(challenge), ..error }
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), challenge: None }
    }

    /// What the audit trail says. Errors of Graph have codes instead of numbers.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome::Refused { aadsts: 0, reason: format!("{}: {}", self.code, self.message) }
    }

    /// The error response. `now` is in seconds since the epoch.
    pub(super) fn response(&self, ids: &RequestIds, now: u64) -> Response {
        let date = timestamp(now).replace(' ', "T");
        let body = json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": date.trim_end_matches('Z'),
                "request-id": ids.request,
                "client-request-id": ids.client,
            },
        }});
        let mut response = Response::builder()
            .status(self.status)
            .content_type("application/json")
            .header("cache-control", "no-cache")
            .body(body.to_string());
        let challenge = self.challenge.as_ref().and_then(|text| HeaderValue::from_str(text).ok());
        if let Some(challenge) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What is wrong with an access token.
pub(in crate::http) fn problem_of_token(error: &AccessTokenError) -> String {
    match error {
        AccessTokenError::Malformed => {
            "CompactToken parsing failed with error code: 80049217. The token is not a JWT."
                .to_owned()
        }
        AccessTokenError::Signature => {
            "Signature is invalid: no published key has signed the token.".to_owned()
        }
        AccessTokenError::Expired => "Lifetime validation failed, the token is expired.".to_owned(),
        AccessTokenError::NotYetValid => {
            "Lifetime validation failed, the token is not yet valid.".to_owned()
        }
        AccessTokenError::Audience(audience) => format!(
            "Access token validation failure. Invalid audience: the token is for '{audience}', \
             not for https://graph.microsoft.com."
        ),
        AccessTokenError::Issuer(issuer) => format!(
            "Access token validation failure. Invalid issuer: no tenant here has the issuer \
             '{issuer}'."
        ),
        AccessTokenError::Bound => {
            "Access token validation failure. The token is bound to a key, so it is not a \
             bearer token."
                .to_owned()
        }
    }
}

/// The ids of a request, which are in the headers of every response.
pub(super) struct RequestIds {
    request: String,
    /// The GUID that the client has sent, otherwise the other id.
    client: String,
}

impl RequestIds {
    pub(super) fn of(request: &Request) -> Self {
        let id = random::guid();
        let sent = request.headers().get("client-request-id").and_then(|id| id.to_str().ok());
        let sent = sent.filter(|id| id.len() == 36 && uuid::Uuid::try_parse(id).is_ok());
        Self { client: sent.unwrap_or(&id).to_owned(), request: id }
    }

    /// The id that connects the log of the client with the response and the audit trail.
    pub(super) fn client(&self) -> &str {
        &self.client
    }

    pub(super) fn add_to(&self, response: &mut Response) {
        for (name, id) in [("request-id", &self.request), ("client-request-id", &self.client)] {
            if let Ok(id) = HeaderValue::from_str(id) {
                response.headers_mut().insert(HeaderName::from_static(name), id);
            }
        }
    }
}
