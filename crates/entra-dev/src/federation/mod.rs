//! The keys of the foreign issuers that apps trust (workload identity federation).
//!
//! Only an issuer that the directory names is ever asked, so nobody can make the tenant send
//! requests elsewhere by presenting a token.

mod fetch;
mod issuer_key;
mod key_cache;

pub(crate) use fetch::{FetchError, Fetcher};
pub(crate) use issuer_key::IssuerKeys;
pub(crate) use key_cache::KeyCache;
