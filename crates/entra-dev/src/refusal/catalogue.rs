//! All refusals, in alphabetical order.

use poem::http::StatusCode;

use crate::{
    directory::{App, Authority},
    keys::SignError,
};

use super::Refusal;

impl Refusal {
    /// The account belongs to another tenant and is not a guest in this one.
    pub(crate) fn account_of_another_tenant(account: &str, tenant: &str, app: &App) -> Self {
        let App { client_id, name, .. } = app;
        let text = format!(
            "User account '{account}' does not exist in tenant '{tenant}' and cannot access the \
             application '{client_id}'({name}) in that tenant. The account needs to be added as an \
             external user in the tenant first. Sign in with a different account, or at the tenant \
             of this one."
        );
        Self::new("invalid_request", 50020, text)
    }

    /// A personal account at an authority for work and school accounts.
    pub(crate) fn account_personal(account: &str) -> Self {
        let text = format!(
            "User account '{account}' is a personal Microsoft account. Personal Microsoft accounts \
             are not supported for this application unless explicitly invited to an organization. \
             Sign in with an organizational account."
        );
        Self::new("invalid_request", 500_200, text)
    }

    /// There is no such account.
    pub(crate) fn account_unknown(account: &str) -> Self {
        let text = format!("The user account '{account}' does not exist in this directory.");
        Self::new("invalid_request", 50034, text)
    }

    /// The consent of an administrator is required, and the person is not an administrator.
    pub(crate) fn admin_consent_required(app: &str) -> Self {
        let text = format!(
            "Admin consent is required for the permissions requested by {app}: sign in as an \
             administrator of the tenant to give it."
        );
        Self::new("access_denied", 90094, text)
    }

