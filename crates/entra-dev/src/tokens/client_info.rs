//! The `client_info` of token responses.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::directory::Person;

/// The `client_info`: `{"uid":…,"utid":…}` in base64url. MSAL derives its account ids from it.
pub(crate) fn client_info(person: &Person) -> String {
    let info = serde_json::json!({ "uid": person.oid, "utid": person.tenant });
    BASE64_URL_SAFE_NO_PAD.encode(info.to_string())
}
