//! Grants, and the authorization codes and refresh tokens that represent them.

use std::sync::Arc;

use crate::{
    directory::{App, Authority, Directory, Person, Platform, Removed},
    expiring_map::ExpiringMap,
    random,
    refusal::Refusal,
    scope::Scopes,
    tokens::ClaimsRequest,
};

/// What a person has allowed an app to do.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// The client.
    pub(crate) app: Arc<App>,
    /// Who signed in.
    pub(crate) person: Arc<Person>,
    /// The authority at which the person signed in.
    pub(crate) authority: Authority,
    /// The platform of the redirect URI. It decides how codes and refresh tokens are redeemed.
    pub(crate) platform: Platform,
    /// The granted scopes.
    pub(crate) scopes: Scopes,
    /// The `claims` parameter.
    pub(crate) claims: ClaimsRequest,
    /// The nonce for the ID token.
    pub(crate) nonce: Option<String>,
}

impl Grant {
    /// The grant with the person, the app and the APIs as they are now: the directory may have
    /// changed since the sign-in.
    pub(crate) fn in_directory(
        &self,
        directory: &Directory,
        app: &Arc<App>,
    ) -> Result<Self, Refusal> {
        let person = directory.person_with_oid(&self.person.oid);
        Ok(Self {
            app: Arc::clone(app),
            person: Arc::clone(person.ok_or_else(|| person_removed(&self.person))?),
            scopes: self.scopes.in_directory(directory, &self.person.tenant)?,
            ..self.clone()
        })
    }
}

/// The error for a grant of a person who was removed from the directory.
pub(crate) fn person_removed(person: &Person) -> Refusal {
    Refusal::account_unknown(&person.sign_in_name).at_token()
}

/// The lifetime of a code in seconds: ten minutes, the recommended maximum (RFC 6749, section
/// 4.1.2).
const CODE_LIFETIME: u64 = 600;

/// The authorization codes that were issued.
#[derive(Debug)]
pub(crate) struct Codes(ExpiringMap<State>);

/// Whether a code was redeemed. Then only that is kept, because most codes are redeemed at once.
#[derive(Debug)]
enum State {
    Issued(Box<Code>),
    Redeemed,
    /// The person was removed from the directory, after which the code stays invalid.
    Removed(Arc<Person>),
}

/// What an authorization code represents, and what its redemption is checked against.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    /// The redirect URI to which the code was sent.
    pub(crate) redirect_uri: String,
    /// The S256 code challenge (RFC 7636).
    pub(crate) challenge: Option<String>,
}

impl Code {
    pub(crate) fn new(grant: Grant, redirect_uri: &str, challenge: Option<&str>) -> Self {
        let challenge = challenge.map(str::to_owned);
        Self { grant, redirect_uri: redirect_uri.to_owned(), challenge }
    }
}

impl Codes {
    pub(crate) fn new() -> Self {
        // Codes are kept beyond their lifetime, so that late and repeated redemptions get precise
        // errors.
        Self(ExpiringMap::new(2 * CODE_LIFETIME))
    }

    /// Issues a code.
    pub(crate) fn issue(&self, code: Code, now: u64) -> String {
        let key = random::secret();
        self.0.insert(key.clone(), State::Issued(Box::new(code)), now);
        key
    }

    /// Returns the grant of this code, once, if `check` succeeds.
    ///
    /// The check runs under the lock, so only one of several simultaneous requests gets the grant.
    /// A failed check does not use up the code: otherwise a stranger could invalidate it.
    pub(crate) fn redeem(
        &self,
        code: &str,
        now: u64,
        check: impl FnOnce(&Code) -> Result<(), Refusal>,
    ) -> Result<Grant, Refusal> {
        let redeemed = self.0.access(code, now, |state, age| {
            let code = match state {
                State::Issued(code) => code,
                State::Redeemed => return Err(Refusal::code_redeemed()),
                State::Removed(person) => return Err(person_removed(person)),
            };
            if age >= CODE_LIFETIME {
                return Err(Refusal::code_expired());
            }
            check(code)?;
            let grant = code.grant.clone();
            *state = State::Redeemed;
            Ok(grant)
        });
        redeemed.unwrap_or_else(|| match random::is_secret(code) {
            true => Err(Refusal::grant_invalid("code")),
            false => Err(Refusal::grant_malformed()),
        })
    }

