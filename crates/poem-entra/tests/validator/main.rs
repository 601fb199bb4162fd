//! Tests every rule through the public API. The authority is in memory, so the tests control its
//! documents, its keys, its failures and the time.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod allocations;
mod cache;
mod claims;
mod document;
mod guard;
mod history;
mod http;
mod keys;
mod log;
mod maintenance;
mod policies;
mod properties;
mod readme;
mod report;
mod revocation;
mod settings;
mod support;
#[cfg(feature = "swagger-ui")]
mod swagger_ui;
mod vectors;
