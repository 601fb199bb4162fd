//! The authority that issues the tokens, and its signing keys.

use std::env;

use anyhow::Context;
use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, de::DeserializeOwned};

pub struct Authority {
    /// `http://localhost:{port}`.
    pub instance: String,
    pub tenant: String,
    /// The audience of the tokens.
    pub client_id: String,
}

/// The part of the discovery document that the servers need.
#[derive(Deserialize)]
pub struct Metadata {
    pub issuer: String,
    pub jwks_uri: String,
}

impl Authority {
    pub fn read() -> anyhow::Result<Self> {
        Ok(Self {
            instance: variable("INSTANCE")?,
            tenant: variable("TENANT")?,
            client_id: variable("CLIENT_ID")?,
        })
    }

    pub async fn metadata(&self) -> anyhow::Result<Metadata> {
        let Self { instance, tenant, .. } = self;
        get(&format!("{instance}/{tenant}/v2.0/.well-known/openid-configuration")).await
    }
}

impl Metadata {
    pub async fn keys(&self) -> anyhow::Result<JwkSet> {
        get(&self.jwks_uri).await
    }
}

async fn get<T: DeserializeOwned>(url: &str) -> anyhow::Result<T> {
    // The authority is on this machine: use no proxy.
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(client.get(url).send().await?.error_for_status()?.json().await?)
}

#[allow(clippy::disallowed_methods, reason = "these programs have no other settings")]
fn variable(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("set {name}"))
}

/// The claims of an access token that the servers read.
#[derive(Clone, Deserialize)]
pub struct Claims {
    scp: String,
}

impl Claims {
    /// Whether the user has consented to the scope of the operation.
    pub fn may_list_todos(&self) -> bool {
        self.scp.split(' ').any(|scope| scope == "access_as_user")
    }
}
