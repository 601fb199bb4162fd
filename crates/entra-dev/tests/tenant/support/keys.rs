//! The published keys, and the tokens that they sign.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::Client;
use serde_json::Value;

use super::{Answer, TestTenant};

/// The key set of a tenant.
pub(crate) struct PublishedKeys(Vec<Value>);

impl PublishedKeys {
    pub(crate) async fn of(tenant: &TestTenant) -> Self {
        Self::at(&tenant.browser, &tenant.url("/common/discovery/v2.0/keys")).await
    }

    /// The key set at this URL.
    pub(crate) async fn at(browser: &Client, url: &str) -> Self {
        let answer = Answer::of(browser.get(url)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Self(answer.json()["keys"].as_array().unwrap().clone())
    }

    pub(crate) fn kids(&self) -> Vec<&str> {
        self.0.iter().map(|key| key["kid"].as_str().unwrap()).collect()
    }

    /// The issuer of the key with this id.
    pub(crate) fn issuer(&self, kid: &str) -> &str {
        let key = self.0.iter().find(|key| key["kid"] == kid).unwrap();
        key["issuer"].as_str().unwrap()
    }

    /// The id of the key that verifies the signature, whatever the header of the token says. This
    /// uses another library than the tenant.
    pub(crate) fn signer(&self, token: &str) -> Option<&str> {
        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_nbf = false;
        signature_only.validate_aud = false;
        let made_it = |key: &&Value| {
            let part = |name: &str| key[name].as_str().unwrap();
            let key = DecodingKey::from_rsa_components(part("n"), part("e")).unwrap();
            decode::<Value>(token, &key, &signature_only).is_ok()
        };
        self.0.iter().find(made_it).map(|key| key["kid"].as_str().unwrap())
    }
}

/// The header of a token, without verification.
pub(crate) fn token_header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}
