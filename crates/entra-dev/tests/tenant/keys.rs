//! The signing keys and their file.

use std::{collections::HashSet, fs};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use entra_dev::{
    DevTenant, KeyError, Options, StartError,
    ids::{CONSUMERS, CONTOSO},
};
use serde_json::{Value, json};

use crate::support::{TestTenant, new_folder};

const PATH: &str = "/common/discovery/v2.0/keys";

#[tokio::test]
async fn the_key_set_has_the_members_of_entra() {
    let tenant = TestTenant::start().await;
    let document = tenant.get_json(PATH).await;
    let keys = document["keys"].as_array().unwrap();
    let general = tenant.url("/{tenantid}/v2.0");
    let personal = tenant.url(&format!("/{CONSUMERS}/v2.0"));
    let issuers: Vec<_> = keys.iter().map(|key| key["issuer"].as_str().unwrap()).collect();
    assert_eq!(issuers, [&general, &general, &personal]);
    for key in keys {
        let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"]);
        assert_eq!(key["kty"], "RSA");
        assert_eq!(key["use"], "sig");
        assert_eq!(key["e"], "AQAB");
        assert_eq!(key["kid"], key["x5t"]);
        let modulus = BASE64_URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
        assert_eq!(modulus.len(), 256);
        let certificate = BASE64_STANDARD.decode(key["x5c"][0].as_str().unwrap()).unwrap();
        assert!(certificate.windows(modulus.len()).any(|window| window == modulus));
        let thumbprint =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
        assert_eq!(key["x5t"], BASE64_URL_SAFE_NO_PAD.encode(thumbprint));
    }
    let kids: HashSet<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids.len(), keys.len());
}

#[tokio::test]
async fn all_tenants_publish_the_same_keys() {
    let tenant = TestTenant::start().await;
    let keys = tenant.get_json(PATH).await;
    for name in [CONTOSO, "consumers", "organizations"] {
        assert_eq!(tenant.get_json(&format!("/{name}/discovery/v2.0/keys")).await, keys);
    }
}

#[tokio::test]
async fn a_restart_keeps_the_keys() {
    let folder = new_folder();
    let first = TestTenant::start_in(folder.clone()).await;
    let before = kids(&first.get_json(PATH).await);
    first.tenant.stop().await;
    let second = TestTenant::start_in(folder.clone()).await;
    assert_eq!(kids(&second.get_json(PATH).await), before);
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_started_together_share_the_keys() {
    let folder = new_folder();
    let (one, other) =
        tokio::join!(TestTenant::start_in(folder.clone()), TestTenant::start_in(folder.clone()));
    assert_eq!(kids(&one.get_json(PATH).await), kids(&other.get_json(PATH).await));
    assert_eq!(one.tenant.ca_certificate(), other.tenant.ca_certificate());
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["ca-with-key.pem", "ca.pem", "signing-keys.json"]);
    fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_key_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = new_folder();
    let tenant = TestTenant::start_in(folder.clone()).await;
    for file in ["signing-keys.json", "ca-with-key.pem"] {
        let mode = fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    tenant.tenant.stop().await;
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_corrupt_key_file_is_reported_and_not_changed() {
    let shared = TestTenant::start().await;
    let good = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("shared-keys");
    let good = fs::read_to_string(good.join("signing-keys.json")).unwrap();
    let mut swapped: Value = serde_json::from_str(&good).unwrap();
    swapped["general"]["certificate"] = swapped["next"]["certificate"].clone();
    let good_keys: Value = serde_json::from_str(&good).unwrap();
    let [general, next, personal] = ["general", "next", "personal"].map(|name| &good_keys[name]);
    let array = json!([general, next, personal]);
    let mut inner = good_keys.clone();
    inner["next"] = json!([next["pkcs8"], next["certificate"]]);
    shared.tenant.stop().await;
    for content in [
        "",
        "{}",
        "{\"general\": 1}",
        &good[..good.len() / 2],
        &swapped.to_string(),
        &array.to_string(),
        &inner.to_string(),
    ] {
        let folder = new_folder();
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("signing-keys.json");
        fs::write(&path, content).unwrap();
        let options = Options { data_dir: Some(folder.clone()), ..Options::ephemeral() };
        let error = DevTenant::start_with(options).await.err().unwrap();
        assert!(matches!(error, StartError::Keys(KeyError::Corrupt { .. })), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        fs::remove_dir_all(folder).unwrap();
    }
}

#[tokio::test]
async fn keys_can_be_kept_in_memory() {
    let options = Options::ephemeral();
    let tenant = DevTenant::start_with(options).await.unwrap();
    assert!(tenant.access_token("ada").is_ok());
    tenant.stop().await;
}

fn kids(document: &Value) -> Vec<String> {
    let keys = document["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}
