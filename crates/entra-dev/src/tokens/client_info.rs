use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::directory::Person;

/// What comes beside the tokens where a client asks for it: `{"uid":…,"utid":…}`, from which MSAL
/// makes its account ids.
pub(crate) fn client_info(person: &Person) -> String {
    let info = serde_json::json!({ "uid": person.oid, "utid": person.tenant });
    BASE64_URL_SAFE_NO_PAD.encode(info.to_string())
}
