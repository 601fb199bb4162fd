//! The reasons for which tokens are refused, each with a heading in docs/TROUBLESHOOTING.md.
//!
//! A rejection names the broken rule. A case is finer: the rule `audience` is broken by a token for
//! Microsoft Graph, and by one for this API in another form. What the server knows leads to a case
//! with [`Case::of`]. `todo-api explain` also looks at the claims.

use poem_entra::{Refusal, Rejection, Rule};

/// Why a token is refused, or what is special about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    /// A v1 token at an API or an authority that knows only v2.
    V1Token,
    /// A token for Microsoft Graph.
    GraphToken,
    /// An ID token, with or without app roles.
    IdToken,
    /// The audience is this API, in a form that the settings do not list.
    AudienceForm,
    /// The audience is another app.
    OtherAudience,
    /// The audience is another API, and the token has a scope of it.
    OtherScope,
    /// The tenant is not the one that the API serves.
    WrongTenant,
    /// The tenant is not in the list of allowed ones.
    TenantNotAllowed,
    /// A personal Microsoft account at an API for work accounts.
    PersonalAccount,
    /// An account that was invited to the tenant.
    Guest,
    /// A user's token without the scope that the operation requires.
    MissingScope,
    /// Neither scopes nor app roles: nobody has consented.
    NoConsent,
    /// An app's own token at an operation for users.
    AppOnlyToken,
    /// No app role that the operation requires.
    MissingRole,
    /// The token has expired.
    Expired,
    /// The token is not valid yet, or was issued in the future.
    NotYetValid,
    /// The key that signed the token is unknown, and it is not clear why.
    UnknownKey,
    /// The key was published once, and is not any more.
    RotatedKey,
    /// The key belongs to another cloud.
    OtherCloudKey,
    /// The key belongs to a tenant of External ID.
    ExternalIdKey,
    /// The API has its own signing key.
    OwnSigningKey,
    /// The key belongs to another authority, which is not Entra or not the configured one.
    OtherAuthorityKey,
    /// The signature does not match: the token was changed.
    BrokenSignature,
    /// The end of the token is missing.
    TruncatedToken,
    /// A token that only its recipient can decrypt.
    EncryptedToken,
    /// A token that is bound to a key or a certificate.
    BoundToken,
    /// An agent acts, or the user account belongs to one.
    Agent,
    /// A token of a device or of another caller that is neither a user nor an app.
    DeviceToken,
    /// The caller has more groups than the token can list.
    GroupsOverage,
    /// The text is not a token that can be read.
    NotAJwt,
    /// The header has another scheme than `Bearer`.
    OtherScheme,
    /// The token's header is not one of Entra's, such as one with another algorithm.
    WrongHeader,
    /// The issuer is not that of the token's tenant and version.
    WrongIssuer,
    /// The key that signed the token belongs to another issuer.
    OtherIssuerKey,
    /// A required claim is missing, or a claim has the wrong type.
    BadClaim,
    /// The API has revoked the caller.
    Revoked,
    /// The sign-in lacks an authentication context.
    StepUp,
    /// The operation's policy refuses the caller for another reason.
    Denied,
    /// There are no signing keys to verify a token with.
    NoKeys,
}

impl Case {
    /// All cases, in the order of docs/TROUBLESHOOTING.md.
    pub const ALL: [Self; 39] = [
        Self::V1Token,
        Self::GraphToken,
        Self::IdToken,
        Self::AudienceForm,
        Self::OtherAudience,
        Self::OtherScope,
        Self::WrongTenant,
        Self::TenantNotAllowed,
        Self::PersonalAccount,
        Self::Guest,
        Self::MissingScope,
        Self::NoConsent,
        Self::AppOnlyToken,
        Self::MissingRole,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownKey,
        Self::RotatedKey,
        Self::OtherCloudKey,
        Self::ExternalIdKey,
        Self::OwnSigningKey,
        Self::OtherAuthorityKey,
        Self::BrokenSignature,
        Self::TruncatedToken,
        Self::EncryptedToken,
        Self::BoundToken,
        Self::Agent,
        Self::DeviceToken,
        Self::GroupsOverage,
        Self::NotAJwt,
        Self::OtherScheme,
        Self::WrongHeader,
        Self::WrongIssuer,
        Self::OtherIssuerKey,
        Self::BadClaim,
        Self::Revoked,
        Self::StepUp,
        Self::Denied,
        Self::NoKeys,
    ];

