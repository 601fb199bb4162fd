//! Validates tokens by applying the rules in order. No claim is used before the signature is
//! verified.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::{
    authority::{Authority, Directory, IssuerTemplate},
    cache::{Accepted, Digest, TokenCache},
    challenge::Challenge,
    claims::{Claims, Version},
    clock::{Clock, SystemClock},
    ids::{ObjectId, TenantId},
    jwk::VerifyingKey,
    keys::{Found, Keys, Schedule, Trust},
    policy::{self, Policy},
    principal::Principal,
    refusal_log::RefusalLog,
    rejection::Rejection,
    report::{FirstBroken, Observer, Recorder, Report},
    resource::ResourceMetadata,
    revocation::{RevocationList, Revocations, RevokeError},
    rule::Rule,
    settings::{Checked, InvalidSettings, Settings, Tenants, without_slash},
    token::{self, UnverifiedToken},
    transport::{HttpTransport, Transport},
};

/// Validates access tokens of one authority for one API. Share it in an [`Arc`].
pub struct Validator {
    settings: Checked,
    keys: Arc<Keys>,
    cache: TokenCache,
    clock: Arc<dyn Clock>,
    challenge: Challenge,
    refusals: RefusalLog,
    revocations: Revocations,
}

/// Builds a [`Validator`]. See [`Validator::builder`].
pub struct ValidatorBuilder {
    settings: Settings,
    clock: Arc<dyn Clock>,
    transport: Option<Arc<dyn Transport>>,
    revocation_list: Option<Arc<dyn RevocationList>>,
}

/// Whether tokens can be validated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// There are signing keys.
    Ready,
    /// There are none, so protected operations respond with 503.
    NoKeys,
}

impl ValidatorBuilder {
    /// Sets the clock; by default the operating system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how documents of the authority are fetched; by default over the network.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Adds a list of revoked callers that the API keeps itself. Callers that
    /// [`Validator::revoke`] revokes are refused in any case.
    pub fn revocation_list(mut self, list: Arc<dyn RevocationList>) -> Self {
        self.revocation_list = Some(list);
        self
    }

    /// Checks the settings and creates the validator. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if settings are wrong (it lists every fault), or if this machine has no CA
    /// certificates with which to verify an https authority.
    pub fn build(self) -> Result<Validator, StartError> {
        let settings = self.settings.checked()?;
        if let Some(url) = self.settings.resource.as_ref()
            && !self.settings.app_id_uris.contains(url)
        {
            tracing::info!(
                "Clients that send a `resource`, such as MCP clients, get AADSTS9010010 from Entra, \
                 because {url} is not an App ID URI of this API. Other clients are not affected."
            );
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(
                HttpTransport::new(settings.authority.is_plain_http())
                    .map_err(StartError::Client)?,
            ),
        };
        let authority = &settings.authority;
        let challenge = Challenge {
            app_id_uri: settings.app_id_uri.clone(),
            client_id: settings.client_id.to_string(),
            authorization_uri: format!("{}/oauth2/v2.0/authorize", authority.url()),
            realm: match authority.directory() {
                Directory::Tenant(tenant) => Some(tenant.to_string()),
                _ => None,
            },
            resource_metadata: settings.resource.as_ref().map(|it| it.metadata_url.to_string()),
        };
        let schedule = Schedule::from(&self.settings);
        let app = settings.claims_mapping.then_some(settings.client_id);
        let clock = Arc::clone(&self.clock);
        Ok(Validator {
            keys: Keys::new(authority.clone(), app, schedule, transport, Arc::clone(&self.clock)),
            cache: TokenCache::new(self.settings.token_cache_entries),
            clock: self.clock,
            challenge,
            refusals: RefusalLog::default(),
            revocations: Revocations::new(self.revocation_list, clock, settings.leeway),
            settings,
        })
    }
}

