//! Typed identifiers, so that a tenant can never be passed where a person is meant.

use std::fmt;

use uuid::Uuid;

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Reads a GUID in its hyphenated form, in either case; `None` for anything else.
            pub fn parse(text: &str) -> Option<Self> {
                // `Uuid` also reads braced, simple and URN forms, which Entra never issues.
                (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
            }

            /// The GUID itself.
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
    /// A directory (`tid`).
    TenantId
}

guid! {
    /// A person or a service principal within a tenant (`oid`).
    ObjectId
}

guid! {
    /// An app registration (`azp` in v2 tokens, `appid` in v1).
    ClientId
}

impl TenantId {
    /// The tenant of all personal Microsoft accounts
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
