//! The scopes and app roles of the declaration, as Microsoft Graph writes them.

use aws_lc_rs::digest;
use uuid::{Builder, Uuid};

use crate::api::security;

use super::resources::{AppRole, PermissionScope};

/// The optional claims of access tokens that the API reads: who is a guest, what kind of caller a
/// token is for, what the client can do, and whether agents act.
pub(super) const OPTIONAL_CLAIMS: [&str; 6] =
    ["acct", "idtyp", "xms_cc", "xms_act_fct", "xms_sub_fct", "xms_par_app_azp"];

/// The scopes of the API.
pub(super) fn scopes() -> impl Iterator<Item = PermissionScope> {
    security::SCOPES.iter().map(|scope| PermissionScope {
        id: scope_id(scope.name),
        value: scope.name.to_owned(),
        r#type: "User".to_owned(),
        is_enabled: true,
        admin_consent_display_name: scope.admin_consent_name.to_owned(),
        admin_consent_description: scope.admin_consent_description.to_owned(),
        user_consent_display_name: scope.user_consent_name.to_owned(),
        user_consent_description: scope.user_consent_description.to_owned(),
        ..PermissionScope::default()
    })
}

/// The app roles of the API, which are for people and groups.
pub(super) fn roles() -> impl Iterator<Item = AppRole> {
    security::registered_roles().map(|(name, description)| AppRole {
        id: role_id(name),
        value: Some(name.to_owned()),
        display_name: name.to_owned(),
        description: description.to_owned(),
        allowed_member_types: vec!["User".to_owned()],
        is_enabled: true,
        ..AppRole::default()
    })
}

/// The id that `register` gives to a scope. It follows from the name, so a request that is repeated
/// after an interruption is the same, and an entry says by its id that `register` created it.
pub(super) fn scope_id(name: &str) -> String {
    id_of("scope", name)
}

/// The same for an app role.
pub(super) fn role_id(name: &str) -> String {
    id_of("role", name)
}

/// A UUID of version 5 (RFC 9562, section 5.5).
pub(super) fn id_of(kind: &str, name: &str) -> String {
    let text = [NAMESPACE.as_bytes(), kind.as_bytes(), b"/", name.as_bytes()].concat();
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid().to_string()
}

/// A random UUID. It must never change.
const NAMESPACE: Uuid = Uuid::from_u128(0xb1a0_6d5c_52f7_4f0e_9d4b_3c7e_8a61_f2d9);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_change() {
        assert_eq!(scope_id("access_as_user"), "c3503b77-d20a-5c52-9a00-fdff2b8e0c65");
        assert_ne!(scope_id("Admin"), role_id("Admin"));
        assert_eq!(role_id("Admin").as_bytes()[14], b'5', "the version");
    }
}
