//! The rules in their order: nothing a token says is believed before its signature holds.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use jsonwebtoken::{Algorithm, crypto};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    authority::{Authority, Directory},
    cache::{Accepted, TokenCache},
    claims::{Claims, Version},
    clock::{Clock, SystemClock},
    ids::TenantId,
    jwk::VerifyingKey,
    keys::{Found, KeyMetrics, Keys, Schedule, Trust},
    policy::{self, Policy},
    principal::Principal,
    rejection::{Challenge, Refusal, Rejection, Rule},
    settings::{Checked, InvalidSettings, Settings, Tenants},
    token::{self, UnverifiedToken},
    transport::{HttpTransport, Transport},
};

/// Seconds between two looks at whether the keys are due, when no request asks.
const MAINTENANCE: Duration = Duration::from_secs(30);

/// Validates access tokens of one authority for one API. Cheap to share behind an [`Arc`].
pub struct Validator {
    settings: Checked,
    keys: Arc<Keys>,
    cache: TokenCache,
    clock: Arc<dyn Clock>,
    challenge: Challenge,
}

/// Whether tokens can be judged now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// There are keys to judge with.
    Ready,
    /// There are none: protected operations answer 503.
    NoKeys,
}

impl Validator {
    /// Checks the settings; fetches nothing yet (rule C3).
    ///
    /// # Errors
    ///
    /// [`StartError`] with every fault of the settings, or when this machine has no certificates
    /// to check an https authority with.
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// The same with a clock of one's own.
    ///
    /// # Errors
    ///
    /// As [`Validator::new`].
    pub fn with_clock(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let plain_http = settings.checked()?.authority.is_plain_http();
        let transport = HttpTransport::new(plain_http).map_err(StartError::Client)?;
        Ok(Self::with_transport(settings, clock, Arc::new(transport))?)
    }