impl Validator {
    /// A validator with these settings, which uses the clock of the operating system and fetches
    /// the keys over the network.
    ///
    /// # Errors
    ///
    /// The same as [`ValidatorBuilder::build`].
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        Self::builder(settings.clone()).build()
    }

    /// Starts a builder, for a different clock or transport.
    pub fn builder(settings: Settings) -> ValidatorBuilder {
        ValidatorBuilder {
            settings,
            clock: Arc::new(SystemClock),
            transport: None,
            revocation_list: None,
        }
    }

    /// Fetches the keys, then keeps them fresh until the handle is aborted. A fetch that failed is
    /// repeated after 1, 2, 4 … 60 seconds, or after the time in the authority's `Retry-After`, if
    /// it is longer, but at most 5 minutes. Without this task, the first request fetches the keys,
    /// and later requests start the refreshes and the repetitions.
    pub fn maintain(&self) -> JoinHandle<()> {
        tokio::spawn(Arc::clone(&self.keys).maintain())
    }

    /// Waits until the first fetch of the keys has succeeded or failed. Does not wait if it failed
    /// before and is not to be repeated yet.
    pub async fn warm_up(&self) -> Readiness {
        self.keys.warm_up().await;
        self.readiness()
    }

    /// Whether tokens can be validated now. Fetches nothing.
    pub fn readiness(&self) -> Readiness {
        if self.keys.is_ready() { Readiness::Ready } else { Readiness::NoKeys }
    }

    /// How many accepted tokens are cached now.
    pub fn cached_tokens(&self) -> usize {
        self.cache.len()
    }

    /// Refuses the tokens of this caller that were issued before `not_before`, in seconds since
    /// 1970, from the next request on. A token that was issued at that time or later is accepted,
    /// and one that does not say when it was issued (`iat`) is refused.
    ///
    /// A client that declares the capability `cp1` gets Entra's claims challenge, so that MSAL gets
    /// a new token. Any other client gets 401 `invalid_token`. (`cp1` is in the optional claim
    /// `xms_cc`, which the API's registration must request.)
    ///
    /// The caller is remembered for 28 hours and the leeway. By then, all of these tokens have
    /// expired. A second call for the same caller can only move the time to a later one. The list
    /// is that of this validator; to share one between processes, implement [`RevocationList`].
    ///
    /// # Errors
    ///
    /// [`RevokeError`] if the time is in the future, or if too many callers are revoked.
    ///
    /// ```
    /// use poem_entra::{Clock, ObjectId, Settings, SystemClock, TenantId, Validator};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (tenant, api) =
    /// #     ("11111111-1111-4111-8111-111111111111", "33333333-3333-4333-8333-333333333333");
    /// # let mut settings = Settings::new(tenant, api);
    /// # settings.instance = "http://localhost:8001".into();
    /// # let validator = Validator::new(&settings)?;
    /// let tenant = TenantId::parse("11111111-1111-4111-8111-111111111111").ok_or("no GUID")?;
    /// let user = ObjectId::parse("aaaaaaaa-0000-4000-8000-000000000001").ok_or("no GUID")?;
    /// validator.revoke(tenant, user, SystemClock.now())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn revoke(
        &self,
        tenant: TenantId,
        object_id: ObjectId,
        not_before: u64,
    ) -> Result<(), RevokeError> {
        self.revocations.revoke(tenant, object_id, not_before)
    }

    /// The authority whose tokens are accepted.
    pub fn authority(&self) -> &Authority {
        &self.settings.authority
    }

    /// What this API says about itself in a `WWW-Authenticate` header.
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The protected resource metadata (RFC 9728), which the API must serve at
    /// [`path`](ResourceMetadata::path). `None` without [`Settings::resource`]. `scopes` are the
    /// short names, as in tokens; the metadata has the full URIs.
    pub fn resource_metadata(&self, scopes: &[&str]) -> Option<ResourceMetadata> {
        let resource = self.settings.resource.as_ref()?;
        let scopes: Vec<_> = scopes.iter().map(|scope| self.challenge.full_scope(scope)).collect();
        let document = json!({
            "resource": resource.url,
            "authorization_servers": [format!("{}/v2.0", self.authority().url())],
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
        });
        Some(ResourceMetadata { path: resource.metadata_url.path().to_owned(), document })
    }

    /// The caller of a request with these headers, if the policy allows it. A refusal is logged.
    ///
    /// # Errors
    ///
    /// The first rule that was broken.
    pub async fn authorize<P: Policy>(&self, headers: &HeaderMap) -> Result<P::Caller, Rejection> {
        self.authorize_seen_by::<P>(headers, |_| {}).await
    }

    /// The same. `seen_by` gets the caller of an accepted token, before the policy is checked.
    pub(crate) async fn authorize_seen_by<P: Policy>(
        &self,
        headers: &HeaderMap,
        seen_by: impl FnOnce(&Principal),
    ) -> Result<P::Caller, Rejection> {
        let outcome = match token::bearer(headers) {
            Ok(token) => self.judge(token).await.and_then(|principal| {
                seen_by(&principal);
                let (tenant, actor) = (principal.tenant(), principal.actor());
                policy::authorize::<P>(principal)
                    .map_err(|rejection| rejection.sent_by(tenant, actor))
            }),
            Err(rejection) => Err(rejection),
        };
        outcome
            .map_err(|rejection| rejection.requiring(P::REQUIRES.scopes))
            .inspect_err(|rejection| self.refusals.record(rejection, self.clock.now()))
    }

    /// The caller of a request with this token. A refusal is logged.
    ///
    /// # Errors
    ///
    /// The first rule that was broken.
    pub async fn validate(&self, token: &str) -> Result<Principal, Rejection> {
        let outcome = self.judge(token).await;
        outcome.inspect_err(|rejection| self.refusals.record(rejection, self.clock.now()))
    }

    /// The outcome of every rule for a request with these headers, to explain to people why it is
    /// refused. The cache is not used, and a refusal is not logged.
    pub async fn report(&self, headers: &HeaderMap) -> Report {
        let mut recorder = Recorder::default();
        let outcome = match token::bearer(headers) {
            Ok(token) => {
                recorder.passed(Rule::AuthorizationHeader);
                self.verify(token, &mut recorder).await
            }
            Err(rejection) => Err(rejection),
        };
        let outcome = outcome.and_then(|Accepted { principal, .. }| {
            let revoked = self.revocations.check(&principal);
            recorder.checked(Rule::NotRevoked, revoked).map(|()| principal)
        });
        recorder.into_report(outcome)
    }

    /// Looks the token up in the cache, and applies the rules if it is not there.
    async fn judge(&self, token: &str) -> Result<Principal, Rejection> {
        let digest = self.cache.digest(token);
        if let Some(principal) = digest.as_ref().and_then(|digest| self.cached(digest)) {
            return self.revocations.check(&principal).map(|()| principal);
        }
        let accepted = self.verify(token, &mut FirstBroken).await?;
        let principal = accepted.principal.clone();
        self.revocations.check(&principal)?;
        if let Some(digest) = digest {
            self.cache.insert(digest, accepted);
        }
        Ok(principal)
    }

    /// The caller of the token with this digest, if its cache entry is still valid.
    fn cached(&self, digest: &Digest) -> Option<Principal> {
        let now = self.clock.now();
        let trust = self.keys.trust();
        let accepted = self.cache.get(digest, trust.as_deref()?, now, self.settings.leeway)?;
        self.keys.refresh_if_due(now);
        Some(accepted.principal.clone())
    }

    /// Applies all rules. With an observer that goes on after broken rules, the result is that of a
    /// token without these faults.
    async fn verify(
        &self,
        token: &str,
        observer: &mut impl Observer,
    ) -> Result<Accepted, Rejection> {
        let token = UnverifiedToken::parse(token, observer)?;
        let (trust, key) = match self.keys.find(&token.kid).await {
            Found::Key(trust, key) => (trust, key),
            Found::Unknown => {
                observer.passed(Rule::AvailableKeys);
                return Err(self.unknown_key());
            }
            Found::Unavailable(seconds) => return Err(Rejection::keys_unavailable(seconds)),
        };
        observer.passed(Rule::AvailableKeys);
        observer.passed(Rule::SigningKey);
        if !key.verifies(token.message.as_bytes(), &token.signature) {
            let detail = "The token's signature is invalid.";
            return Err(Rejection::invalid_token(Rule::Signature, detail));
        }
        observer.passed(Rule::Signature);
        let payload = token.payload_after_verification()?;
        let members = token::claims(&payload)?;
        let claims = Claims::read(&members)?;
        observer.passed(Rule::Claims);
        let (tenant, actor) = (claims.tenant, claims.actor);
        let (not_before, expires) = (claims.nbf.max(claims.iat).unwrap_or(0), claims.exp);
        let principal = self
            .check_claims(&claims, &key, &trust, observer)
            .and_then(|()| Principal::from_claims(claims, observer))
            .map_err(|rejection| rejection.sent_by(tenant, actor))?;
        let metadata = Arc::clone(&trust.metadata);
        Ok(Accepted { not_before, expires, principal, kid: token.kid, key, metadata })
    }

    fn unknown_key(&self) -> Rejection {
        let detail = "The token's kid is not that of a signing key of the authority.";
        let hint = match self.settings.claims_mapping {
            true => {
                "The token comes from another authority or cloud, or from an app with its own \
                 signing key."
            }
            false => {
                "The token comes from another authority or cloud. Or the API has its own signing \
                 key: then turn the setting claims_mapping on."
            }
        };
        Rejection::invalid_token(Rule::SigningKey, detail).with_hint(hint)
    }

    fn check_claims(
        &self,
        claims: &Claims<'_>,
        key: &VerifyingKey,
        trust: &Trust,
        observer: &mut impl Observer,
    ) -> Result<(), Rejection> {
        match self.issuer_template(claims, trust) {
            Ok(template) => {
                observer.passed(Rule::Version);
                observer.checked(Rule::Issuer, check_issuer(claims, template, trust))?;
            }
            Err(rejection) => observer.checked(Rule::Version, Err(rejection))?,
        }
        observer.checked(Rule::Tenant, self.check_tenant(claims.tenant, trust))?;
        observer.checked(Rule::KeyIssuer, check_key_issuer(claims, key, trust))?;
        observer.checked(Rule::Lifetime, self.check_lifetime(claims))?;
        observer.checked(Rule::Audience, self.check_audience(claims))
    }

    /// The token must be valid now, within the leeway.
    fn check_lifetime(&self, claims: &Claims<'_>) -> Result<(), Rejection> {
        let now = self.clock.now();
        let refuse = |detail: &'static str| Err(Rejection::invalid_token(Rule::Lifetime, detail));
        if claims.nbf.is_some_and(|nbf| nbf > claims.exp) {
            return refuse("The token's nbf is later than its exp.");
        }
        if now > claims.exp + self.settings.leeway {
            let rejection = Rejection::invalid_token(Rule::Lifetime, "The token has expired.");
            return Err(rejection
                .compared(format!("exp >= {now}"), &claims.exp.to_string())
                .with_hint(
                    "Request a new token. If it is new, compare the clocks of the client and the API.",
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

    /// The issuer of tokens of this version, which the API must accept and the authority issue.
    fn issuer_template<'a>(
        &self,
        claims: &Claims<'_>,
        trust: &'a Trust,
    ) -> Result<&'a IssuerTemplate, Rejection> {
        if self.settings.v2_only && claims.version == Version::V1 {
            let rejection = Rejection::invalid_token(
                Rule::Version,
                "The token is a v1 token; this API accepts v2.",
            );
            return Err(rejection.compared("2.0", "1.0").with_hint(
                "Set requestedAccessTokenVersion to 2 in the manifest of the API's registration.",
            ));
        }
        let issuers = &trust.metadata.issuers;
        let template = match claims.version {
            Version::V2 => Some(&issuers.v2),
            Version::V1 => issuers.v1.as_ref(),
        };
        template.ok_or_else(|| {
            Rejection::invalid_token(
                Rule::Version,
                "The token is a v1 token; this authority does not issue them.",
            )
        })
    }

    /// The tenant must be the authority's own or an allowed one, and of a kind that the authority
    /// serves.
    fn check_tenant(&self, tenant: TenantId, trust: &Trust) -> Result<(), Rejection> {
        let personal = tenant == TenantId::PERSONAL_ACCOUNTS;
        let served = match self.settings.authority.directory() {
            Directory::Organizations => !personal,
            Directory::Consumers => personal,
            _ => true,
        };
        let allowed = match &self.settings.tenants {
            Tenants::Own => trust.metadata.tenant.as_ref().is_some_and(|own| own.id == tenant),
            Tenants::Listed(tenants) => tenants.contains(&tenant),
            Tenants::Any => true,
        };
        if served && allowed {
            return Ok(());
        }
        let rejection =
            Rejection::invalid_token(Rule::Tenant, "The token's tenant is not allowed here.");
        Err(rejection.compared("an allowed tenant", &tenant.to_string()).with_hint(
            "Sign in with an account of the API's tenant, or add the tenant to the allowed ones.",
        ))
    }

    /// The audience must be this API. The comparison is exact, except for one trailing slash.
    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), Rejection> {
        let received = || claims.aud.iter().map(|aud| without_slash(aud));
        let Checked { audiences, tenants, client_id, .. } = &self.settings;
        if received().any(|aud| audiences.contains(aud)) {
            return Ok(());
        }
        // The other App ID URI that Entra proposes. It contains the API's own tenant, which the
        // token's tenant is only if no others are allowed.
        let of_tenant =
            (*tenants == Tenants::Own).then(|| format!("api://{}/{client_id}", claims.tenant));
        if received().any(|aud| of_tenant.as_deref() == Some(aud)) {
            return Ok(());
        }
        let rejection =
            Rejection::invalid_token(Rule::Audience, "The token's aud is not this API.");
        let mut expected: Vec<_> = audiences.iter().chain(&of_tenant).map(String::as_str).collect();
        expected.sort_unstable();
        Err(rejection.compared(expected.join(" or "), &claims.aud.join(" ")).with_hint(
            "Request a scope of this API, such as api://{client id}/access_as_user. If the API has \
             a different App ID URI, add it to the settings. Or the client id in the API's settings \
             is not this API's.",
        ))
    }
}

