//! The device authorization grant (RFC 8628, section 3.4).

use crate::{http::request::Answer, refusal::Refusal};

use super::token_request::TokenRequest;

/// Issues tokens to a device after a person has signed in elsewhere.
pub(super) fn redeem(token_request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let TokenRequest { request, authority, client, .. } = token_request;
    let code = request.parameters.required("device_code")?;
    // Read before the code is redeemed: a faulty request must not use up the code.
    let scopes = token_request.requested_scopes()?;
    let (context, now) = (request.context, request.now());
    let grant = context.devices.redeem(code, &client.app, authority, now, |granted| {
        request.check_resource(scopes.as_ref().unwrap_or(granted))
    })?;
    let grant = grant.in_directory(request.directory(), &client.app)?;
    token_request.issue(&grant, scopes.as_ref().unwrap_or(&grant.scopes), || {
        context.refresh_tokens.issue(grant.clone(), now)
    })
}
