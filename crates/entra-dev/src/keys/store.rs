//! Generates the signing keys, and stores them in a file.

use std::{collections::BTreeMap, fs, io, path::Path, sync::Arc, thread};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::RsaKeyPair,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{CertificateParams, DistinguishedName, DnType};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::object::{Object, object};

use super::{
    error::{KeyError, failed},
    file::create,
    key_set::Keys,
    signing_key::SigningKey,
};

/// Reads the keys of the tenant from this folder, or generates and writes them first.
pub(super) fn open(folder: &Path) -> Result<Keys, KeyError> {
    open_file(folder, "signing-keys.json", generate, StoredKeys::into_keys)
}

/// The same for the key of an app that has its own. The client id is a GUID.
pub(super) fn open_own(folder: &Path, client_id: &str) -> Result<SigningKey, KeyError> {
    let name = format!("signing-key-{client_id}.json");
    open_file(folder, &name, StoredKey::generate, StoredKey::into_key)
}

fn open_file<T: Serialize + DeserializeOwned, K>(
    folder: &Path,
    name: &str,
    generate: fn() -> Result<T, KeyError>,
    parse: fn(T) -> Result<K, String>,
) -> Result<K, KeyError> {
    let path = folder.join(name);
    if let Some(keys) = read(&path, parse)? {
        return Ok(keys);
    }
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let keys = serde_json::to_vec_pretty(&generate()?).map_err(|_| KeyError::Generate)?;
    create(&path, &keys)?;
    // Another process may have written its keys first. Both then use those.
    read(&path, parse)?.ok_or_else(|| KeyError::Corrupt {
        path,
        reason: "it was deleted in the meantime".to_owned(),
    })
}

/// Generates three keys in parallel, because each takes a while.
pub(super) fn generate() -> Result<StoredKeys, KeyError> {
    thread::scope(|scope| {
        let others = [scope.spawn(StoredKey::generate), scope.spawn(StoredKey::generate)];
        let general = StoredKey::generate();
        let [next, personal] =
            others.map(|thread| thread.join().unwrap_or(Err(KeyError::Generate)));
        Ok(StoredKeys { general: general?, next: next?, personal: personal? })
    })
}

/// Generates one key.
pub(super) fn generate_one() -> Result<SigningKey, KeyError> {
    StoredKey::generate()?.into_key().map_err(|_| KeyError::Generate)
}

/// The content of the key file.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredKeys {
    #[serde(deserialize_with = "object")]
    general: StoredKey,
    #[serde(deserialize_with = "object")]
    next: StoredKey,
    #[serde(deserialize_with = "object")]
    personal: StoredKey,
}

impl StoredKeys {
    /// Parses the keys.
    pub(super) fn into_keys(self) -> Result<Keys, String> {
        Ok(Keys {
            general: Arc::new(self.general.into_key()?),
            next: Arc::new(self.next.into_key()?),
            personal: Arc::new(self.personal.into_key()?),
            retired: Vec::new(),
            own: BTreeMap::new(),
            stranger: None,
        })
    }
}

/// A key in the file. Both fields are DER in base64.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    pkcs8: String,
    certificate: String,
}

impl StoredKey {
    fn generate() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generate)?;
        let certificate = self_signed(pkcs8.as_ref()).map_err(|_| KeyError::Generate)?;
        Ok(Self {
            pkcs8: BASE64_STANDARD.encode(pkcs8.as_ref()),
            certificate: BASE64_STANDARD.encode(certificate),
        })
    }

    fn into_key(self) -> Result<SigningKey, String> {
        let decode = |text: &str| {
            BASE64_STANDARD.decode(text).map_err(|_| "a key is not valid base64".to_owned())
        };
        SigningKey::from_der(&decode(&self.pkcs8)?, &decode(&self.certificate)?)
            .map_err(|bad| bad.to_string())
    }
}

/// Reads a key file, if it exists.
fn read<T: DeserializeOwned, K>(
    path: &Path,
    parse: fn(T) -> Result<K, String>,
) -> Result<Option<K>, KeyError> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", path)(source)),
    };
    // The parser's message can contain parts of the file, which is secret.
    serde_json::from_slice(&content)
        .map_err(|error| format!("it is not the expected JSON (line {})", error.line()))
        .and_then(|Object(keys)| parse(keys))
        .map(Some)
        .map_err(|reason| KeyError::Corrupt { path: path.to_owned(), reason })
}

/// A certificate for `x5c`. Clients only use its key, and check neither its dates nor its chain.
fn self_signed(pkcs8: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
    let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), &rcgen::PKCS_RSA_SHA256)?;
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Development tenant, not Microsoft");
    Ok(params.self_signed(&key)?.der().to_vec())
}
