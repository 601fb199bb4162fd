#![doc = include_str!("../README.md")]
//!
//! ## The modules
//!
//! In reading order: what is configured ([`settings`], [`authority`]), how documents are fetched
//! ([`transport`]), how a token is read ([`token`]) and judged ([`validator`], [`rule`]), the
//! outcome ([`principal`], or [`rejection`] with its [`challenge`]), who may call an operation
//! ([`policy`]), and the guards for poem-openapi ([`mod@poem`]).

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod authority;
mod cache;
mod causes;
pub mod challenge;
mod claims;
pub mod clock;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod ids;
mod json;
mod jwk;
mod keys;
mod metadata;
#[cfg(feature = "poem")]
pub mod poem;
pub mod policy;
pub mod principal;
mod refusal_log;
pub mod rejection;
pub mod rule;
pub mod settings;
pub mod token;
pub mod transport;
pub mod validator;

pub use challenge::Challenge;
pub use claims::{AccountType, Groups};
pub use clock::{Clock, SystemClock};
pub use ids::{ClientId, ObjectId, TenantId};
pub use policy::{Policy, Requirement};
pub use principal::{App, Identity, Principal, User};
pub use rejection::{Refusal, Rejection};
pub use rule::Rule;
pub use settings::{Fault, InvalidSettings, Setting, Settings};
pub use validator::{Readiness, StartError, Validator, ValidatorBuilder};
