//! The refresh token grant (RFC 6749, section 6).

use crate::{grants::Grant, http::request::Answer, refusal::Refusal};

use super::token_request::TokenRequest;

/// Issues new tokens. A refresh token is valid for every API that the person has consented to
/// (<https://learn.microsoft.com/entra/identity-platform/refresh-tokens>).
pub(super) fn redeem(token_request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let TokenRequest { request, client, .. } = token_request;
    let (refresh_tokens, now) = (&request.context.refresh_tokens, request.now());
    let token = refresh_tokens.find(request.parameters.required("refresh_token")?, now)?;
    if token.grant.app.client_id != client.app.client_id {
        return Err(Refusal::grant_of_another_app());
    }
    token_request.check_platform(token.grant.platform)?;
    let scopes = token_request.requested_scopes()?;
    // The nonce belongs to the first ID token (OpenID Connect Core, section 12.2).
    let grant = token.grant.in_directory(request.directory(), &client.app)?;
    let grant = Grant { nonce: None, ..grant };
    let scopes = scopes.as_ref().unwrap_or(&grant.scopes);
    request.check_resource(scopes)?;
    token_request
        .issue(&grant, scopes, || refresh_tokens.renew(token.with_grant(grant.clone()), now))
}
