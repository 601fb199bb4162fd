//! Responses, and assertions about them.

use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{HeaderMap, LOCATION},
};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::REDIRECT_URI;

/// A response with its body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn location(&self) -> Url {
        Url::parse(self.header(LOCATION.as_str()).unwrap()).unwrap()
    }

    pub(crate) fn redirect_parameter(&self, name: &str) -> Option<String> {
        let location = self.location();
        let mut pairs = location.query_pairs();
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// Asserts that this is an error page with this code.
    #[track_caller]
    pub(crate) fn assert_page_refusal(&self, code: u32) {
        assert_eq!(self.status, StatusCode::BAD_REQUEST, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(self.header("location"), None);
        assert!(self.body.contains(&format!("AADSTS{code}:")), "{}", self.body);
    }

    /// Asserts that this is a redirect to the app with this error and the state.
    #[track_caller]
    pub(crate) fn assert_redirected_refusal(&self, error: &str, code: u32) {
        assert_eq!(self.status, StatusCode::FOUND, "{}", self.body);
        assert!(self.location().as_str().starts_with(REDIRECT_URI));
        assert_eq!(self.redirect_parameter("error").as_deref(), Some(error));
        let description = self.redirect_parameter("error_description").unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        assert_eq!(self.redirect_parameter("state").as_deref(), Some("VHVlIE5vdiAyNA=="));
        assert_eq!(self.redirect_parameter("code"), None);
    }

    /// Asserts that this is a JSON error in the format of Entra.
    #[track_caller]
    pub(crate) fn assert_refusal(&self, status: u16, error: &str, code: u32) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let body = self.json();
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(body["error_codes"], serde_json::json!([code]), "{body}");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        let part = |name: &str| body[name].as_str().unwrap().to_owned();
        assert!(description.ends_with(&format!(
            " Trace ID: {} Correlation ID: {} Timestamp: {}",
            part("trace_id"),
            part("correlation_id"),
            part("timestamp"),
        )));
        assert!(part("error_uri").ends_with(&format!("/error?code={code}")));
        let mut members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let expected = [
            "correlation_id",
            "error",
            "error_codes",
            "error_description",
            "error_uri",
            "timestamp",
            "trace_id",
        ];
        assert_eq!(members, expected);
    }

    /// Asserts that this is a problem document whose detail contains this text.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, detail: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["title"], self.status.canonical_reason().unwrap());
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(detail), "{said}");
    }

    /// Asserts that this is an empty success.
    #[track_caller]
    pub(crate) fn assert_done(&self) {
        assert_eq!((self.status.as_u16(), self.body.as_str()), (204, ""));
    }

    /// A token in a successful response.
    #[track_caller]
    pub(crate) fn token(&self, name: &str) -> String {
        assert_eq!(self.status.as_u16(), 200, "{}", self.body);
        self.json()[name].as_str().unwrap().to_owned()
    }

    /// A parameter in the fragment of the redirect.
    pub(crate) fn fragment_parameter(&self, name: &str) -> Option<String> {
        let location = self.location();
        let mut pairs = form_urlencoded::parse(location.fragment()?.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The value of a hidden input.
    pub(crate) fn hidden_input(&self, name: &str) -> Option<String> {
        let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&start)?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    /// Asserts that this is a page with this heading.
    #[track_caller]
    pub(crate) fn assert_page(&self, heading: &str) {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(self.header("location"), None);
        assert!(self.body.contains(&format!("<h1>{heading}</h1>")), "{}", self.body);
    }

    /// Asserts that this is a redirect to the app with a code.
    #[track_caller]
    pub(crate) fn assert_code(&self, status: StatusCode) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.redirect_parameter("error"), None);
        assert_eq!(self.redirect_parameter("code").unwrap().len(), 43);
        assert_eq!(self.redirect_parameter("state").as_deref(), Some("VHVlIE5vdiAyNA=="));
    }
}
