//! What a person has let an app do, and the slips of paper that stand for it.

use std::sync::Arc;

use crate::directory::{App, Authority, Person, Platform};
use crate::random;
use crate::refusal::Refusal;
use crate::scope::Scopes;
use crate::shelf::Shelf;
use crate::tokens::ClaimsRequest;

/// What a person has let an app do.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// The app that asked.
    pub(crate) app: Arc<App>,
    /// Who signed in.
    pub(crate) person: Arc<Person>,
    /// The authority whose page was used.
    pub(crate) authority: Authority,
    /// What kind of program asked, which decides how it redeems and renews.
    pub(crate) platform: Platform,
    /// What was granted.
    pub(crate) scopes: Scopes,
    /// What was asked for besides.
    pub(crate) claims: ClaimsRequest,
    /// The value to be repeated in the ID token.
    pub(crate) nonce: Option<String>,
}

/// How long a code can be redeemed, in seconds. RFC 6749 section 4.1.2 recommends ten minutes.
const CODE_LIFETIME: u64 = 600;

/// The authorization codes that are outstanding.
#[derive(Debug)]
pub(crate) struct Codes(Shelf<Code>);

/// What an authorization code stands for, and what must be shown again to redeem it.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    /// Where the code was sent.
    pub(crate) redirect_uri: String,
    /// The S256 challenge (RFC 7636).
    pub(crate) challenge: Option<String>,
    redeemed: bool,
}

impl Code {
    pub(crate) fn new(grant: Grant, redirect_uri: &str, challenge: Option<&str>) -> Self {
        let challenge = challenge.map(str::to_owned);
        Self { grant, redirect_uri: redirect_uri.to_owned(), challenge, redeemed: false }
    }
}

impl Codes {
    pub(crate) fn new() -> Self {
        // Remembered for longer than they count, so that whoever is late or repeats himself is
        // told so.
        Self(Shelf::remembering(2 * CODE_LIFETIME))
    }

    /// Makes a code for this.
    pub(crate) fn issue(&self, code: Code, now: u64) -> String {
        let key = random::secret();
        self.0.put(key.clone(), code, now);
        key
    }

    /// Takes the grant of this code, once, if it satisfies `check`.
    ///
    /// The check runs under the lock: of any number of simultaneous requests one gets the grant.
    /// A failed check leaves the code as it was, so that nobody can spoil another's code.
    pub(crate) fn redeem(
        &self,
        code: &str,
        now: u64,
        check: impl FnOnce(&Code) -> Result<(), Refusal>,
    ) -> Result<Grant, Refusal> {
        let redeemed = self.0.look(code, now, |code, age| {
            if code.redeemed {
                return Err(Refusal::code_redeemed());
            }
            if age >= CODE_LIFETIME {
                return Err(Refusal::code_expired());
            }
            check(code)?;
            code.redeemed = true;
            Ok(code.grant.clone())
        });
        redeemed.unwrap_or_else(|| match random::is_secret(code) {
            true => Err(Refusal::grant_invalid("code")),
            false => Err(Refusal::grant_malformed()),
        })
    }
}

/// How long a refresh token can be used, in seconds ("Refresh tokens: token lifetime").
const REFRESH_LIFETIME: u64 = 90 * DAY;
/// How long one of a single-page app can; every one that replaces it ends with it.
const SINGLE_PAGE_LIFETIME: u64 = DAY;
const DAY: u64 = 24 * 60 * 60;

/// The refresh tokens that are outstanding.
#[derive(Debug)]
pub(crate) struct RefreshTokens(Shelf<Renewal>);

/// What a refresh token stands for.
#[derive(Debug, Clone)]
pub(crate) struct Renewal {
    pub(crate) grant: Grant,
    /// When the person signed in, in seconds since the epoch.
    since: u64,
}

impl Renewal {
    /// The same for a grant that has changed; it counts from the same sign-in.
    pub(crate) fn of(&self, grant: Grant) -> Self {
        Self { grant, since: self.since }
    }
}

impl RefreshTokens {
    pub(crate) fn new() -> Self {
        Self(Shelf::remembering(REFRESH_LIFETIME + DAY))
    }

    /// Makes a refresh token for a grant that is new.
    pub(crate) fn issue(&self, grant: Grant, now: u64) -> String {
        self.renew(Renewal { grant, since: now }, now)
    }

    /// Makes a refresh token that replaces another one.
    ///
    /// Entra leaves the old one valid ("Refresh tokens: token revocation"), since the answer that
    /// carries the new one may get lost.
    pub(crate) fn renew(&self, renewal: Renewal, now: u64) -> String {
        let key = format!("1.{}{}", random::secret(), random::secret());
        self.0.put(key.clone(), renewal, now);
        key
    }

    /// What this refresh token stands for.
    pub(crate) fn find(&self, token: &str, now: u64) -> Result<Renewal, Refusal> {
        let found = self.0.look(token, now, |renewal, age| {
            let single_page = renewal.grant.platform == Platform::SinglePage;
            let expired = match single_page {
                true => now.saturating_sub(renewal.since) >= SINGLE_PAGE_LIFETIME,
                false => age >= REFRESH_LIFETIME,
            };
            if expired {
                Err(Refusal::refresh_token_expired(single_page))
            } else {
                Ok(renewal.clone())
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
}