/// The issuer must be that of the token's version and tenant, byte for byte.
fn check_issuer(
    claims: &Claims<'_>,
    template: &IssuerTemplate,
    trust: &Trust,
) -> Result<(), Rejection> {
    // The authority of a single tenant has one issuer, which spells the tenant in one way.
    let own = trust.metadata.tenant.as_ref().filter(|own| own.id == claims.tenant);
    let tid = own.map_or(claims.tid, |own| &*own.tid);
    if claims.tid == tid && template.matches(claims.iss, tid) {
        return Ok(());
    }
    let expected = template.fill(tid);
    let rejection = Rejection::invalid_token(
        Rule::Issuer,
        "The token's iss is not the issuer of its tenant and version.",
    );
    Err(rejection.compared(expected, claims.iss).with_hint(
        "Get the token from the authority that this API is configured for. A v1 issuer in a v2 \
         token is never right, nor is a v2 issuer in a v1 token.",
    ))
}

/// A key that is bound to a cloud or an issuer must not sign tokens of another one.
fn check_key_issuer(
    claims: &Claims<'_>,
    key: &VerifyingKey,
    trust: &Trust,
) -> Result<(), Rejection> {
    let names = (&trust.metadata.cloud_instance_name, &key.cloud_instance_name);
    if let (Some(expected), Some(received)) = names
        && expected != received
    {
        let detail = "The key that signed the token belongs to another cloud.";
        let rejection = Rejection::invalid_token(Rule::KeyIssuer, detail);
        return Err(rejection.compared(expected, received));
    }
    let Some(template) = &key.issuer else {
        return Ok(());
    };
    // The keys of v1 tokens name the v2 issuer. It is usually the same template, which then need
    // not be filled in.
    let v2 = &trust.metadata.issuers.v2;
    if template.matches(claims.iss, claims.tid)
        || template == v2
        || template.matches(&v2.fill(claims.tid), claims.tid)
    {
        return Ok(());
    }
    let detail = "The key that signed the token belongs to another issuer.";
    let rejection = Rejection::invalid_token(Rule::KeyIssuer, detail);
    Err(rejection.compared(template.as_str(), claims.iss))
}

/// Why a validator cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings are missing or wrong.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// The HTTP client could not be created.
    #[error("failed to create the HTTP client; are CA certificates installed?")]
    Client(#[source] reqwest::Error),
}
