use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::{Issued, TokenRequest};
use crate::grants::Code;
use crate::refusal::Refusal;

/// Redeems a code (RFC 6749 section 4.1.3): checks the request, then the code against it.
pub(super) fn redeem(request: TokenRequest<'_>) -> Result<Issued, Refusal> {
    let TokenRequest { context, parameters, client, .. } = &request;
    let app = &client.app;
    let code = parameters.required("code")?;
    let redirect_uri = parameters.required("redirect_uri")?;
    let platform = app
        .platform_of(redirect_uri)
        .ok_or_else(|| Refusal::redirect_uri_unknown(redirect_uri, &app.client_id))?;
    request.check_platform(platform)?;
    let verifier = parameters.optional("code_verifier")?;
    // Whatever is wrong with the request must not use the code up.
    let scopes = request.scopes()?;
    let grant = context.codes.redeem(code, context.now(), |code| {
        if code.grant.app.client_id != app.client_id {
            Err(Refusal::grant_of_another_app())
        } else if code.grant.authority != request.authority {
            Err(Refusal::code_of_another_tenant("Authorization"))
        } else if code.redirect_uri != redirect_uri {
            Err(Refusal::redirect_uri_changed(redirect_uri, &code.redirect_uri))
        } else {
            check_verifier(code, verifier)
        }
    })?;
    request.issue(&grant, scopes.as_ref().unwrap_or(&grant.scopes), || {
        context.refresh_tokens.issue(grant.clone(), context.now())
    })
}

/// Checks the verifier against the challenge; without the one there must not be the other either
/// (RFC 9700 section 2.1.1, the PKCE downgrade).
fn check_verifier(code: &Code, verifier: Option<&str>) -> Result<(), Refusal> {
    match (&code.challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Refusal::verifier_missing()),
        (Some(challenge), Some(verifier)) if *challenge == challenge_of(verifier) => Ok(()),
        (_, Some(_)) => Err(Refusal::verifier_mismatch()),
    }
}

/// The S256 challenge of a verifier (RFC 7636 section 4.6).
fn challenge_of(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}
