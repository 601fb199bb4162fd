use poem::Response;
use poem::http::StatusCode;
use url::form_urlencoded::byte_serialize;

use super::pages;

/// Where an answer to an authorization request goes, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reply<'a> {
    /// A registered redirect URI.
    pub(super) redirect_uri: &'a str,
    /// What is to be handed back with every answer.
    pub(super) state: Option<&'a str>,
    pub(super) mode: ResponseMode,
}

/// How an answer travels ("OAuth 2.0 Multiple Response Types" section 2.1, "OAuth 2.0 Form Post
/// Response Mode").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    /// The mode that this value of `response_mode` means.
    pub(super) fn parse(value: &str) -> Option<Self> {
        match value {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

impl Reply<'_> {
    /// The answer with these parameters and the state.
    ///
    /// `after_a_form` tells whether the browser has just sent a form: the status is 303 then, so
    /// that the form is not sent on (RFC 9700 section 4.12).
    pub(super) fn send(&self, parameters: &[(&str, &str)], after_a_form: bool) -> Response {
        let state = self.state.map(|state| ("state", state));
        let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
        let location = match self.mode {
            ResponseMode::FormPost => return pages::form_post(self.redirect_uri, &parameters),
            ResponseMode::Query => self.location('?', &parameters),
            ResponseMode::Fragment => self.location('#', &parameters),
        };
        Response::builder()
            .status(if after_a_form { StatusCode::SEE_OTHER } else { StatusCode::FOUND })
            .header("location", location)
            .header("cache-control", "no-store")
            .header("referrer-policy", "no-referrer")
            .finish()
    }

    /// The redirect URI with these parameters added.
    ///
    /// A space becomes `%20`, since many a script decodes with `decodeURIComponent`.
    fn location(&self, start: char, parameters: &[(&str, &str)]) -> String {
        let mut location = self.redirect_uri.to_owned();
        for (name, value) in parameters {
            location.push(if location.contains(start) { '&' } else { start });
            location.push_str(name);
            location.push('=');
            for part in byte_serialize(value.as_bytes()) {
                location.push_str(if part == "+" { "%20" } else { part });
            }
        }
        location
    }
}
