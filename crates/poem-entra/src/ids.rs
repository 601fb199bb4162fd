//! Typed ids, so that a tenant's id cannot be used as a user's.

use std::fmt;

use uuid::Uuid;

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Parses a GUID in its hyphenated form, in upper or lower case. Returns `None` for
            /// anything else.
            pub fn parse(text: &str) -> Option<Self> {
                // `Uuid` also accepts the braced, simple and URN forms, which Entra never uses.
                (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
            }

            /// The GUID.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

guid! {
    /// The id of a tenant (`tid`).
    TenantId
}

guid! {
    /// The object id of a user or a service principal in a tenant (`oid`).
    ObjectId
}

guid! {
    /// The client id of an app registration (`azp` in v2 tokens, `appid` in v1 tokens).
    ClientId
}

impl TenantId {
    /// The tenant that all personal Microsoft accounts belong to
    /// (<https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>).
    pub const PERSONAL_ACCOUNTS: Self =
        Self(Uuid::from_u128(0x9188040d_6c67_4c5b_b112_36a304b66dad));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_a_guid() {
        let guid = "9188040d-6c67-4c5b-b112-36a304b66dad";
        assert_eq!(TenantId::parse(guid), Some(TenantId::PERSONAL_ACCOUNTS));
        assert_eq!(TenantId::parse(&guid.to_uppercase()), Some(TenantId::PERSONAL_ACCOUNTS));
        for other in ["", "contoso.example", &guid.replace('-', ""), &format!("{{{guid}}}")] {
            assert_eq!(TenantId::parse(other), None, "{other}");
        }
    }
}
