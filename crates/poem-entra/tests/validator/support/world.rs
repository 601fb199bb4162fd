//! The test fixture.

use std::{sync::Arc, time::Duration};

use poem_entra::{Clock, Principal, Rejection, Rule, Settings, Validator, transport::Transport};
use serde_json::{Value, json};

use super::{
    API, Documents, INSTANCE, PERSONAL, TENANT, TestClock, jwk, token, token_of, v2_issuer,
};

/// A validator with an authority in memory and a clock that the test controls.
pub(crate) struct World {
    pub(crate) validator: Arc<Validator>,
    /// The same validator without the token cache.
    uncached: Validator,
    pub(crate) documents: Arc<Documents>,
    pub(crate) clock: TestClock,
}

impl World {
    /// A single tenant of the public cloud, with the key "a".
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with changed settings.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        // The tests of keys count on these times, whatever the defaults are.
        let mut settings = Settings {
            key_refresh: Duration::from_secs(3_600),
            key_refresh_floor: Duration::from_secs(300),
            key_retention: Duration::from_secs(86_400),
            ..Settings::new(TENANT, API)
        };
        change(&mut settings);
        let documents = Arc::new(Documents::default());
        let issuer = match settings.tenant.as_str() {
            "common" | "organizations" => "{tenantid}",
            "consumers" => PERSONAL,
            _ => TENANT,
        };
        let instance = settings.instance.clone();
        documents.publish(&instance, &settings.tenant, &v2_issuer(&instance, issuer));
        documents.publish_keys(&instance, &[jwk("a", 0, None)]);
        let clock = TestClock::at(1_800_000_000);
        let validator = |settings: &Settings| {
            let transport = Arc::clone(&documents) as Arc<dyn Transport>;
            Validator::builder(settings.clone())
                .clock(Arc::new(clock.clone()))
                .transport(transport)
                .build()
                .unwrap()
        };
        let cached = Arc::new(validator(&settings));
        settings.token_cache_entries = 0;
        Self { validator: cached, uncached: validator(&settings), documents, clock }
    }

    /// The claims of a user's v2 token for the API.
    pub(crate) fn claims(&self) -> Value {
        let now = self.clock.now();
        json!({
            "aud": API, "iss": v2_issuer(INSTANCE, TENANT), "iat": now, "nbf": now,
            "exp": now + 3_600, "tid": TENANT, "sub": "pairwise", "ver": "2.0",
            "oid": "aaaaaaaa-0000-4000-8000-000000000001", "scp": "access_as_user",
            "azp": "44444444-4444-4444-8444-444444444444",
        })
    }

    /// The outcome of a token with changed claims. Asserts that it is the same on a cache miss, on
    /// a cache hit and without a cache.
    pub(crate) async fn judge(
        &self,
        change: impl FnOnce(&mut Value),
    ) -> Result<Principal, Rejection> {
        let mut claims = self.claims();
        change(&mut claims);
        let token = token(&claims);
        let first = self.validator.validate(&token).await;
        assert_eq!(first, self.validator.validate(&token).await, "the cache changes the outcome");
        assert_eq!(first, self.uncached.validate(&token).await, "the cache changes the outcome");
        first
    }

    /// The outcome of a valid token that is signed with this key.
    pub(crate) async fn with_key(&self, kid: &str, number: usize) -> Result<(), Rejection> {
        let token = token_of(kid, number, &self.claims());
        self.validator.validate(&token).await.map(|_| ())
    }

    /// Waits until a background refresh has ended.
    pub(crate) async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Asserts that the token is accepted.
    #[track_caller]
    pub(crate) fn assert_accepts(outcome: &Result<Principal, Rejection>, what: &str) {
        if let Err(rejection) = outcome {
            panic!("{what} is refused: {rejection}");
        }
    }

    /// Asserts that the token is refused because it breaks this rule.
    #[track_caller]
    pub(crate) fn assert_refuses(outcome: &Result<Principal, Rejection>, rule: Rule, what: &str) {
        match outcome {
            Ok(_) => panic!("{what} is accepted"),
            Err(rejection) => assert_eq!(rejection.rule(), rule, "{what}: {rejection}"),
        }
    }
}
