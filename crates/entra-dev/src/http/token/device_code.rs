use super::{Issued, TokenRequest};
use crate::refusal::Refusal;

/// Hands a device what a person has granted to it elsewhere (RFC 8628 section 3.4).
pub(super) fn redeem(request: TokenRequest<'_>) -> Result<Issued, Refusal> {
    let TokenRequest { context, authority, parameters, client, .. } = &request;
    let code = parameters.required("device_code")?;
    // Whatever is wrong with the request must not use the code up.
    let scopes = request.scopes()?;
    let grant = context.devices.redeem(code, &client.app, authority, context.now())?;
    request.issue(&grant, scopes.as_ref().unwrap_or(&grant.scopes), || {
        context.refresh_tokens.issue(grant.clone(), context.now())
    })
}
