//! An authority in memory with real RSA keys, and a validator that is configured for it.

mod clock;
mod documents;
pub(crate) mod signing;
pub(crate) mod vectors;
mod world;

pub(crate) use clock::TestClock;
pub(crate) use documents::Documents;
pub(crate) use signing::{jwk, sign, token, token_of};
pub(crate) use world::World;

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const OTHER_TENANT: &str = "22222222-2222-4222-8222-222222222222";
pub(crate) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
pub(crate) const API: &str = "33333333-3333-4333-8333-333333333333";
pub(crate) const INSTANCE: &str = "https://login.microsoftonline.com";

/// The documented v2 issuer of a cloud and a tenant.
pub(crate) fn v2_issuer(instance: &str, tenant: &str) -> String {
    match instance.ends_with(".ciamlogin.com") {
        true => format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"),
        false => format!("{instance}/{tenant}/v2.0"),
    }
}
