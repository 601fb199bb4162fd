//! A development tenant: a server that speaks the protocol of Microsoft Entra ID. With it you can
//! try and test an API that is protected with Entra, or an app that signs people in, without an
//! Azure account. The libraries for Entra work with it unchanged.
//!
//! **For development only.** Nobody has a password, so anybody who can reach the tenant can sign in
//! as anybody. By default, it can only be reached from this machine.
//!
//! ## The first test
//!
//! The tenant runs in the process of the test, on free ports:
//!
//! ```
//! use entra_dev::{DevTenant, Forgery, ids};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tenant = DevTenant::start().await?;
//!
//! // Point the API under test at it ...
//! let authority = format!("{}/{}", tenant.base_url(), ids::CONTOSO);
//! assert!(authority.starts_with("http://localhost:"));
//! // ... call it as Ada, who has the role Admin ...
//! let token = tenant.access_token("ada")?;
//! // ... and as somebody whose token has expired.
//! let expired = tenant.forge(&Forgery::of("uma").expires_in(-3600))?;
//! assert_ne!(token, expired);
//!
//! tenant.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Uma and Ada are built in, and so are an API and several apps. The README lists them, with the
//! flows and client libraries that are tested.
//!
//! ## Where to go next
//!
//! | to … | use |
//! | --- | --- |
//! | choose ports, keep keys or admit other machines | [`DevTenant::start_with`] and [`Options`] |
//! | describe your own people and apps | [`Directory`] |
//! | change them while the tenant runs | [`DevTenant::edit_directory`] |
//! | send tokens that an API must refuse | [`DevTenant::forge`] and [`Forgery`] |
//! | make an endpoint slow or fail | [`DevTenant::plan_fault`] and [`FaultPlan`] |
//! | let tokens expire without waiting | [`DevTenant::set_clock_offset`] or a [`Clock`] |
//! | see which requests arrived, and why one was refused | [`DevTenant::audit`] |
//! | share one process between tests that run in parallel | [`DevTenant::isolate`] |
//! | get a token without a server | [`access_token`] |
//! | know the built-in ids | [`ids`] |
//!
//! Tests in other languages do the same over HTTP: see the README.
//!
//! ## Features
//!
//! `cli`, which is on by default, adds the program `entra-dev`. A test that uses the library does
//! not need it: set `default-features = false`.
//!
//! ## The modules
//!
//! For those who change this crate, in reading order:
//!
//! - `directory`: tenants, people, groups and apps; [`ids`]: the built-in ids
//! - `host_name`, `control_token`, `identity_header`, `token_issuer`: who can reach the tenant, and
//!   under which names; `constant_time`: comparison of secrets
//! - `scope`: what a client requests; `grants`, `devices` and `sessions`: what people have granted
//! - `keys`: the signing keys; `tokens`: the content of tokens
//! - `federation`: the keys of the issuers that apps trust
//! - `refusal`: the error responses; `audit`: the last requests
//! - `faults` and [`Forgery`]: faults and invalid tokens for tests
//! - `http`: the endpoints; start with `http/mod.rs` and `http/operation.rs`
//! - `server`: binds the listeners, with the certificate of `tls`, and runs everything
//! - `setup`: what apps need, for each language

mod audit;
mod clock;
mod constant_time;
mod control_token;
mod devices;
mod directory;
mod expiring_map;
mod faults;
mod federation;
mod grants;
mod host_name;
mod http;
mod identity_header;
pub mod ids;
mod jws;
mod keys;
mod object;
mod options;
mod random;
mod refusal;
mod scope;
mod server;
mod sessions;
mod setup;
mod timestamp;
mod tls;
mod token_issuer;
mod tokens;

pub use audit::{
    Entry as AuditEntry, Outcome as AuditOutcome, RecordedField as AuditField,
    RecordedRequest as AuditRequest,
};
pub use clock::{Clock, SystemClock};
pub use control_token::{BadControlToken, ControlToken};
pub use directory::{
    Directory, DirectoryError, Edit, EditError, EditFault, Fault, Person, UnknownPerson,
};
pub use faults::{Endpoint, FaultPlan};
pub use host_name::{BadHostName, HostName};
pub use identity_header::{BadIdentityHeader, IdentityHeader};
pub use keys::KeyError;
pub use options::{Options, Scheme};
pub use server::{
    BadAppIdUri, BadRedirectUri, DevTenant, IsolatedTenant, StartError, TokenError, Unhealthy,
    access_token, check_health, running_access_token,
};
pub use setup::{BadLanguage, Language, UnknownApp, setup};
pub use token_issuer::{BadTokenIssuer, TokenIssuer};
pub use tokens::{ForgeError, Forgery, SignedWith, TokenKind};

/// Compiles and runs the examples in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles and runs the examples in its page about the directory.
#[cfg(doctest)]
#[doc = include_str!("../docs/DIRECTORY.md")]
struct DirectoryPage;
