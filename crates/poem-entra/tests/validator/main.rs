//! Every rule through the public API, against an authority that the tests own: its documents, its
//! keys, its faults and the time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cache;
mod claims;
mod document;
mod history;
mod http;
mod keys;
mod policies;
mod properties;
mod readme;
mod support;
mod vectors;
