//! `/{tenant}/oauth2/v2.0/token`: the token endpoint, with one file for each grant.

mod authorization_code;
mod client_credentials;
mod device_code;
mod on_behalf_of;
mod refresh_token;
mod token_request;
mod user_fic;

use poem::http::header::ORIGIN;

use crate::{refusal::Refusal, tokens::Confirmation};

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
        "user_fic" => user_fic::redeem,
        other => return Err(Refusal::grant_unsupported(other)),
    };
    let client = Client::authenticate(request, &authority)?;
    let confirmation = confirmation(request)?;
    let cross_origin = request.http.headers().contains_key(ORIGIN);
    redeem(&TokenRequest { request, authority, client, confirmation, cross_origin })
}

/// The key to which the access token is to be bound, if the client asks for proof of possession. It
/// is read before a grant is redeemed: a faulty request must not use up the grant.
fn confirmation(request: &TenantRequest<'_>) -> Result<Option<Confirmation>, Refusal> {
    let parameters = &request.parameters;
    match parameters.optional("token_type")? {
        None => Ok(None),
        Some(name) if name.eq_ignore_ascii_case("bearer") => Ok(None),
        Some(name) if name.eq_ignore_ascii_case("pop") => {
            let confirmation = Confirmation::parse(parameters.required("req_cnf")?);
            confirmation.map(Some).ok_or_else(Refusal::confirmation_malformed)
        }
        Some(other) => Err(Refusal::token_type(other)),
    }
}
