//! Tokens: access tokens, ID tokens, and forged tokens for tests.

mod access;
mod agents;
mod claims;
mod claims_request;
mod client_info;
mod confirmation;
mod forgery;
mod forging;
mod id;
mod issuer;
mod jwe;
mod lifetime;
mod optional_claims;
mod received;

pub(crate) use access::{AccessToken, Proof, Subject, service_principal};
pub(crate) use agents::path_subject;
pub(crate) use claims::{pairwise_subject, stable_id};
pub(crate) use claims_request::ClaimsRequest;
pub(crate) use client_info::client_info;
pub(crate) use confirmation::Confirmation;
pub use forgery::{ForgeError, Forgery, SignedWith, TokenKind};
pub(crate) use id::IdToken;
pub(crate) use issuer::{Defaults, Issuer, IssuerUrls};
pub(crate) use lifetime::lifetime;
pub(crate) use received::AccessTokenError;
