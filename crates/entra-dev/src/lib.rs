//! A development tenant: a server that speaks the protocol of Microsoft Entra ID. With
//! it you can try and test an API that is protected with Entra, or a client of Entra, without an
//! Azure account.
//!
//! Start a tenant with [`DevTenant::start`], or get an access token without a server from
//! [`access_token`]. The tenant never asks for a password, so by default it can only be reached from
//! this machine.
//!
//! The modules, in reading order:
//!
//! - `directory`: tenants, people, groups and apps; [`ids`]: the built-in ids
//! - `host_name`, `control_token`, `token_issuer`: who can reach the tenant, and under which names
//! - `scope`: what a client requests; `grants`, `devices` and `sessions`: what people have granted
//! - `keys`: the signing keys; `tokens`: the content of tokens
//! - `refusal`: the error responses; `audit`: the last requests
//! - `faults` and [`Forgery`]: faults and invalid tokens for tests
//! - `http`: the endpoints; start with `http/mod.rs` and `http/operation.rs`
//! - `server`: binds the listeners, with the certificate of `tls`, and runs everything
//! - `setup`: what apps need, for each language

mod audit;
mod clock;
mod control_token;
mod devices;
mod directory;
mod expiring_map;
mod faults;
mod grants;
mod host_name;
mod http;
pub mod ids;
mod jws;
mod keys;
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

pub use audit::{Entry as AuditEntry, Outcome as AuditOutcome};
pub use clock::{Clock, SystemClock};
pub use control_token::{BadControlToken, ControlToken};
pub use directory::{
    Directory, DirectoryError, Edit, EditError, EditFault, Fault, Person, UnknownPerson,
};
pub use faults::{Endpoint, FaultPlan};
pub use host_name::{BadHostName, HostName};
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
