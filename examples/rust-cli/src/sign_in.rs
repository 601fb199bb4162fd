//! The device code flow (RFC 8628): the person signs in with a browser, on any device.

use anyhow::Context;
use oauth2::{
    ClientId, DeviceAuthorizationUrl, HttpClientError, HttpRequest, HttpResponse, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl, basic::BasicClient, http,
};
use reqwest::redirect;

use super::{DeviceCode, Settings};

/// Returns an access token.
pub(crate) async fn sign_in(
    settings: &Settings,
    show: impl AsyncFnOnce(DeviceCode),
) -> anyhow::Result<String> {
    let Settings { instance, tenant, .. } = settings;
    let endpoint = |name: &str| format!("{instance}/{tenant}/oauth2/v2.0/{name}");
    let entra = BasicClient::new(ClientId::new(settings.client_id.clone()))
        .set_device_authorization_url(DeviceAuthorizationUrl::new(endpoint("devicecode"))?)
        .set_token_uri(TokenUrl::new(endpoint("token"))?);
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build()?;
    let http = |request| send(&client, request);

    let scope = Scope::new(settings.scope.clone());
    let device: StandardDeviceAuthorizationResponse =
        entra.exchange_device_code().add_scope(scope).request_async(&http).await?;
    show(DeviceCode {
        page: device.verification_uri().to_string(),
        code: device.user_code().secret().clone(),
    })
    .await;
    let wait = entra.exchange_device_access_token(&device);
    let tokens = wait.request_async(&http, tokio::time::sleep, None).await;
    Ok(tokens.context("nobody has signed in")?.access_token().secret().clone())
}

/// Sends a request of the library, which has no HTTP client of its own.
async fn send(
    client: &reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, HttpClientError<reqwest::Error>> {
    let request = request.try_into().map_err(Box::new)?;
    let response = client.execute(request).await.map_err(Box::new)?;
    let mut builder = http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        builder = builder.header(name, value);
    }
    let body = response.bytes().await.map_err(Box::new)?.to_vec();
    builder.body(body).map_err(HttpClientError::Http)
}