    /// The same with a clock and a network of one's own.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] with every fault of the settings.
    pub fn with_transport(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, InvalidSettings> {
        let checked = settings.checked()?;
        let schedule = Schedule {
            refresh: settings.key_refresh,
            floor: settings.key_refresh_floor,
            retention: settings.key_retention,
        };
        let keys = Keys::new(checked.authority.clone(), schedule, transport, Arc::clone(&clock));
        let challenge = Challenge {
            app_id_uri: format!("api://{}", checked.client_id),
            client_id: checked.client_id.to_string(),
            authorization_uri: format!("{}/oauth2/v2.0/authorize", checked.authority.url()),
            resource_metadata: None,
        };
        let cache = TokenCache::new(settings.token_cache_entries);
        Ok(Self { settings: checked, keys, cache, clock, challenge })
    }

    /// Names the API's protected resource metadata in challenges (RFC 9728, section 5.1).
    pub fn with_resource_metadata(mut self, url: impl Into<String>) -> Self {
        self.challenge.resource_metadata = Some(url.into());
        self
    }

    /// Fetches the keys, then keeps them fresh until the handle is aborted. Without it the first
    /// request fetches, and later requests start the refreshes.
    pub fn maintain(&self) -> JoinHandle<()> {
        let keys = Arc::clone(&self.keys);
        let clock = Arc::clone(&self.clock);
        tokio::spawn(async move {
            keys.warm_up().await;
            let mut ticks = tokio::time::interval(MAINTENANCE);
            loop {
                ticks.tick().await;
                keys.refresh_if_due(clock.now());
            }
        })
    }

    /// Waits until the first fetch of the keys has ended, one way or the other.
    pub async fn warm_up(&self) -> Readiness {
        self.keys.warm_up().await;
        self.readiness()
    }

    /// Whether tokens can be judged now. An answer, not a fetch.
    pub fn readiness(&self) -> Readiness {
        if self.keys.is_ready() { Readiness::Ready } else { Readiness::NoKeys }
    }

    /// What happened to the signing keys since the start.
    pub fn key_metrics(&self) -> KeyMetrics {
        self.keys.metrics()
    }

    /// How many accepted tokens are remembered now.
    pub fn cached_tokens(&self) -> usize {
        self.cache.len()
    }

    /// The authority whose tokens are accepted.
    pub fn authority(&self) -> &Authority {
        &self.settings.authority
    }

    /// What this API says of itself in a `WWW-Authenticate` header.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The protected resource metadata (RFC 9728, section 2) as Entra's clients need it: `resource`
    /// is the App ID URI, which Entra compares with what a client asks for, and scopes are full
    /// URIs, although tokens carry their short names. `scopes` are the short names.
    pub fn resource_metadata(&self, scopes: &[&str]) -> Value {
        let scopes: Vec<_> = scopes.iter().map(|scope| self.challenge.full_scope(scope)).collect();
        json!({
            "resource": self.challenge.app_id_uri,
            "authorization_servers": [format!("{}/v2.0", self.authority().url())],
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
        })
    }

    /// The caller of a request with these headers, if the policy lets them through.
    ///
    /// # Errors
    ///
    /// The first rule that was broken.
    pub async fn authorize<P: Policy>(&self, headers: &HeaderMap) -> Result<P::Caller, Rejection> {
        let principal = self.validate(token::bearer(headers)?).await?;
        policy::authorize::<P>(principal)
    }

    /// The caller that a token speaks for.
    ///
    /// # Errors
    ///
    /// The first rule that was broken.
    pub async fn validate(&self, token: &str) -> Result<Principal, Rejection> {
        let digest = self.cache.digest(token);
        if let (Some(digest), Some(trust)) = (&digest, self.keys.trust()) {
            let now = self.clock.now();
            if let Some(accepted) = self.cache.get(digest, &trust, now, self.settings.leeway) {
                self.keys.refresh_if_due(now);
                return Ok(accepted.principal.clone());
            }
        }
        let accepted = self.verify(token).await?;
        let principal = accepted.principal.clone();
        if let Some(digest) = digest {
            self.cache.insert(digest, accepted);
        }
        Ok(principal)
    }

    /// The full rules, in their order: nothing is believed before the signature holds.
    async fn verify(&self, token: &str) -> Result<Accepted, Rejection> {
        let token = UnverifiedToken::parse(token)?;
        let (trust, key) = match self.keys.find(&token.kid).await {
            Found::Key(trust, key) => (trust, key),
            Found::Unknown => {
                return Err(Rejection::invalid_token(
                    Rule::P3,
                    "The token's kid names no signing key of the authority.",
                )
                .with_hint(
                    "The token comes from another authority or cloud, or its app has a signing key \
                     of its own (claims mapping).",
                ));
            }
            Found::Unavailable(seconds) => {
                return Err(Rejection::new(
                    Refusal::KeysUnavailable(seconds),
                    Rule::K1,
                    "The authority's signing keys cannot be had right now.",
                ));
            }
        };
        let message = token.message.as_bytes();
        let verified = crypto::verify(token.signature, message, &key.decoding, Algorithm::RS256);
        // An error is a signature that is not base64url, or not of the key's length.
        if !verified.unwrap_or(false) {
            return Err(Rejection::invalid_token(Rule::P4, "The token's signature does not hold."));
        }
        let claims = Claims::read(&token.claims_after_verification()?)?;
        self.check_issuer(&claims, &trust)?;
        self.check_tenant(claims.tenant, &trust)?;
        self.check_key_issuer(&claims, &key, &trust)?;
        self.check_times(&claims)?;
        self.check_audience(&claims)?;
        Ok(Accepted {
            not_before: claims.nbf.max(claims.iat).unwrap_or(0),
            expires: claims.exp,
            principal: Principal::from_claims(claims)?,
            kid: token.kid,
            key,
            metadata: Arc::clone(&trust.metadata),
        })
    }

    /// V1: in time, give or take the leeway.
    fn check_times(&self, claims: &Claims) -> Result<(), Rejection> {
        let now = self.clock.now();
        let refuse = |detail: &'static str| Err(Rejection::invalid_token(Rule::V1, detail));
        if claims.nbf.is_some_and(|nbf| nbf > claims.exp) {
            return refuse("The token's nbf lies behind its exp.");
        }
        if now > claims.exp + self.settings.leeway {
            let rejection = Rejection::invalid_token(Rule::V1, "The token has expired.");
            return Err(rejection
                .compared(format!("exp >= {now}"), &claims.exp.to_string())
                .with_hint(
                    "Ask for a new token; if it is new, compare the clocks of client and API.",
                ));
        }
        let latest = now + self.settings.leeway;
        if claims.nbf.is_some_and(|nbf| nbf > latest) {
            return refuse("The token is not valid yet (nbf).");
        }
        if claims.iat.is_some_and(|iat| iat > latest) {
            return refuse("The token was issued in the future (iat).");
        }
        Ok(())
    }

    /// V2: byte for byte the issuer of the token's version, with the token's tenant filled in.
    fn check_issuer(&self, claims: &Claims, trust: &Trust) -> Result<(), Rejection> {
        if self.settings.v2_only && claims.version == Version::V1 {
            let rejection =
                Rejection::invalid_token(Rule::V8, "The token is a v1 token; this API takes v2.");
            return Err(rejection.compared("2.0", "1.0").with_hint(
                "Set requestedAccessTokenVersion to 2 in the manifest of the API's registration.",
            ));
        }
        let issuers = &trust.metadata.issuers;
        let template = match claims.version {
            Version::V2 => Some(&issuers.v2),
            Version::V1 => issuers.v1.as_ref(),
        };
        let Some(template) = template else {
            return Err(Rejection::invalid_token(
                Rule::V2,
                "The token is a v1 token, which this authority does not issue.",
            ));
        };
        let expected = template.fill(&claims.tid);
        if claims.iss == expected {
            return Ok(());
        }
        let rejection = Rejection::invalid_token(
            Rule::V2,
            "The token's iss is not the issuer of its tenant and version.",
        );
        Err(rejection.compared(expected, &claims.iss).with_hint(
            "Get the token from the authority that this API is configured for; a v1 issuer in a \
             v2 token, or the other way round, is never right.",
        ))
    }

    /// V3: the one tenant, or one of those allowed; of a kind that the directory serves at all.
    fn check_tenant(&self, tenant: TenantId, trust: &Trust) -> Result<(), Rejection> {
        let personal = tenant == TenantId::PERSONAL_ACCOUNTS;
        let served = match self.settings.authority.directory() {
            Directory::Organizations => !personal,
            Directory::Consumers => personal,
            _ => true,
        };
        let allowed = match &self.settings.tenants {
            Tenants::Own => trust.metadata.tenant == Some(tenant),
            Tenants::Listed(tenants) => tenants.contains(&tenant),
            Tenants::Any => true,
        };
        if served && allowed {
            return Ok(());
        }
        let rejection =
            Rejection::invalid_token(Rule::V3, "The token's tenant is not allowed here.");
        Err(rejection.compared("an allowed tenant", &tenant.to_string()).with_hint(
            "Sign in with an account of the API's tenant, or add the tenant to those allowed.",
        ))
    }

    /// V4: a key bound to an issuer vouches for no other.
    fn check_key_issuer(
        &self,
        claims: &Claims,
        key: &VerifyingKey,
        trust: &Trust,
    ) -> Result<(), Rejection> {
        let Some(template) = &key.issuer else {
            return Ok(());
        };
        let bound = template.fill(&claims.tid);
        // The second comparison lets v1 tokens pass, whose keys name the v2 issuer.
        if bound == claims.iss || bound == trust.metadata.discovery_issuer.fill(&claims.tid) {
            return Ok(());
        }
        let detail = "The key that signed the token does not vouch for its issuer.";
        let rejection = Rejection::invalid_token(Rule::V4, detail);
        Err(rejection.compared(template.as_str(), &claims.iss))
    }

    /// V5: ordinal, one trailing slash ignored.
    fn check_audience(&self, claims: &Claims) -> Result<(), Rejection> {
        let ours = |aud: &String| {
            self.settings.audiences.contains(aud.strip_suffix('/').unwrap_or(aud.as_str()))
        };
        if claims.aud.iter().any(ours) {
            return Ok(());
        }
        let rejection = Rejection::invalid_token(Rule::V5, "The token's aud is not this API.");
        let mut expected: Vec<_> = self.settings.audiences.iter().map(String::as_str).collect();
        expected.sort_unstable();
        Err(rejection.compared(expected.join(" or "), &claims.aud.join(" ")).with_hint(
            "Ask for a scope of this API, such as api://{client id}/access_as_user; with an App ID \
             URI of your own, add it to the accepted audiences.",
        ))
    }
}

/// Why a validator cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings are missing or wrong.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made; are CA certificates installed?")]
    Client(#[source] reqwest::Error),
}
