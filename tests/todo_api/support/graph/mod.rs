//! A strict Microsoft Graph: the parts of v1.0 that manage app registrations, in memory.
//!
//! It checks each request body against Microsoft's own types (`schemas`) and against the rules that
//! Microsoft documents (`application_rules`, `identifier_uris` and the other files; each rule links
//! to its page). Where the documentation leaves something open, it assumes what is worse for the
//! client. It keeps state, and on request it replicates late, throttles, fails or stops at a call.

mod access;
mod application_rules;
mod applications;
mod assignments;
mod calls;
mod connections;
mod deleted_items;
mod directory;
mod faults;
mod grants;
mod identifier_uris;
mod merge;
mod objects;
mod people;
mod query;
mod refusal;
mod routes;
mod schemas;
mod server;
mod service_principals;
mod token;

pub(crate) use self::{
    access::Account,
    faults::{Fault, Moment},
    server::StrictGraph,
    token::GraphToken,
};
