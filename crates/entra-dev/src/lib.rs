//! A development tenant: a loopback-only server that speaks Microsoft Entra ID's protocol, so that
//! an API protected by Entra can be tried, and tested, with no Azure account.
//!
//! Start one with [`DevTenant::start`], or get a single access token without a server with
//! [`access_token`]. It never asks for a password and must never be reachable from another machine.
//!
//! The modules, in reading order:
//!
//! - [`ids`] names the tenants and apps; `people` and `directory` say who lives where;
//! - `apps` and `scope` say what is registered and what may be asked for;
//! - `keys` makes and keeps the signing keys, `issuer` signs tokens with them;
//! - `codes` remembers authorization codes; `refusal` is every way of saying no;
//! - `http` is the wire: discovery, the account page and the token endpoint;
//! - `server` binds loopback and runs it all.

mod apps;
mod clock;
mod codes;
mod directory;
mod http;
pub mod ids;
mod issuer;
mod keys;
mod options;
mod people;
mod random;
mod refusal;
mod scope;
mod server;
mod timestamp;

pub use apps::BadRedirectUri;
pub use clock::{Clock, SystemClock};
pub use issuer::{TokenError, access_token};
pub use keys::KeyError;
pub use options::Options;
pub use people::{Person, UnknownPerson, people};
pub use server::{DevTenant, StartError};