    /// Ends the codes of people and apps that were removed from the directory.
    pub(crate) fn end(&self, removed: &Removed) {
        self.0.retain(|state| {
            let State::Issued(code) = state else { return true };
            if removed.has_app(&code.grant.app.client_id) {
                return false;
            }
            let person = &code.grant.person;
            if removed.has_person(&person.oid) {
                *state = State::Removed(Arc::clone(person));
            }
            true
        });
    }
}

/// The lifetime of a refresh token in seconds
/// (<https://learn.microsoft.com/entra/identity-platform/refresh-tokens>).
const REFRESH_LIFETIME: u64 = 90 * DAY;
/// The lifetime of refresh tokens of single-page apps, counted from the sign-in.
const SINGLE_PAGE_LIFETIME: u64 = DAY;
const DAY: u64 = 24 * 60 * 60;

/// The refresh tokens that were issued.
#[derive(Debug)]
pub(crate) struct RefreshTokens(ExpiringMap<RefreshToken>);

/// What a refresh token represents.
#[derive(Debug, Clone)]
pub(crate) struct RefreshToken {
    pub(crate) grant: Grant,
    /// The time of the sign-in, in seconds since the epoch.
    signed_in: u64,
    /// Whether the person was removed, after which the token stays invalid.
    ended: bool,
}

impl RefreshToken {
    /// A copy with a changed grant, from the same sign-in.
    pub(crate) fn with_grant(&self, grant: Grant) -> Self {
        Self { grant, ..*self }
    }
}

impl RefreshTokens {
    pub(crate) fn new() -> Self {
        Self(ExpiringMap::new(REFRESH_LIFETIME + DAY))
    }

    /// Issues the first refresh token of a grant.
    pub(crate) fn issue(&self, grant: Grant, now: u64) -> String {
        self.renew(RefreshToken { grant, signed_in: now, ended: false }, now)
    }

    /// Issues a refresh token that replaces another one.
    ///
    /// The old one stays valid, as in Entra, because the response with the new one may get lost
    /// (<https://learn.microsoft.com/entra/identity-platform/refresh-tokens>).
    pub(crate) fn renew(&self, token: RefreshToken, now: u64) -> String {
        let key = format!("1.{}{}", random::secret(), random::secret());
        self.0.insert(key.clone(), token, now);
        key
    }

    /// Looks up a refresh token.
    pub(crate) fn find(&self, token: &str, now: u64) -> Result<RefreshToken, Refusal> {
        let found = self.0.access(token, now, |token, age| {
            if token.ended {
                return Err(person_removed(&token.grant.person));
            }
            let single_page = token.grant.platform == Platform::SinglePage;
            let expired = match single_page {
                true => now.saturating_sub(token.signed_in) >= SINGLE_PAGE_LIFETIME,
                false => age >= REFRESH_LIFETIME,
            };
            if expired {
                Err(Refusal::refresh_token_expired(single_page))
            } else {
                Ok(token.clone())
            }
        });
        let halves = token.strip_prefix("1.").and_then(|halves| halves.split_at_checked(43));
        found.unwrap_or_else(|| match halves {
            Some((one, other)) if random::is_secret(one) && random::is_secret(other) => {
                Err(Refusal::grant_invalid("refresh_token"))
            }
            _ => Err(Refusal::grant_malformed()),
        })
    }

    /// Ends the refresh tokens of people and apps that were removed from the directory.
    pub(crate) fn end(&self, removed: &Removed) {
        self.0.retain(|token| {
            token.ended |= removed.has_person(&token.grant.person.oid);
            !removed.has_app(&token.grant.app.client_id)
        });
    }
}
