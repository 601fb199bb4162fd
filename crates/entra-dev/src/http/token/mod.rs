//! `/{tenant}/oauth2/v2.0/token`: the token endpoint, with one file for each grant.

mod authorization_code;
mod client_credentials;
mod device_code;
mod on_behalf_of;
mod refresh_token;
mod token_request;

use poem::http::header::ORIGIN;

use crate::refusal::Refusal;

use self::token_request::TokenRequest;
use super::{
    client::Client,
    operation::Operation,
    request::{Answer, TenantRequest},
};

/// POST issues tokens (RFC 6749, section 4.1.3).
pub(super) const TOKEN: Operation = Operation::json("token", handle).for_single_page_apps();

fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let authority = request.authority()?;
    let redeem = match request.parameters.required("grant_type")? {
        "authorization_code" => authorization_code::redeem,
        "refresh_token" => refresh_token::redeem,
        "client_credentials" => client_credentials::redeem,
        // MSAL sends the first name from Python and the second from Node.
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => device_code::redeem,
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => on_behalf_of::redeem,
        other => return Err(Refusal::grant_unsupported(other)),
    };
    let client = Client::authenticate(request, &authority)?;
    let cross_origin = request.http.headers().contains_key(ORIGIN);
    redeem(&TokenRequest { request, authority, client, cross_origin })
}
