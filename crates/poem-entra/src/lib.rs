#![doc = include_str!("../README.md")]
//!
//! ## The modules
//!
//! In reading order: what is configured ([`settings`], [`authority`]), what is fetched ([`keys`],
//! [`transport`]), how a token is read ([`token`]) and judged ([`validator`]), what
//! comes out of it ([`principal`], [`rejection`]), who may do what ([`policy`]), and how poem's
//! handlers say so ([`mod@poem`]).

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod authority;
mod cache;
mod claims;
pub mod clock;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod ids;
mod json;
mod jwk;
pub mod keys;
mod metadata;
#[cfg(feature = "poem")]
pub mod poem;
pub mod policy;
pub mod principal;
pub mod rejection;
pub mod settings;
pub mod token;
pub mod transport;
pub mod validator;

pub use clock::{Clock, SystemClock};
pub use ids::{ClientId, ObjectId, TenantId};
pub use keys::KeyMetrics;
pub use policy::{Policy, Requirement};
pub use principal::{AccountType, App, Groups, Principal, User};
pub use rejection::{Challenge, Refusal, Rejection, Rule};
pub use settings::{Fault, InvalidSettings, Settings};
pub use validator::{Readiness, StartError, Validator};
