//! Access tokens for Graph, as far as this server reads them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{directory::TENANT, refusal::Refusal};

/// The resource, by URL and by client id.
const AUDIENCES: [&str; 2] =
    ["https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"];

/// What the token of an administrator contains who consented to all of it.
const SCOPES: &str = "AppRoleAssignment.ReadWrite.All Application.ReadWrite.All \
                      DelegatedPermissionGrant.ReadWrite.All Organization.Read.All User.Read \
                      User.ReadBasic.All";

/// The claims of an access token. Clients must not validate tokens for Graph, and this server does
/// not either: it reads them.
#[derive(Debug, Clone)]
pub(crate) struct GraphToken {
    pub(crate) audience: &'static str,
    /// Seconds until it expires.
    pub(crate) lifetime: i64,
    pub(crate) scopes: &'static str,
    pub(crate) tenant: &'static str,
}

impl Default for GraphToken {
    fn default() -> Self {
        Self { audience: AUDIENCES[0], lifetime: 3600, scopes: SCOPES, tenant: TENANT }
    }
}

impl GraphToken {
    /// The token as a string.
    pub(crate) fn encode(&self) -> String {
        // Like the tokens of Graph, it has a nonce in its header.
        let header = json!({ "typ": "JWT", "nonce": "nonce", "alg": "RS256", "kid": "graph" });
        let now = i64::try_from(now()).unwrap();
        let payload = json!({
            "aud": self.audience,
            "iss": format!("https://sts.windows.net/{}/", self.tenant),
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + self.lifetime,
            "idtyp": "user",
            "scp": self.scopes,
            "tid": self.tenant,
            "ver": "1.0",
        });
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2lnbmF0dXJl", encode(&header), encode(&payload))
    }
}

/// The scopes of the token in this header. The messages are Graph's.
pub(super) fn scopes(authorization: Option<&str>) -> Result<Vec<String>, Refusal> {
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Refusal::unauthenticated("Access token is empty."))?;
    let claims = claims(token).ok_or_else(|| {
        Refusal::unauthenticated("IDX14100: JWT is not well formed, there are no dots (.).")
    })?;
    if !AUDIENCES.iter().any(|audience| claims["aud"] == *audience) {
        let message = "Access token validation failure. Invalid audience.";
        return Err(Refusal::unauthenticated(message));
    }
    if claims["exp"].as_u64().is_none_or(|end| end <= now()) {
        let message = "Lifetime validation failed, the token is expired.";
        return Err(Refusal::unauthenticated(message));
    }
    let scopes = claims["scp"].as_str().unwrap_or_default().split(' ');
    Ok(scopes.map(str::to_owned).collect())
}

fn claims(token: &str) -> Option<Value> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn now() -> u64 {
    poem_entra::Clock::now(&poem_entra::SystemClock)
}
