//! One client of each kind, as registered in the built-in directory.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;
use serde_json::Value;

use super::{Answer, CHALLENGE, Form, ORIGIN, REDIRECT_URI, TestTenant, VERIFIER};

pub(crate) const REPORTS_API: &str = "88888888-8888-4888-8888-888888888888";

/// A client that signs people in.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) client_id: &'static str,
    pub(crate) redirect_uri: &'static str,
    pub(crate) secret: Option<&'static str>,
    pub(crate) origin: Option<&'static str>,
}

pub(crate) const SINGLE_PAGE: Program = Program {
    client_id: SWAGGER_UI_CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    secret: None,
    origin: Some(ORIGIN),
};

pub(crate) const NATIVE: Program = Program {
    client_id: "66666666-6666-4666-8666-666666666666",
    redirect_uri: "http://localhost:50001",
    secret: None,
    origin: None,
};

pub(crate) const WEB: Program = Program {
    client_id: "77777777-7777-4777-8777-777777777777",
    redirect_uri: "http://localhost:3000/auth/callback",
    secret: Some("web-secret"),
    origin: None,
};

impl Program {
    /// An authorization request.
    pub(crate) fn authorization(&self, scope: &str) -> Form {
        Form::authorization()
            .with("client_id", self.client_id)
            .with("redirect_uri", self.redirect_uri)
            .with("scope", scope)
            .with("code_challenge", CHALLENGE)
    }

    pub(crate) fn redemption(&self, code: &str) -> Form {
        Form::redemption(code)
            .with("client_id", self.client_id)
            .with("redirect_uri", self.redirect_uri)
            .with("code_verifier", VERIFIER)
            .with("client_secret", self.secret.unwrap_or_default())
    }

    pub(crate) fn renewal(&self, refresh_token: &str) -> Form {
        Form::empty()
            .with("grant_type", "refresh_token")
            .with("refresh_token", refresh_token)
            .with("client_id", self.client_id)
            .with("client_secret", self.secret.unwrap_or_default())
    }

    /// Sends a request to the token endpoint of Contoso.
    pub(crate) async fn ask(&self, tenant: &TestTenant, form: &Form) -> Answer {
        let mut request = tenant.token_request(CONTOSO);
        if let Some(origin) = self.origin {
            request = request.header("origin", origin);
        }
        Answer::of(form.on(request)).await
    }

    /// Signs in at Contoso, and returns the token response.
    pub(crate) async fn sign_in(&self, tenant: &TestTenant, scope: &str, account: &str) -> Value {
        let code = tenant.code_for(CONTOSO, &self.authorization(scope), account).await;
        let answer = self.ask(tenant, &self.redemption(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    /// Signs in, and returns the refresh token.
    pub(crate) async fn refresh_token(&self, tenant: &TestTenant, account: &str) -> String {
        let body = self.sign_in(tenant, &format!("{} offline_access", api_scope()), account).await;
        text(&body, "refresh_token")
    }

    /// Redeems a refresh token, and returns the new one.
    pub(crate) async fn renew(&self, tenant: &TestTenant, refresh_token: &str) -> String {
        let answer = self.ask(tenant, &self.renewal(refresh_token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        text(&answer.json(), "refresh_token")
    }
}

/// The permission of the Todo API.
pub(crate) fn api_scope() -> String {
    format!("api://{API_CLIENT_ID}/access_as_user")
}

/// The permission of the Reports API.
pub(crate) fn reports_scope() -> String {
    format!("api://{REPORTS_API}/read")
}

/// A string in a JSON object.
#[track_caller]
pub(crate) fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
}

/// The claims of a token in a token response.
pub(crate) fn claims(body: &Value, token: &str) -> Value {
    TestTenant::claims(&text(body, token))
}
