// The README links to a file of the repository, which `cargo doc` does not have. Of several
// definitions of a link, Markdown uses the first one. So here, the link leads to the published
// repository.
#![doc = concat!(
    "[`entra-dev`]: ",
    env!("CARGO_PKG_REPOSITORY"),
    "/blob/main/crates/entra-dev/README.md\n",
)]
#![doc = include_str!("../README.md")]
//!
//! ## Where to go next
//!
//! | to … | use |
//! | --- | --- |
//! | say which tokens are accepted | [`Settings`] |
//! | say who may call an operation | [`Policy`] and [`Requirement`] |
//! | protect an operation of poem-openapi | [`Guard`](crate::poem::Guard) |
//! | publish the OpenAPI document | [`publish`](crate::poem::publish) |
//! | show a docs page with sign-in | `poem::swagger_ui`, with the feature `swagger-ui` |
//! | protect a server without poem | [`Validator::authorize`] |
//! | know who is calling | [`User`], [`App`] and [`Identity`] |
//! | answer a request that was refused | [`Rejection::status`] and [`Rejection::headers`] |
//! | wait until the signing keys are there | [`Validator::warm_up`] and [`Validator::readiness`] |
//! | refuse the earlier tokens of a caller | [`Validator::revoke`] |
//! | find out why a token is refused | [`Validator::report`] |
//! | move the time in a test | [`Validator::builder`] and [`Clock`] |
//!
//! ## The modules
//!
//! In reading order:
//!
//! - [`settings`] and [`authority`]: the configuration, with typed [`ids`];
//! - [`transport`] and [`clock`]: how documents are fetched, and the time;
//! - [`token`], [`validator`] and [`rule`]: how a token is parsed and validated;
//! - [`principal`] with its [`actor`], or [`rejection`] with its [`challenge`]: the outcome;
//! - [`revocation`]: callers whose older tokens are refused;
//! - [`policy`]: who may call an operation;
//! - [`report`]: the outcome of every rule, to explain a refusal;
//! - [`resource`]: what tells clients where to get a token;
//! - [`examination`]: what the authority publishes, to find faults in a setup;
//! - [`mod@poem`]: the guards for poem-openapi.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod actor;
pub mod authority;
mod cache;
mod causes;
pub mod challenge;
mod claims;
pub mod clock;
mod cloud;
pub mod examination;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod ids;
mod json;
mod jwk;
mod keys;
mod metadata;
mod object;
#[cfg(feature = "poem")]
pub mod poem;
pub mod policy;
pub mod principal;
mod refusal_log;
pub mod rejection;
pub mod report;
pub mod resource;
pub mod revocation;
pub mod rule;
pub mod settings;
pub mod token;
pub mod transport;
pub mod validator;

pub use actor::Actor;
pub use challenge::Challenge;
pub use claims::{AccountType, Groups};
pub use clock::{Clock, SystemClock};
pub use examination::{Examination, ExamineError, examine};
pub use ids::{ClientId, ObjectId, TenantId};
pub use policy::{Policy, Requirement};
pub use principal::{App, Identity, Principal, User};
pub use rejection::{Refusal, Rejection};
pub use report::Report;
pub use resource::ResourceMetadata;
pub use revocation::{RevocationList, RevokeError};
pub use rule::Rule;
pub use settings::{Fault, InvalidSettings, Setting, Settings};
pub use validator::{Readiness, StartError, Validator, ValidatorBuilder};
