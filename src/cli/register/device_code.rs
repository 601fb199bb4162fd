//! The device code flow (RFC 8628;
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>).

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, header, redirect};
use serde::Deserialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::{causes::Causes, objects::Objects, register::Pause};

use super::terminal::Terminal;

const TIMEOUT: Duration = Duration::from_secs(30);
/// RFC 8628, section 3.5: how much longer to wait after `slow_down`.
const SLOWER: Duration = Duration::from_secs(5);

/// A public client and what it asks for.
pub(super) struct DeviceCode<'a> {
    pub(super) client_id: &'a str,
    /// The authority: instance and tenant, without a slash at the end.
    pub(super) authority: String,
    /// The scopes, separated by spaces.
    pub(super) scope: String,
}

/// The response to the first request.
#[derive(Deserialize)]
struct Started {
    device_code: String,
    user_code: String,
    verification_uri: String,
    /// In seconds.
    expires_in: u64,
    /// In seconds.
    #[serde(default = "five")]
    interval: u64,
}

fn five() -> u64 {
    5
}

impl DeviceCode<'_> {
    /// Shows the code, and waits until a person has signed in with it.
    ///
    /// # Errors
    ///
    /// What the authority said.
    pub(super) async fn token(
        &self,
        terminal: &Terminal,
        pause: &dyn Pause,
    ) -> anyhow::Result<String> {
        let client = client(&self.authority)?;
        let start = [("client_id", self.client_id), ("scope", &self.scope)];
        let started = self.post(&client, "devicecode", &start).await?;
        let started = Started::deserialize(Objects(started.map_err(explained)?))
            .context("the response of the device code endpoint cannot be understood")?;
        terminal.note(&format!(
            "To sign in, open {} and enter the code {}",
            printable(&started.verification_uri),
            printable(&started.user_code)
        ));
        let poll = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", self.client_id),
            ("device_code", &started.device_code),
        ];
        let mut interval = Duration::from_secs(started.interval);
        let mut left = Duration::from_secs(started.expires_in);
        loop {
            if left.is_zero() {
                bail!("the code has expired; run the command again");
            }
            // There is nothing to wait for when the code has expired.
            pause.pause(interval.min(left)).await;
            left = left.saturating_sub(interval.max(Duration::from_secs(1)));
            match self.post(&client, "token", &poll).await? {
                Ok(answer) => {
                    let token = answer["access_token"].as_str();
                    return token.map(str::to_owned).context("the authority sent no access_token");
                }
                Err(error) if error["error"] == "authorization_pending" => {}
                Err(error) if error["error"] == "slow_down" => {
                    interval = interval.saturating_add(SLOWER);
                }
                Err(error) => return Err(explained(error)),
            }
        }
    }

    /// The body of the response, or of the error.
    async fn post(
        &self,
        client: &Client,
        endpoint: &str,
        form: &[(&str, &str)],
    ) -> anyhow::Result<Result<Value, Value>> {
        let url = format!("{}/oauth2/v2.0/{endpoint}", self.authority);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = client.post(&url).body(body);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let unreachable = |error: reqwest::Error| {
            let error = error.without_url();
            anyhow::anyhow!(
                "{} cannot be reached: {}\nCheck the network. If this machine must use a proxy, set \
                 HTTPS_PROXY in the environment. Another cloud needs AAD_INSTANCE.",
                self.authority,
                Causes(&error)
            )
        };
        let response = request.send().await.map_err(unreachable)?;
        let is_success = response.status().is_success();
        let body = response.bytes().await.map_err(unreachable)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        Ok(if is_success { Ok(body) } else { Err(body) })
    }
}

/// What the authority's error means.
fn explained(error: Value) -> anyhow::Error {
    let code = error["error"].as_str().unwrap_or_default();
    let description = error["error_description"].as_str().unwrap_or_default();
    // The first line. The others are ids and the time.
    let description = printable(description.lines().next().unwrap_or_default());
    match code {
        "authorization_declined" | "access_denied" => {
            anyhow::anyhow!("the sign-in was declined in the browser")
        }
        "expired_token" => anyhow::anyhow!("the code has expired; run the command again"),
        "invalid_client" | "unauthorized_client" => anyhow::anyhow!(
            "the client may not use the device code flow: {description}\nIn its registration, under \
             Authentication, set Allow public client flows to Yes"
        ),
        "" => anyhow::anyhow!(
            "the response of the authority cannot be understood; check AAD_INSTANCE and --tenant"
        ),
        _ => {
            anyhow::anyhow!("the authority refused the sign-in: {} {description}", printable(code))
        }
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

fn client(authority: &str) -> anyhow::Result<Client> {
    let mut builder = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none());
    if Url::parse(authority).is_ok_and(|url| url.scheme() == "http") {
        // The authority is on this machine, where no proxy is needed.
        builder = builder.tls_certs_only([]).no_proxy();
    }
    builder.build().context("failed to start the HTTP client")
}
