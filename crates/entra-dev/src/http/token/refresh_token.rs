use super::{Issued, TokenRequest};
use crate::grants::Grant;
use crate::refusal::Refusal;

/// Renews tokens (RFC 6749 section 6); a refresh token is good for every API that the person has
/// consented to ("Refresh tokens in the Microsoft identity platform").
pub(super) fn redeem(request: TokenRequest<'_>) -> Result<Issued, Refusal> {
    let TokenRequest { context, parameters, client, .. } = &request;
    let token = parameters.required("refresh_token")?;
    let renewal = context.refresh_tokens.find(token, context.now())?;
    if renewal.grant.app.client_id != client.app.client_id {
        return Err(Refusal::grant_of_another_app());
    }
    request.check_platform(renewal.grant.platform)?;
    let scopes = request.scopes()?;
    // The nonce belongs to the first ID token (OpenID Connect Core section 12.2).
    let grant = Grant { nonce: None, ..renewal.grant.clone() };
    request.issue(&grant, scopes.as_ref().unwrap_or(&grant.scopes), || {
        context.refresh_tokens.renew(renewal.with_grant(grant.clone()), context.now())
    })
}
