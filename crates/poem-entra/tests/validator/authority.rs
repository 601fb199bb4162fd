//! An authority in memory, with real RSA keys.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem_entra::{
    Clock, Principal, Rejection, Rule, Settings, Validator,
    transport::{Fetch, FetchError, Transport},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const OTHER_TENANT: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
pub(crate) const API: &str = "33333333-3333-4333-8333-333333333333";
pub(crate) const INSTANCE: &str = "https://login.microsoftonline.com";

/// Keys are slow to make: three serve all tests.
static KEYS: LazyLock<[KeyPair; 3]> =
    LazyLock::new(|| [(); 3].map(|()| KeyPair::generate(KeySize::Rsa2048).unwrap()));

/// A key by its number, which signs under whatever `kid`.
pub(crate) fn key_pair(number: usize) -> &'static KeyPair {
    &KEYS[number]
}

/// The published form of a key.
pub(crate) fn jwk(kid: &str, number: usize, issuer: Option<&str>) -> Value {
    let public = key_pair(number).public_key();
    let mut jwk = json!({
        "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid,
        "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
    });
    if let Some(issuer) = issuer {
        jwk["issuer"] = issuer.into();
    }
    jwk
}

/// Signs whatever header and payload.
pub(crate) fn sign(header: &str, payload: &str, number: usize) -> String {
    let key = key_pair(number);
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A token with these claims, signed with key 0 as `kid` "a".
pub(crate) fn token(claims: &Value) -> String {
    token_of("a", 0, claims)
}

pub(crate) fn token_of(kid: &str, number: usize, claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid });
    sign(&header.to_string(), &claims.to_string(), number)
}

/// Documents by URL, a gate that holds answers back, and counts of what was asked for.
#[derive(Default)]
pub(crate) struct Documents {
    by_url: Mutex<HashMap<String, String>>,
    keys_fetched: AtomicUsize,
    discovery_fetched: AtomicUsize,
    gate: Mutex<Option<Arc<Semaphore>>>,
}

impl Documents {
    /// Publishes discovery for an instance and a directory, with the issuer it names.
    pub(crate) fn publish(&self, instance: &str, directory: &str, issuer: &str) {
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{instance}/keys") });
        let url = format!("{instance}/{directory}/v2.0/.well-known/openid-configuration");
        self.by_url.lock().unwrap().insert(url, discovery.to_string());
    }

    pub(crate) fn publish_keys(&self, instance: &str, keys: &[Value]) {
        self.set(&format!("{instance}/keys"), &json!({ "keys": keys }).to_string());
    }

    pub(crate) fn set(&self, url: &str, body: &str) {
        self.by_url.lock().unwrap().insert(url.to_owned(), body.to_owned());
    }

    /// Nothing answers any more.
    pub(crate) fn go_down(&self) -> HashMap<String, String> {
        std::mem::take(&mut self.by_url.lock().unwrap())
    }

    pub(crate) fn come_back(&self, documents: HashMap<String, String>) {
        *self.by_url.lock().unwrap() = documents;
    }

    /// Answers wait until the gate is opened, a permit each.
    pub(crate) fn close_gate(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.gate.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    pub(crate) fn discovery_fetched(&self) -> usize {
        self.discovery_fetched.load(Ordering::SeqCst)
    }

    pub(crate) fn keys_fetched(&self) -> usize {
        self.keys_fetched.load(Ordering::SeqCst)
    }
}

impl Transport for Documents {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        Box::pin(async move {
            let fetched = match url.ends_with("/keys") {
                true => &self.keys_fetched,
                false => &self.discovery_fetched,
            };
            fetched.fetch_add(1, Ordering::SeqCst);
            // What is on its way does not change any more.
            let body = self.by_url.lock().unwrap().get(url).cloned();
            let gate = self.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
            body.map(String::into_bytes).ok_or(FetchError::Status(503))
        })
    }
}

/// Seconds that pass when a test says so.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A validator with its authority and its clock.
pub(crate) struct World {
    pub(crate) validator: Arc<Validator>,
    /// The same without the cache of verified tokens (rule T3).
    uncached: Validator,
    pub(crate) documents: Arc<Documents>,
    pub(crate) clock: TestClock,
}

impl World {
    /// The public cloud's one tenant, with key "a".
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with settings changed.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(TENANT, API);
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
        let clock = TestClock(Arc::new(AtomicU64::new(1_800_000_000)));
        let validator = |settings: &Settings| {
            let transport = Arc::clone(&documents) as Arc<dyn Transport>;
            Validator::with_transport(settings, Arc::new(clock.clone()), transport).unwrap()
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

    /// The outcome of a token with the claims changed: the same at first sight, from the cache and
    /// without a cache.
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

    /// Asserts that such a token is accepted.
    #[track_caller]
    pub(crate) fn assert_accepts(outcome: &Result<Principal, Rejection>, what: &str) {
        if let Err(rejection) = outcome {
            panic!("{what} is refused: {rejection}");
        }
    }

    /// Asserts that such a token breaks this rule.
    #[track_caller]
    pub(crate) fn assert_refuses(outcome: &Result<Principal, Rejection>, rule: Rule, what: &str) {
        match outcome {
            Ok(_) => panic!("{what} is accepted"),
            Err(rejection) => assert_eq!(rejection.rule(), rule, "{what}: {rejection}"),
        }
    }
}

/// The v2 issuer that each cloud documents.
pub(crate) fn v2_issuer(instance: &str, tenant: &str) -> String {
    match instance.ends_with(".ciamlogin.com") {
        true => format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"),
        false => format!("{instance}/{tenant}/v2.0"),
    }
}