    /// Client credentials at a tenant that has no service principal of the app.
    pub(crate) fn app_not_added(client_id: &str, tenant: &str) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. \
             This can happen if the application has not been installed by the administrator of \
             the tenant: in the directory file, list the tenant in 'added_to'."
        );
        Self::new("unauthorized_client", 700_016, text)
    }

    /// On-behalf-of with an app-only token.
    pub(crate) fn app_only_assertion(client_id: &str) -> Self {
        let text = format!(
            "Application '{client_id}' is not allowed to make application on-behalf-of calls: the \
             assertion has no user in it."
        );
        Self::new("invalid_grant", 7_000_114, text)
    }

    /// A single-tenant app at `common` or `organizations`.
    pub(crate) fn app_single_tenant(client_id: &str, name: &str) -> Self {
        let text = format!(
            "Application '{client_id}'({name}) is not configured as a multi-tenant application. \
             Usage of this endpoint is not supported: use the endpoint of its own tenant."
        );
        Self::new("invalid_request", 50194, text)
    }

    /// There is no such app.
    pub(crate) fn app_unknown(client_id: &str, tenant: &str) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. \
             The apps that the development tenant knows are on its page /_dev."
        );
        Self::new("unauthorized_client", 700_016, text)
    }

    /// A client assertion with the audience of another endpoint.
    pub(crate) fn assertion_for_another_endpoint() -> Self {
        let text = "Client assertion is not for this token endpoint.";
        Self::unauthorized("invalid_client", 700_023, text)
    }

    /// A client assertion with an unknown key or an invalid signature.
    pub(crate) fn assertion_invalid(reason: &str) -> Self {
        let text = format!("Client assertion failed signature validation: {reason}.");
        Self::unauthorized("invalid_client", 700_027, text)
    }

    /// A client assertion that has expired or is not valid yet.
    pub(crate) fn assertion_not_in_time() -> Self {
        let text = "Client assertion is not within its valid time range.";
        Self::unauthorized("invalid_client", 700_024, text)
    }

    /// A client assertion whose issuer or subject is another app.
    pub(crate) fn assertion_of_another_app() -> Self {
        let text = "Client assertion names another application than client_id.";
        Self::unauthorized("invalid_client", 700_021, text)
    }

    /// The app requires an assignment, and the person has none.
    pub(crate) fn assignment_missing(person: &str, app: &str) -> Self {
        let text = format!(
            "The signed in user '{person}' is not assigned to a role for the application '{app}'. \
             Assign the user to the application."
        );
        Self::new("access_denied", 50105, text)
    }

    /// The API requires an assignment, and the client has none.
    pub(crate) fn assignment_of_app_missing(client_id: &str, resource: &str) -> Self {
        let text = format!(
            "Application '{client_id}' is not assigned to a role for the application '{resource}'."
        );
        Self::new("invalid_grant", 501_051, text)
    }

    /// The body exceeds the size limit.
    pub(crate) fn body_too_large() -> Self {
        let text = "The request body is larger than 64 KiB or could not be read.";
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self { status, ..Self::new("invalid_request", 90023, text) }
    }

    /// `code_challenge` does not have the form of a SHA-256 hash.
    pub(crate) fn challenge_malformed() -> Self {
        let text = "Invalid size of Code_Challenge parameter: S256 makes 43 characters.";
        Self::new("invalid_request", 501_491, text)
    }

    /// A challenge method other than S256, which is required (RFC 9700, section 2.1.1).
    pub(crate) fn challenge_method() -> Self {
        let text = "Invalid Code_Challenge_method parameter: only 'S256' is accepted.";
        Self::new("invalid_request", 50149, text)
    }

    /// A single-page app must use PKCE.
    pub(crate) fn challenge_missing() -> Self {
        let text = "Proof Key for Code Exchange is required for cross-origin authorization code \
                    redemption.";
        Self::new("invalid_request", 9_002_325, text)
    }

    /// The `claims` parameter is not a JSON object (OpenID Connect Core, section 5.5).
    pub(crate) fn claims_malformed() -> Self {
        let text = "The 'claims' request parameter is not valid: it must be a JSON object.";
        Self::new("invalid_request", 90023, text)
    }

    /// More than one credential in a request (RFC 6749, section 2.3).
    pub(crate) fn client_authenticated_twice() -> Self {
        let text = "The request carries more than one client credential: send one of \
                    'client_secret', 'client_assertion' and the Authorization header.";
        Self::new("invalid_request", 90100, text)
    }

    /// Different clients in the header and the body (RFC 6749, section 2.3).
    pub(crate) fn client_named_twice(in_body: &str, in_header: &str) -> Self {
        let text = format!(
            "The parameter 'client_id' is '{in_body}', and the Authorization header names \
             '{in_header}'."
        );
        Self::new("invalid_request", 90100, text)
    }

    /// A secret or an assertion is required.
    pub(crate) fn client_not_authenticated() -> Self {
        let text = "The request body must contain the following parameter: 'client_assertion' or \
                    'client_secret'.";
        Self::unauthorized("invalid_client", 7_000_218, text)
    }

    /// The code has expired.
    pub(crate) fn code_expired() -> Self {
        let text = "The provided authorization code or refresh token has expired due to \
                    inactivity. Send a new interactive authorization request for this user and \
                    resource.";
        Self::new("invalid_grant", 70008, text)
    }

    /// An authorization code or device code of another tenant.
    pub(crate) fn code_of_another_tenant(kind: &str) -> Self {
        let text = format!(
            "The provided {kind} Code is intended to use against other tenant, thus rejected. \
             OAuth2 {kind} Code must be redeemed against same tenant it was acquired for (/common \
             or /{{tenant-ID}} as appropriate)."
        );
        Self::new("invalid_grant", 700_005, text)
    }

    /// The code has been redeemed before (RFC 6749, section 4.1.2).
    pub(crate) fn code_redeemed() -> Self {
        let text = "OAuth2 Authorization code was already redeemed, please retry with a new valid \
                    code or use an existing refresh token.";
        Self::new("invalid_grant", 54005, text)
    }

    /// A malformed `req_cnf`.
    pub(crate) fn confirmation_malformed() -> Self {
        let text = "The 'req_cnf' request parameter is not valid: it must be a JSON object with a \
                    'kid', in base64url.";
        Self::new("invalid_request", 90023, text)
    }

    /// The person pressed Cancel.
    pub(crate) fn consent_declined() -> Self {
        let text = "User declined to consent to access the app.";
        let suberror = Some("cancel");
        Self { suberror, ..Self::new("access_denied", 65004, text) }
    }

    /// Nobody has consented to these scopes.
    pub(crate) fn consent_missing(client_id: &str, name: &str) -> Self {
        let text = format!(
            "The user or administrator has not consented to use the application with ID \
             '{client_id}' named '{name}'. Send an interactive authorization request for this user \
             and resource."
        );
        let suberror = Some("consent_required");
        Self { suberror, ..Self::new("invalid_grant", 65001, text) }
    }

    /// Client credentials at `common` or `organizations`: without a person, the tenant is unknown.
    pub(crate) fn credentials_need_a_tenant() -> Self {
        let text = "No tenant-identifying information found in either the request or implied by \
                    any provided credentials: use the endpoint of one tenant.";
        Self::new("invalid_request", 50059, text)
    }

    /// `.default` with another scope of an API.
    pub(crate) fn default_scope_combined(scopes: &str) -> Self {
        let text = format!(
            "The provided value for the input parameter 'scope' is not valid. The scope '{scopes}' \
             is not valid. .default scope can't be combined with resource-specific scopes."
        );
        Self::new("invalid_scope", 70011, text)
    }

    /// Client credentials with a scope other than `.default`.
    pub(crate) fn default_scope_needed(scope: &str) -> Self {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have \
             a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        Self::new("invalid_scope", 1_002_012, text)
    }

    /// The person has declined.
    pub(crate) fn device_declined() -> Self {
        let text = "The request was already authorized or declined: the user declined it.";
        Self::new("authorization_declined", 90120, text)
    }

    /// The device code has expired.
    pub(crate) fn device_expired() -> Self {
        let text = "Verification code expired. Have the user retry the sign-in.";
        Self::new("expired_token", 70019, text)
    }

    /// The person has not signed in yet (RFC 8628, section 3.5).
    pub(crate) fn device_pending() -> Self {
        let text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
        Self::new("authorization_pending", 70016, text)
    }

    /// The device code is unknown, or of another app.
    pub(crate) fn device_unknown() -> Self {
        let text = "The provided value for the 'device_code' parameter is not valid.";
        Self::new("bad_verification_code", 70018, text)
    }

    /// The form was sent by a page of another site.
    pub(crate) fn form_of_another_site() -> Self {
        let text = "This form can be sent from the development tenant's own pages only.";
        Self::new("invalid_request", 90004, text)
    }

    /// A well-formed but unknown code or refresh token.
    pub(crate) fn grant_invalid(parameter: &str) -> Self {
        let text = format!("The provided value for the '{parameter}' parameter is not valid.");
        Self::new("invalid_grant", 70000, text)
    }

    /// A malformed code or refresh token.
    pub(crate) fn grant_malformed() -> Self {
        let text = "Invalid request. Request is malformed or invalid.";
        Self::new("invalid_grant", 9_002_313, text)
    }

    /// The grant was issued to another app.
    pub(crate) fn grant_of_another_app() -> Self {
        let text = "The provided grant was not issued to this client application.";
        Self::new("invalid_grant", 70000, text)
    }

    /// An unsupported grant type.
    pub(crate) fn grant_unsupported(grant_type: &str) -> Self {
        let text = format!("The app requested an unsupported grant type '{grant_type}'.");
        Self::new("unsupported_grant_type", 70003, text)
    }

    /// On-behalf-of with an ID token.
    pub(crate) fn id_token_assertion() -> Self {
        let text = "Input id_token cannot be used as \
                    'urn:ietf:params:oauth:grant-type:jwt-bearer' grant.";
        Self::new("invalid_grant", 240_002, text)
    }

    /// A malformed scope, or none.
    pub(crate) fn invalid_scope(scope: &str) -> Self {
        let text = format!(
            "The provided value for the input parameter 'scope' is not valid. The scope '{scope}' \
             is not valid."
        );
        Self::new("invalid_scope", 70011, text)
    }

    /// An assertion that is not a JWT.
    pub(crate) fn jwt_malformed() -> Self {
        Self::new("invalid_request", 50027, "JWT token is invalid or malformed.")
    }

    /// `prompt=none`, and nobody is signed in (OpenID Connect Core, section 3.1.2.6).
    pub(crate) fn login_required() -> Self {
        let text = "A silent sign-in request was sent but no user is signed in.";
        Self::new("login_required", 50058, text)
    }

    /// An unsupported method. The status is 405, where Entra's is 400.
    pub(crate) fn method(method: &str, allowed: &str) -> Self {
        let text =
            format!("The endpoint only accepts {allowed} requests. Received a {method} request.");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self { status, ..Self::new("invalid_request", 900_561, text) }
    }

    /// A required parameter is missing.
    pub(crate) fn missing(parameter: &str) -> Self {
        let text = format!("The request must contain the following parameter: '{parameter}'.");
        Self::new("invalid_request", 900_144, text)
    }

    /// The body is not a form.
    pub(crate) fn not_a_form() -> Self {
        let text = "The request body must contain the following parameter: 'grant_type'. Send it \
                    as application/x-www-form-urlencoded.";
        Self::new("invalid_request", 900_144, text)
    }

    /// On-behalf-of with an assertion that is not an access token of this tenant for this app.
    pub(crate) fn on_behalf_of_assertion(reason: &str) -> Self {
        let text = format!(
            "Assertion failed: {reason}. The assertion must be an access token for this \
             application."
        );
        Self::new("invalid_grant", 50013, text)
    }

    /// On-behalf-of with an access token for another API.
    pub(crate) fn on_behalf_of_assertion_audience(audience: &str, client_id: &str) -> Self {
        let text = format!(
            "Assertion audience does not match the Client app presenting the assertion. The \
             audience in the assertion was '{audience}' and the expected audience is \
             '{client_id}' or one of the Application Uris of this application."
        );
        Self::new("invalid_grant", 500_131, text)
    }

    /// On-behalf-of with an assertion that has expired or is not valid yet.
    pub(crate) fn on_behalf_of_assertion_expired() -> Self {
        let text = "Assertion is not within its valid time range. Ensure that the access token is \
                    not expired before using it for user assertion, or request a new token.";
        Self::new("invalid_grant", 500_133, text)
    }

    /// A grant of a single-page app is not redeemed by a script in a browser.
    pub(crate) fn origin_missing() -> Self {
        let text = "Tokens issued for the 'Single-Page Application' client-type may only be \
                    redeemed via cross-origin requests: send an Origin header.";
        Self::new("invalid_request", 9_002_327, text)
    }

    /// A script in a browser redeems a grant of another kind of app.
    pub(crate) fn origin_unexpected() -> Self {
        let text = "Cross-origin token redemption is permitted only for the 'Single-Page \
                    Application' client-type: register the redirect URI as one, or send no Origin.";
        Self::new("invalid_request", 9_002_326, text)
    }

    /// The API does not have this permission.
    pub(crate) fn permission_unknown(permission: &str, resource: &str) -> Self {
        let text = format!(
            "The application asked for scope '{permission}' that doesn't exist on the resource \
             '{resource}'."
        );
        Self::new("invalid_client", 650_053, text)
    }

    /// An unknown value of `prompt` (OpenID Connect Core, section 3.1.2.1).
    pub(crate) fn prompt_unsupported(prompt: &str) -> Self {
        let text = format!("Unsupported 'prompt' value: '{prompt}'.");
        Self::new("invalid_request", 90023, text)
    }

    /// The redirect URI differs from that of the authorization request (RFC 6749, section 4.1.3).
    pub(crate) fn redirect_uri_changed(now: &str, before: &str) -> Self {
        let text = format!(
            "The reply address '{now}' does not match the reply address '{before}' provided when \
             requesting Authorization code."
        );
        Self::new("invalid_grant", 500_112, text)
    }

    /// The redirect URI is not registered.
    pub(crate) fn redirect_uri_unknown(uri: &str, client_id: &str) -> Self {
        let text = format!(
            "The redirect URI '{uri}' specified in the request does not match the redirect URIs \
             configured for the application '{client_id}'."
        );
        Self::new("invalid_request", 50011, text)
    }

    /// The refresh token has expired.
    pub(crate) fn refresh_token_expired(single_page: bool) -> Self {
        if single_page {
            let text = "The refresh token was issued to a single page app (SPA), and therefore has \
                        a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is \
                        now expired and a new sign in request must be sent by the SPA to the sign \
                        in page.";
            return Self::new("invalid_grant", 700_084, text);
        }
        let text = "The refresh token has expired due to inactivity: it was not used for 90 days.";
        Self::new("invalid_grant", 700_082, text)
    }

    /// A parameter is repeated (RFC 6749, section 3.1).
    pub(crate) fn repeated(parameter: &str) -> Self {
        let text = format!("The parameter '{parameter}' is given more than once.");
        Self::new("invalid_request", 90100, text)
    }

    /// A `requested_token_use` other than `on_behalf_of`.
    pub(crate) fn requested_token_use() -> Self {
        let text = "The request body must contain 'requested_token_use' with the value \
                    'on_behalf_of'.";
        Self::new("invalid_request", 900_144, text)
    }

    /// The `resource` parameter does not name the API of the scopes (RFC 8707, section 2).
    pub(crate) fn resource_mismatch(resource: &str, of_scopes: &str) -> Self {
        let text = format!(
            "The resource parameter provided in the request doesn't match with the requested \
             scopes: it is '{resource}', but the scopes are of '{of_scopes}'."
        );
        Self::new("invalid_target", 9_010_010, text)
    }

    /// A scope names an unknown API.
    pub(crate) fn resource_unknown(resource: &str, tenant: &str) -> Self {
        let text = format!(
            "The resource principal named {resource} was not found in the tenant named {tenant}. \
             The apps that this tenant knows are on its page /_dev."
        );
        Self::new("invalid_resource", 500_011, text)
    }

    /// Scopes of several APIs. An access token is for one API.
    pub(crate) fn resources_several() -> Self {
        let text = "Provided value for the input parameter scope is not valid because it contains \
                    more than one resource.";
        Self::new("invalid_scope", 28000, text)
    }

    /// An unknown response mode, or `query` with an ID token.
    pub(crate) fn response_mode(mode: &str) -> Self {
        let text = format!("'{mode}' is not a supported value of 'response_mode' here.");
        Self::new("invalid_request", 70007, text)
    }

    /// An unsupported response type.
    pub(crate) fn response_type(response_type: &str) -> Self {
        let text = format!("response_type '{response_type}' is not enabled for the application.");
        Self::new("unsupported_response_type", 700_054, text)
    }

    /// The response type `token`: the authorization endpoint does not issue access tokens.
    pub(crate) fn response_type_token() -> Self {
        let text = "response_type 'token' is not enabled for the application.";
        Self::new("unsupported_response_type", 700_051, text)
    }

    /// The secret has expired.
    pub(crate) fn secret_expired(client_id: &str) -> Self {
        let text = format!("The provided client secret keys for app '{client_id}' are expired.");
        Self::unauthorized("invalid_client", 7_000_222, text)
    }

    /// A public client sends a credential.
    pub(crate) fn secret_of_a_public_client() -> Self {
        let text = "Client is public so neither 'client_assertion' nor 'client_secret' should be \
                    presented.";
        Self::unauthorized("invalid_client", 700_025, text)
    }

    /// The secret is wrong.
    pub(crate) fn secret_wrong(client_id: &str) -> Self {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app \
             '{client_id}'."
        );
        Self::unauthorized("invalid_client", 7_000_215, text)
    }

    /// `prompt=none` without a hint, and several accounts are signed in.
    pub(crate) fn sessions_several() -> Self {
        let text = "Either multiple user identities are available for the current request or \
                    selected account is not supported for the scenario.";
        Self::new("interaction_required", 16000, text)
    }

    /// A token could not be signed, which is a fault of the development tenant.
    pub(crate) fn signing_failed(error: &SignError) -> Self {
        tracing::error!(%error, "the development tenant failed to sign a token");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, ..Self::new("server_error", 90033, "A token could not be signed.") }
    }

    /// The tenant is unknown, or its name is malformed.
    pub(crate) fn tenant_unknown(tenant: &str) -> Self {
        if !Authority::is_well_formed(tenant) {
            let text = format!(
                "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid \
                 external domain."
            );
            return Self::new("invalid_request", 900_023, text);
        }
        Self { error: "invalid_request", ..Self::tenant_unpublished(tenant) }
    }

    /// The tenant is unknown, or its name is malformed, in a request for the metadata or the key
    /// set.
    pub(crate) fn tenant_unpublished(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and \
             are signing into the correct cloud: the start page of the development tenant lists \
             its tenants."
        );
        Self::new("invalid_tenant", 90002, text)
    }

    /// A `token_type` other than `Bearer` and `pop`.
    pub(crate) fn token_type(token_type: &str) -> Self {
        let text = format!(
            "The 'token_type' '{token_type}' is not supported: use 'pop' for proof of possession, \
             or leave it out for a bearer token."
        );
        Self::new("invalid_request", 90023, text)
    }

    /// No device with this user code is waiting.
    pub(crate) fn user_code_unknown() -> Self {
        let text = "That code is not valid, has expired or was used. Ask the device for a new one.";
        Self::new("invalid_request", 90119, text)
    }

    /// The code verifier does not match the challenge (RFC 7636, section 4.6).
    pub(crate) fn verifier_mismatch() -> Self {
        let text = "The Code_Verifier does not match the code_challenge supplied in the \
                    authorization request.";
        Self::new("invalid_grant", 501_481, text)
    }

    /// The code verifier is missing. Entra sends the same text as for a wrong verifier, but a
    /// different number.
    pub(crate) fn verifier_missing() -> Self {
        let text = "The code_verifier does not match the code_challenge supplied in the \
                    authorization request for PKCE: it is missing.";
        Self::new("invalid_grant", 50148, text)
    }
}
