//! Authorization responses: redirects to the app.

use poem::{Response, http::StatusCode};
use url::form_urlencoded::byte_serialize;

use super::pages;

/// Where an authorization response is sent, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Redirect<'a> {
    /// A registered redirect URI.
    pub(super) uri: &'a str,
    /// Returned with every response.
    pub(super) state: Option<&'a str>,
    pub(super) mode: ResponseMode,
}

/// The `response_mode` (OAuth 2.0 Multiple Response Type Encoding Practices, section 2.1; OAuth 2.0
/// Form Post Response Mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    /// The mode for a request that names none (OAuth 2.0 Multiple Response Type Encoding Practices,
    /// sections 3 and 5).
    pub(super) fn default_for(response_type: &str) -> Self {
        let has_a_token = response_type.split(' ').any(|word| matches!(word, "token" | "id_token"));
        if has_a_token { Self::Fragment } else { Self::Query }
    }

    /// Parses the value of the parameter.
    pub(super) fn parse(value: &str) -> Option<Self> {
        match value {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

impl Redirect<'_> {
    /// The response with these parameters and the state.
    ///
    /// After a form (`after_form`), the status is 303, so that the browser does not send the form
    /// on to the app (RFC 9700, section 4.12).
    pub(super) fn respond(&self, parameters: &[(&str, &str)], after_form: bool) -> Response {
        let state = self.state.map(|state| ("state", state));
        let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
        let location = match self.mode {
            ResponseMode::FormPost => return pages::form_post(self.uri, &parameters),
            ResponseMode::Query => self.location('?', &parameters),
            ResponseMode::Fragment => self.location('#', &parameters),
        };
        to(&location, if after_form { StatusCode::SEE_OTHER } else { StatusCode::FOUND })
    }

    /// The redirect URI with these parameters added.
    ///
    /// A space is encoded as `%20`, because many scripts decode with `decodeURIComponent`.
    fn location(&self, separator: char, parameters: &[(&str, &str)]) -> String {
        let mut location = self.uri.to_owned();
        for (name, value) in parameters {
            location.push(if location.contains(separator) { '&' } else { separator });
            location.push_str(name);
            location.push('=');
            for part in byte_serialize(value.as_bytes()) {
                location.push_str(if part == "+" { "%20" } else { part });
            }
        }
        location
    }
}

/// A redirect to this location, which must not be cached or leaked.
pub(super) fn to(location: &str, status: StatusCode) -> Response {
    Response::builder()
        .status(status)
        .header("location", location)
        .header("cache-control", "no-store")
        .header("referrer-policy", "no-referrer")
        .finish()
}
