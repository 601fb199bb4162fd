use poem::http::StatusCode;
use serde::Serialize;

use crate::random;
use crate::timestamp::timestamp;

/// One way of saying no: an OAuth error code, Entra's own number, and its wording.
///
/// The numbers are those of "Microsoft Entra authentication and authorization error codes".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The `error` of RFC 6749 sections 4.1.2.1 and 5.2.
    pub(crate) error: &'static str,
    /// The number behind `AADSTS`.
    pub(crate) code: u32,
    /// The status where it is not sent by a redirect.
    pub(crate) status: StatusCode,
    message: String,
}

impl Refusal {
    /// The account is not one that may sign in here.
    pub(crate) fn account_unknown(account: &str) -> Self {
        let text = format!("The user account '{account}' does not exist in this directory.");
        Self::new("invalid_request", 50034, text)
    }

    /// There is no such app.
    pub(crate) fn app_unknown(client_id: &str, tenant: &str) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. \
             The development tenant knows only the apps its start page lists."
        );
        Self::new("unauthorized_client", 700_016, text)
    }

    /// The body is larger than anything a client has a reason to send.
    pub(crate) fn body_too_large() -> Self {
        let text = "The request body is larger than 64 KiB or could not be read.";
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self { status, ..Self::new("invalid_request", 90023, text) }
    }

    /// `code_challenge` cannot be the SHA-256 hash it has to be.
    pub(crate) fn challenge_malformed() -> Self {
        let text = "Invalid size of Code_Challenge parameter: S256 makes 43 characters.";
        Self::new("invalid_request", 501_491, text)
    }

    /// A challenge method other than S256, which RFC 9700 section 2.1.1 asks for.
    pub(crate) fn challenge_method() -> Self {
        let text = "Invalid Code_Challenge_method parameter: only 'S256' is accepted.";
        Self::new("invalid_request", 50149, text)
    }

    /// A single-page app has to use PKCE.
    pub(crate) fn challenge_missing() -> Self {
        let text = "Proof Key for Code Exchange is required for cross-origin authorization code \
                    redemption.";
        Self::new("invalid_request", 9_002_325, text)
    }

    /// The code is older than it may be.
    pub(crate) fn code_expired() -> Self {
        let text = "The provided authorization code or refresh token has expired due to \
                    inactivity. Send a new interactive authorization request for this user and \
                    resource.";
        Self::new("invalid_grant", 70008, text)
    }

    /// The code was given to another app.
    pub(crate) fn code_of_another_app() -> Self {
        let text = "The provided authorization code was not issued to this client application.";
        Self::new("invalid_grant", 70000, text)
    }

    /// The code comes from another tenant's page.
    pub(crate) fn code_of_another_tenant() -> Self {
        let text = "The provided Authorization Code is intended to use against other tenant, thus \
                    rejected. OAuth2 Authorization Code must be redeemed against same tenant it \
                    was acquired for (/common or /{tenant-ID} as appropriate).";
        Self::new("invalid_grant", 700_005, text)
    }

    /// The code has been used: codes are for one use (RFC 6749 section 4.1.2).
    pub(crate) fn code_redeemed() -> Self {
        let text = "OAuth2 Authorization code was already redeemed, please retry with a new valid \
                    code or use an existing refresh token.";
        Self::new("invalid_grant", 54005, text)
    }

    /// No such code was issued.
    pub(crate) fn code_unknown() -> Self {
        let text = "The provided value for the 'code' parameter is not valid.";
        Self::new("invalid_grant", 70000, text)
    }

    /// The development tenant itself failed.
    pub(crate) fn failed() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, ..Self::new("server_error", 90033, "A token could not be signed.") }
    }

    /// The grant is none that is supported.
    pub(crate) fn grant_unsupported(grant_type: &str) -> Self {
        let text = format!("The app requested an unsupported grant type '{grant_type}'.");
        Self::new("unsupported_grant_type", 70003, text)
    }

    /// A scope that this tenant has no resource for, or no scope of the API at all.
    pub(crate) fn invalid_scope(scope: &str) -> Self {
        let text = format!(
            "The provided value for the input parameter 'scope' is not valid. The scope '{scope}' \
             is not valid here: ask for '{}', and openid, profile, email if wanted.",
            crate::scope::access_as_user()
        );
        Self::new("invalid_scope", 70011, text)
    }

    /// `prompt=none` where somebody would have to be asked (OpenID Connect Core section 3.1.2.6).
    pub(crate) fn login_required() -> Self {
        let text = "A silent sign-in request was sent but no user is signed in.";
        Self::new("login_required", 50058, text)
    }

    /// A parameter that has to be there is not.
    pub(crate) fn missing(parameter: &str) -> Self {
        let text = format!("The request must contain the following parameter: '{parameter}'.");
        Self::new("invalid_request", 900_144, text)
    }

    /// The body is not a form, so that nothing in it was read.
    pub(crate) fn not_a_form() -> Self {
        let text = "The request body must contain the following parameter: 'grant_type'. Send it \
                    as application/x-www-form-urlencoded.";
        Self::new("invalid_request", 900_144, text)
    }

    /// A single-page app's code that is redeemed by something other than a script in a browser.
    pub(crate) fn origin_missing() -> Self {
        let text = "Tokens issued for the 'Single-Page Application' client-type may only be \
                    redeemed via cross-origin requests: send an Origin header.";
        Self::new("invalid_request", 9_002_327, text)
    }

    /// The redirect URI is none of the app's.
    pub(crate) fn redirect_uri_unknown(uri: &str, client_id: &str) -> Self {
        let text = format!(
            "The redirect URI '{uri}' specified in the request does not match the redirect URIs \
             configured for the application '{client_id}'."
        );
        Self::new("invalid_request", 50011, text)
    }

    /// The redirect URI is not the one the code was sent to (RFC 6749 section 4.1.3).
    pub(crate) fn redirect_uri_changed(now: &str, before: &str) -> Self {
        let text = format!(
            "The reply address '{now}' does not match the reply address '{before}' provided when \
             requesting Authorization code."
        );
        Self::new("invalid_grant", 500_112, text)
    }

    /// A parameter is there twice (RFC 6749 section 3.1 forbids it).
    pub(crate) fn repeated(parameter: &str) -> Self {
        let text = format!("The parameter '{parameter}' is given more than once.");
        Self::new("invalid_request", 90100, text)
    }

    /// A response mode other than the query.
    pub(crate) fn response_mode() -> Self {
        let text = "The response_mode is not supported: the development tenant knows 'query'.";
        Self::new("invalid_request", 70007, text)
    }

    /// A response type other than the code.
    pub(crate) fn response_type(response_type: &str) -> Self {
        let text = format!("response_type '{response_type}' is not enabled for the application.");
        Self::new("unsupported_response_type", 700_054, text)
    }

    /// A public client that sends a secret.
    pub(crate) fn secret_of_a_public_client() -> Self {
        let text = "Client is public so neither 'client_assertion' nor 'client_secret' should be \
                    presented.";
        let status = StatusCode::UNAUTHORIZED;
        Self { status, ..Self::new("invalid_client", 700_025, text) }
    }

    /// There is no such tenant.
    pub(crate) fn tenant_unknown(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and \
             are signing into the correct cloud: the start page of the development tenant lists \
             its tenants."
        );
        Self::new("invalid_tenant", 90002, text)
    }

    /// The verifier does not hash to the challenge (RFC 7636 section 4.6).
    pub(crate) fn verifier_mismatch() -> Self {
        let text = "The Code_Verifier does not match the code_challenge supplied in the \
                    authorization request.";
        Self::new("invalid_grant", 501_481, text)
    }

    /// The verifier is left out; Entra words that like a wrong one, with another number.
    pub(crate) fn verifier_missing() -> Self {
        let text = "The code_verifier does not match the code_challenge supplied in the \
                    authorization request for PKCE: it is missing.";
        Self::new("invalid_grant", 50148, text)
    }

    /// What is sent and logged when this happens at `now`, in seconds since the epoch.
    pub(crate) fn report(&self, now: u64) -> Report {
        let (trace_id, correlation_id) = (random::guid(), random::guid());
        let timestamp = timestamp(now);
        let Self { error, code, message, .. } = self;
        tracing::info!(aadsts = code, error, trace_id, "the development tenant refused a request");
        Report {
            error,
            error_description: format!(
                "AADSTS{code}: {message} Trace ID: {trace_id} Correlation ID: {correlation_id} \
                 Timestamp: {timestamp}"
            ),
            error_codes: [*code],
            timestamp,
            trace_id,
            correlation_id,
            error_uri: format!("https://login.microsoftonline.com/error?code={code}"),
        }
    }

    fn new(error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self { error, code, status: StatusCode::BAD_REQUEST, message: message.into() }
    }
}

/// A refusal as it goes out: the JSON of Entra's error answers.
///
/// `error_uri` is Microsoft's own page about the number, as in the real answers.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) error: &'static str,
    pub(crate) error_description: String,
    pub(crate) error_codes: [u32; 1],
    pub(crate) timestamp: String,
    pub(crate) trace_id: String,
    pub(crate) correlation_id: String,
    pub(crate) error_uri: String,
}
