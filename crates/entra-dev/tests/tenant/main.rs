//! The development tenant over HTTP, as an app and a browser see it.

// Clippy's own exception covers test functions and not their helpers.
#![allow(clippy::unwrap_used)]

mod account_page;
mod admin_consent;
mod audit;
mod authorize;
mod browser;
mod certificates;
mod client_assertion;
mod client_credentials;
mod clock;
mod consent;
mod consent_of_administrators;
mod controls;
mod correlation;
mod dev_page;
mod device;
mod directory;
mod discovery;
mod faults;
mod forgery;
mod guards;
mod https;
mod id_tokens_of_authorize;
mod keys;
mod keys_rotate;
mod logout;
mod on_behalf_of;
mod program;
mod programs;
mod refresh;
mod refusals;
mod response_modes;
mod scopes;
mod session_cookie;
mod sessions;
mod support;
mod tenancy;
mod token;
mod tokens;
mod versions;
mod who_and_what;
