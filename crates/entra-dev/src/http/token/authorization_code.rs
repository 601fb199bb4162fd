//! The authorization code grant (RFC 6749, section 4.1.3).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{grants::Code, http::request::Answer, refusal::Refusal};

use super::token_request::TokenRequest;

/// Redeems a code: checks the request, then whether the code belongs to it.
pub(super) fn redeem(token_request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let TokenRequest { request, authority, client, .. } = token_request;
    let (parameters, app) = (&request.parameters, &client.app);
    let code = parameters.required("code")?;
    let redirect_uri = parameters.required("redirect_uri")?;
    let platform = app
        .platform_of(redirect_uri)
        .ok_or_else(|| Refusal::redirect_uri_unknown(redirect_uri, &app.client_id))?;
    token_request.check_platform(platform)?;
    let verifier = parameters.optional("code_verifier")?;
    // Read before the code is redeemed: a faulty request must not use up the code.
    let scopes = token_request.requested_scopes()?;
    let grant = request.context.codes.redeem(code, request.now(), |code| {
        if code.grant.app.client_id != app.client_id {
            Err(Refusal::grant_of_another_app())
        } else if code.grant.authority != *authority {
            Err(Refusal::code_of_another_tenant("Authorization"))
        } else if code.redirect_uri != redirect_uri {
            Err(Refusal::redirect_uri_changed(redirect_uri, &code.redirect_uri))
        } else {
            check_verifier(code, verifier)?;
            request.check_resource(scopes.as_ref().unwrap_or(&code.grant.scopes))
        }
    })?;
    let grant = grant.in_directory(request.directory(), app)?;
    token_request.issue(&grant, scopes.as_ref().unwrap_or(&grant.scopes), || {
        request.context.refresh_tokens.issue(grant.clone(), request.now())
    })
}

/// Checks the verifier against the challenge. A verifier without a challenge is refused too: the
/// challenge may have been removed (PKCE downgrade; RFC 9700, section 2.1.1).
fn check_verifier(code: &Code, verifier: Option<&str>) -> Result<(), Refusal> {
    match (&code.challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Refusal::verifier_missing()),
        (Some(challenge), Some(verifier)) if *challenge == challenge_of(verifier) => Ok(()),
        (_, Some(_)) => Err(Refusal::verifier_mismatch()),
    }
}

/// The S256 challenge of a verifier (RFC 7636, section 4.6).
fn challenge_of(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}
