//! The signing keys: generated once, kept in a file, published as a key set.

mod error;
mod file;
mod key_set;
mod ring;
mod signing_key;
mod store;

pub use error::KeyError;
pub(crate) use error::failed;
pub(crate) use file::{create, replace};
pub(crate) use ring::KeyRing;
pub(crate) use signing_key::{Jwk, SignError, SigningKey, unsigned};