    /// The heading in docs/TROUBLESHOOTING.md.
    pub const fn title(self) -> &'static str {
        match self {
            Self::V1Token => "v1 token",
            Self::GraphToken => "Graph token",
            Self::IdToken => "ID token",
            Self::AudienceForm => "Audience in another form",
            Self::OtherAudience => "Audience of another app",
            Self::OtherScope => "Scope of another API",
            Self::WrongTenant => "Wrong tenant",
            Self::TenantNotAllowed => "Tenant not allowed",
            Self::PersonalAccount => "Personal account",
            Self::Guest => "Guest",
            Self::MissingScope => "Missing scope",
            Self::NoConsent => "No consent",
            Self::AppOnlyToken => "App-only token",
            Self::MissingRole => "Missing app role",
            Self::Expired => "Expired token",
            Self::NotYetValid => "Token not yet valid",
            Self::UnknownKey => "Unknown key",
            Self::RotatedKey => "Unknown key after a rotation",
            Self::OtherCloudKey => "Unknown key of another cloud",
            Self::ExternalIdKey => "Unknown key of External ID",
            Self::OwnSigningKey => "Unknown key of the API itself",
            Self::OtherAuthorityKey => "Unknown key of another authority",
            Self::BrokenSignature => "Broken signature",
            Self::TruncatedToken => "Truncated token",
            Self::EncryptedToken => "Encrypted token",
            Self::BoundToken => "Bound token",
            Self::Agent => "Agent",
            Self::DeviceToken => "Device token",
            Self::GroupsOverage => "Groups overage",
            Self::NotAJwt => "Not a JWT",
            Self::OtherScheme => "Another authentication scheme",
            Self::WrongHeader => "Header that Entra does not write",
            Self::WrongIssuer => "Wrong issuer",
            Self::OtherIssuerKey => "Key of another issuer",
            Self::BadClaim => "Missing or malformed claim",
            Self::Revoked => "Revoked caller",
            Self::StepUp => "Missing authentication context",
            Self::Denied => "Denied by the policy",
            Self::NoKeys => "No signing keys",
        }
    }

    /// A stable name for programs: the anchor of the heading.
    pub fn slug(self) -> String {
        let words = self.title().to_lowercase();
        words.split(' ').collect::<Vec<_>>().join("-")
    }

    /// The URL of the heading.
    pub fn help(self) -> String {
        troubleshooting(&self.slug())
    }

    /// The case of a rejection, as far as the rejection says it; `None` if no heading but that of
    /// its code helps, because no token was sent or two were.
    pub fn of(rejection: &Rejection) -> Option<Self> {
        // Some rules are broken in several ways, which only the detail distinguishes.
        let says = |text: &str| rejection.detail().contains(text);
        Some(match rejection.rule() {
            Rule::AuthorizationHeader if rejection.received().is_some() => Self::OtherScheme,
            Rule::AuthorizationHeader => return None,
            Rule::TokenFormat if says("encrypted") => Self::EncryptedToken,
            Rule::TokenFormat => Self::NotAJwt,
            Rule::TokenHeader if says("encrypted") => Self::EncryptedToken,
            Rule::TokenHeader => Self::WrongHeader,
            Rule::AvailableKeys => Self::NoKeys,
            Rule::SigningKey => Self::UnknownKey,
            Rule::Signature => Self::BrokenSignature,
            Rule::Claims => Self::BadClaim,
            Rule::Version if says("v1") => Self::V1Token,
            Rule::Version => Self::BadClaim,
            Rule::Issuer => Self::WrongIssuer,
            Rule::Tenant if rejection.received() == Some(PERSONAL_ACCOUNTS) => {
                Self::PersonalAccount
            }
            Rule::Tenant => Self::WrongTenant,
            Rule::KeyIssuer => Self::OtherIssuerKey,
            Rule::Lifetime if says("expired") => Self::Expired,
            Rule::Lifetime if says("later than its exp") => Self::BadClaim,
            Rule::Lifetime => Self::NotYetValid,
            Rule::Audience if rejection.received().is_some_and(is_graph) => Self::GraphToken,
            Rule::Audience => Self::OtherAudience,
            Rule::Unbound => Self::BoundToken,
            Rule::AccessToken if says("Graph") => Self::GraphToken,
            Rule::AccessToken => Self::IdToken,
            Rule::Consent => Self::NoConsent,
            Rule::CallerKind if rejection.received().is_some() => Self::DeviceToken,
            Rule::CallerKind if says("has no oid") => Self::BadClaim,
            Rule::CallerKind => Self::IdToken,
            Rule::NotRevoked => Self::Revoked,
            Rule::CompleteGroups => Self::GroupsOverage,
            Rule::AuthenticationContext => Self::StepUp,
            Rule::Policy => match rejection.refusal() {
                Refusal::InsufficientRole(_) => Self::MissingRole,
                Refusal::InsufficientScope(_) if says("belongs to an app") => Self::AppOnlyToken,
                Refusal::InsufficientScope(_) => Self::MissingScope,
                _ if says("agent") => Self::Agent,
                _ if says("members of the tenant") => Self::Guest,
                _ => Self::Denied,
            },
            _ => return None,
        })
    }
}

/// The URL of a heading in docs/TROUBLESHOOTING.md, by its anchor.
pub fn troubleshooting(anchor: &str) -> String {
    docs(&format!("TROUBLESHOOTING.md#{anchor}"))
}

/// The URL of a page in docs/, which may have an anchor.
pub fn docs(page: &str) -> String {
    format!("{}/blob/main/docs/{page}", env!("CARGO_PKG_REPOSITORY"))
}

/// The tenant of all personal Microsoft accounts
/// (<https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>).
pub const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Whether this audience is Microsoft Graph.
pub fn is_graph(audience: &str) -> bool {
    matches!(
        audience.trim_end_matches('/'),
        "00000003-0000-0000-c000-000000000000" | "https://graph.microsoft.com"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_case_has_its_own_anchor() {
        let slugs: HashSet<_> = Case::ALL.iter().map(|case| case.slug()).collect();
        assert_eq!(slugs.len(), Case::ALL.len());
        for slug in slugs {
            // An anchor has no other characters, so it is the same wherever the file is shown.
            assert!(slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{slug}");
        }
        assert_eq!(Case::OtherAudience.slug(), "audience-of-another-app");
        let help = Case::AppOnlyToken.help();
        assert!(help.ends_with("/docs/TROUBLESHOOTING.md#app-only-token"), "{help}");
    }
}
