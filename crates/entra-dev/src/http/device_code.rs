//! `/{tenant}/oauth2/v2.0/devicecode`: the device authorization endpoint.

use poem::http::StatusCode;
use serde::Serialize;

use crate::{
    devices::{Device, DeviceCodes, INTERVAL, LIFETIME},
    refusal::Refusal,
};

use super::{
    client::Client,
    operation::Operation,
    request::{Answer, TenantRequest},
    response::json,
};

/// POST gives a device its codes (RFC 8628, section 3.1).
pub(super) const DEVICE_CODE: Operation = Operation::json("devicecode", handle);

/// The response (RFC 8628, section 3.2), with the message that Entra adds for the person.
#[derive(Serialize)]
struct DeviceAuthorization {
    user_code: String,
    device_code: String,
    verification_uri: String,
    expires_in: u64,
    interval: u64,
    message: String,
}

fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let authority = request.authority()?;
    let client = Client::authenticate(request, &authority)?;
    if !client.app.public_client {
        return Err(Refusal::client_not_authenticated());
    }
    let scopes = request.scopes()?;
    let verification_uri =
        format!("{}/{}/oauth2/deviceauth", request.base_url, authority.segment());
    let claims = request.claims()?.unwrap_or_default();
    let device = Device::new(client.app, authority, scopes, claims);
    let DeviceCodes { device_code, user_code } =
        request.context.devices.register(device, request.now());
    let message = format!(
        "To sign in, use a web browser to open the page {verification_uri} and enter the code \
         {user_code} to authenticate."
    );
    let (expires_in, interval) = (LIFETIME, INTERVAL);
    let body = DeviceAuthorization {
        user_code,
        device_code,
        verification_uri,
        expires_in,
        interval,
        message,
    };
    Ok(Answer::asked(json(StatusCode::OK, &body)))
}
