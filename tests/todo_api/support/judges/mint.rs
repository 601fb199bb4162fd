//! Makes tokens that the development tenant would issue, and tokens that it never would.

use std::{path::PathBuf, process::Command};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::support::{App, root, tenant_folder};

/// The header of the tenant's tokens, with a placeholder for the key id.
pub(crate) const HEADER: &str = r#"{"typ":"JWT","alg":"RS256","kid":"KID"}"#;

/// The tenant, and a script that signs what the tenant would not.
pub(crate) struct Mint<'a> {
    app: &'a App,
    node: PathBuf,
    /// The published keys: the general key, the next one, and the key of personal accounts.
    keys: Value,
}

impl<'a> Mint<'a> {
    pub(crate) async fn new(app: &'a App, node: PathBuf) -> Self {
        let keys =
            format!("{}/{}/discovery/v2.0/keys", app.tenant.base_url(), entra_dev::ids::CONTOSO);
        let keys = app.client.get(keys).send().await.unwrap().json().await.unwrap();
        Self { app, node, keys }
    }

    pub(crate) fn now(&self) -> u64 {
        self.app.clock.now()
    }

    pub(crate) fn issuer(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.app.tenant.base_url())
    }

    /// Uma's token with some claims changed.
    pub(crate) fn claims(&self, change: impl FnOnce(&mut Value)) -> String {
        self.app.forged(change)
    }

    /// Uma's payload with another header.
    pub(crate) fn header(&self, header: &str) -> String {
        self.signed("general", "RS256", header, &self.payload())
    }

    /// Another payload with the usual header.
    pub(crate) fn raw_payload(&self, payload: &str) -> String {
        self.signed("general", "RS256", HEADER, payload)
    }

    /// Uma's payload with more members at its start.
    pub(crate) fn payload_starting(&self, members: &str) -> String {
        self.raw_payload(&self.payload().replacen('{', &format!("{{{members}"), 1))
    }

    /// The text of Uma's payload.
    pub(crate) fn payload(&self) -> String {
        let token = self.claims(|_| {});
        String::from_utf8(URL_SAFE_NO_PAD.decode(parts(&token)[1]).unwrap()).unwrap()
    }

    /// A token signed by `tests/foreign/sign.mjs`.
    pub(crate) fn signed(&self, key: &str, algorithm: &str, header: &str, payload: &str) -> String {
        let key_set = &self.keys["keys"];
        let header = header
            .replace("\"KID\"", &key_set[0]["kid"].to_string())
            .replace("NEXT_JWK", &key_set[1].to_string())
            .replace("\"PERSONAL\"", &key_set[2]["kid"].to_string());
        let output = Command::new(&self.node)
            .arg(root().join("tests/foreign/sign.mjs"))
            .arg(tenant_folder().join("signing-keys.json"))
            .args([key, algorithm, &header, payload])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

pub(crate) fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

pub(crate) fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}
