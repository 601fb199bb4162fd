//! Request parameters.

use entra_dev::ids::{API_CLIENT_ID, SWAGGER_UI_CLIENT_ID};
use reqwest::RequestBuilder;
use url::form_urlencoded::Serializer;

pub(crate) const ORIGIN: &str = "http://localhost:8000";
pub(crate) const REDIRECT_URI: &str = "http://localhost:8000/oauth2-redirect";
pub(crate) const OTHER_REDIRECT_URI: &str = "http://localhost:8000/other?kept=1";
/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const UNKNOWN_CLIENT_ID: &str = "a0000000-0000-4000-8000-000000000000";

/// The parameters of a request, each of which a test can change.
#[derive(Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    /// The authorization request of Swagger UI.
    pub(crate) fn authorization() -> Self {
        Self::empty()
            .with("response_type", "code")
            .with("client_id", SWAGGER_UI_CLIENT_ID)
            .with("redirect_uri", REDIRECT_URI)
            .with("scope", &format!("api://{API_CLIENT_ID}/access_as_user"))
            .with("state", "VHVlIE5vdiAyNA==")
            .with("code_challenge", CHALLENGE)
            .with("code_challenge_method", "S256")
    }

    /// The redemption of a code by Swagger UI.
    pub(crate) fn redemption(code: &str) -> Self {
        Self::empty()
            .with("grant_type", "authorization_code")
            .with("code", code)
            .with("client_id", SWAGGER_UI_CLIENT_ID)
            .with("redirect_uri", REDIRECT_URI)
            .with("code_verifier", VERIFIER)
    }

    /// Sets a parameter.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Adds a parameter, even if it exists.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Adds the form to a request.
    pub(crate) fn on(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("content-type", "application/x-www-form-urlencoded").body(self.encoded())
    }
}

/// A client credentials request.
pub(crate) fn client_credentials(client_id: &str, secret: &str, scope: &str) -> Form {
    Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", client_id)
        .with("client_secret", secret)
        .with("scope", scope)
}

/// An on-behalf-of request of the Todo API.
pub(crate) fn on_behalf_of(assertion: &str, scope: &str) -> Form {
    Form::empty()
        .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .with("client_id", API_CLIENT_ID)
        .with("client_secret", "api-secret")
        .with("requested_token_use", "on_behalf_of")
        .with("assertion", assertion)
        .with("scope", scope)
}
