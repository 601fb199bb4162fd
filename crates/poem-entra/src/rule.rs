//! The rules that a request is checked against.

use std::fmt;

/// A rule, named by what must hold. The README of this crate explains each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Exactly one `Authorization` header with the scheme `Bearer` (RFC 6750, section 2.1).
    AuthorizationHeader,
    /// A signed token in its compact form, whose parts are JSON objects without duplicate members
    /// (RFC 7515, section 7.1; RFC 7519, section 4).
    TokenFormat,
    /// A token header with `alg` RS256 and a `kid`, and without `crit` or `enc`, which demand more
    /// of the receiver (RFC 8725).
    TokenHeader,
    /// A published RSA signing key with that `kid` (RFC 7517).
    SigningKey,
    /// A valid signature (RFC 7515, section 5.2).
    Signature,
    /// The required claims, and every claim of the right type (RFC 7519, section 4.1).
    Claims,
    /// A token that has not expired and is already valid (RFC 7519, section 4.1).
    Lifetime,
    /// A token version that the authority issues and the API accepts.
    Version,
    /// The issuer of the token's tenant and version.
    Issuer,
    /// An allowed tenant.
    Tenant,
    /// A signing key that belongs to this issuer.
    KeyIssuer,
    /// This API as the audience (RFC 7519, section 4.1.3).
    Audience,
    /// A scope or an app role, which shows that somebody consented.
    Consent,
    /// An access token: neither an ID token nor one for Microsoft Graph.
    AccessToken,
    /// A user with an object id, or an app.
    CallerKind,
    /// A token that is not bound to a key or a certificate (RFC 7800, section 3.1).
    Unbound,
    /// A caller who was not revoked after the token was issued.
    NotRevoked,
    /// A list of groups that is complete.
    CompleteGroups,
    /// What the operation's policy requires.
    Policy,
    /// The authentication context that the operation's policy requires.
    AuthenticationContext,
    /// Signing keys to verify tokens with.
    AvailableKeys,
}

impl Rule {
    /// All rules, roughly in the order in which they are checked.
    pub const ALL: [Self; 21] = [
        Self::AuthorizationHeader,
        Self::TokenFormat,
        Self::TokenHeader,
        Self::AvailableKeys,
        Self::SigningKey,
        Self::Signature,
        Self::Claims,
        Self::Version,
        Self::Issuer,
        Self::Tenant,
        Self::KeyIssuer,
        Self::Lifetime,
        Self::Audience,
        Self::Unbound,
        Self::AccessToken,
        Self::Consent,
        Self::CallerKind,
        Self::NotRevoked,
        Self::Policy,
        Self::CompleteGroups,
        Self::AuthenticationContext,
    ];

    /// A stable name for logs and programs, such as `audience` or `key_issuer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationHeader => "authorization_header",
            Self::TokenFormat => "token_format",
            Self::TokenHeader => "token_header",
            Self::SigningKey => "signing_key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Lifetime => "lifetime",
            Self::Version => "version",
            Self::Issuer => "issuer",
            Self::Tenant => "tenant",
            Self::KeyIssuer => "key_issuer",
            Self::Audience => "audience",
            Self::Consent => "consent",
            Self::AccessToken => "access_token",
            Self::CallerKind => "caller_kind",
            Self::Unbound => "unbound",
            Self::NotRevoked => "not_revoked",
            Self::CompleteGroups => "complete_groups",
            Self::Policy => "policy",
            Self::AuthenticationContext => "authentication_context",
            Self::AvailableKeys => "available_keys",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
