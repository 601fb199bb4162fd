//! Protects a web API with Microsoft Entra ID (Azure AD).
//!
//! [`Validator`] turns the `Authorization` header of a request into a [`Principal`], or a
//! [`Rejection`] that says which rule was broken and which HTTP answer follows. [`Policy`] states,
//! as a type, who may call an operation. With the `poem` feature (on by default) [`poem::Guard`]
//! enforces a policy from a handler's signature and writes it into the OpenAPI document.
//!
//! The modules in reading order: what is configured ([`settings`], [`authority`]), what is fetched
//! ([`keys`], [`transport`]), how a token is read ([`token`], [`claims`]) and judged ([`validator`]), what comes
//! out of it ([`principal`], [`rejection`]) and who may do what ([`policy`]).

pub mod authority;
mod cache;
pub mod claims;
pub mod clock;
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
