//! Tests of the development tenant over HTTP.

// Clippy's exception for tests does not include helper functions.
#![allow(clippy::unwrap_used)]

mod account_page;
mod admin_consent;
mod agents;
mod app_id_uris;
mod audit;
mod authorize;
mod certificates;
mod client_assertion;
mod client_credentials;
mod clock;
mod command_line;
mod consent;
mod consent_by_administrators;
mod control_token;
mod correlation;
mod default_scope;
mod dev_page;
mod device;
mod directory;
mod directory_page;
mod discovery;
mod discovery_v1;
mod faults;
mod footprint;
mod forged_kinds;
mod forgery;
mod https;
mod hybrid_flow;
mod id_token_claims;
mod key_rotation;
mod keys;
mod localhost_redirects;
mod logout;
mod names;
mod on_behalf_of;
mod own_keys;
mod proof_of_possession;
mod refresh;
mod refusals;
mod request_checks;
mod resource_parameter;
mod response_modes;
mod robustness;
mod scope_spelling;
mod scopes;
mod session_cookie;
mod sessions;
mod support;
mod tenancy;
mod token;
mod token_issuer;
mod token_versions;
mod tokens;
