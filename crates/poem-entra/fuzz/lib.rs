//! A validator for the fuzz targets, with an authority in memory and a clock that does not advance.

use std::sync::{Arc, LazyLock};

use poem_entra::{
    Clock, Principal, Rejection, Settings, Validator,
    transport::{Fetch, FetchError, Transport},
};
use tokio::runtime::{Builder, Runtime};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const API: &str = "33333333-3333-4333-8333-333333333333";

/// The outcome of a token. The authority publishes one key, with the `kid` "a". Its private key no
/// longer exists, so no token can have a valid signature.
pub fn validate(token: &str) -> Result<Principal, Rejection> {
    RUNTIME.block_on(VALIDATOR.validate(token))
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread().enable_time().build().expect("failed to start the runtime")
});

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let settings = Settings::new(TENANT, API);
    Validator::builder(settings)
        .clock(Arc::new(FixedClock))
        .transport(Arc::new(InMemory))
        .build()
        .expect("the settings must be valid")
});

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> u64 {
        1_800_000_000
    }
}

struct InMemory;

impl Transport for InMemory {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        let body = match url.rsplit('/').next() {
            Some("openid-configuration") => Ok(include_bytes!("corpus/discovery/tenant").to_vec()),
            Some("keys") => Ok(include_bytes!("corpus/key_set/one").to_vec()),
            _ => Err(FetchError::Status(404)),
        };
        Box::pin(async { body })
    }
}
