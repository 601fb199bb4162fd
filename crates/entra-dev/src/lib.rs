//! A development tenant: a loopback-only server that speaks Microsoft Entra ID's protocol, so that
//! an API protected by Entra, or a client of one, can be tried, and tested, with no Azure account.
//!
//! Start one with [`DevTenant::start`], or get a single access token without a server with
//! [`access_token`]. It never asks for a password and must never be reachable from another machine.
//!
//! The modules, in reading order:
//!
//! - `directory` is who and what there is, as data; [`ids`] names what is built in;
//! - `scope` is what may be asked for; `grants`, `devices` and `sessions` are what was given;
//! - `keys` makes and keeps the signing keys, `tokens` says what is signed with them;
//! - `refusal` is every way of saying no; `audit` remembers what was asked;
//! - `faults` and [`Forgery`] are for tests of what goes wrong;
//! - `http` is the wire: discovery, the pages and the token endpoint;
//! - `server` binds loopback, with `tls` where a client insists on it, and runs it all.

mod audit;
mod clock;
mod devices;
mod directory;
mod expiring_map;
mod faults;
mod grants;
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
mod timestamp;
mod tls;
mod tokens;

pub use audit::{Entry as AuditEntry, Outcome as AuditOutcome};
pub use clock::{Clock, SystemClock};
pub use directory::{Directory, DirectoryError, Fault, Person, UnknownPerson};
pub use faults::{Endpoint, FaultPlan};
pub use keys::KeyError;
pub use options::{Options, Scheme};
pub use server::{BadRedirectUri, DevTenant, StartError, TokenError, access_token};
pub use tokens::{ForgeError, Forgery, SignedWith};

/// Compiles and runs the examples in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
