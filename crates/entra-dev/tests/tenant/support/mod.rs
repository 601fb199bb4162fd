//! The harness: a tenant on a free port, clients and browsers, and assertions.

mod agents;
mod answer;
mod browser;
mod clock;
mod consent;
mod credential;
mod directory;
mod folders;
mod foreign_issuer;
mod form;
mod graph;
mod keys;
mod managed_identity;
mod many_scopes;
mod page;
mod process;
mod programs;
mod tenant;

pub(crate) use agents::{
    AGENT, AGENT_USER, BLUEPRINT, EXCHANGE, LIBRARY_API, agent_entries, agent_request,
    blueprint_request,
};
pub(crate) use answer::Answer;
pub(crate) use browser::{Browser, authorize_path, trusting};
pub(crate) use clock::{NOW, TestClock};
pub(crate) use consent::{PLANNER, PLANNER_ENTRIES, accept, planner_requests};
pub(crate) use credential::{Credential, unsigned};
pub(crate) use directory::as_json;
pub(crate) use folders::{new_folder, shared_keys};
pub(crate) use foreign_issuer::{
    ForeignIssuer, KEYS, METADATA, SUBJECT, TOKEN_EXCHANGE, foreign_token, jwk,
};
pub(crate) use form::{
    CHALLENGE, Form, ORIGIN, OTHER_REDIRECT_URI, REDIRECT_URI, UNKNOWN_CLIENT_ID, VERIFIER,
    client_credentials, on_behalf_of,
};
pub(crate) use graph::{GRAPH_PATH, GraphToken};
pub(crate) use keys::{PublishedKeys, token_header};
pub(crate) use managed_identity::{
    IDENTITY_ENTRIES, IDENTITY_HEADER, MAINTENANCE, WORKER, app_service, ask_app_service,
    ask_identity, ask_imds, assert_app_service_error, assert_imds_error, assert_members, imds,
    todo_api,
};
pub(crate) use many_scopes::{MANY_SCOPES, MANY_SCOPES_ENTRIES};
pub(crate) use page::{between, section};
pub(crate) use process::{EntraDev, GIVE_UP_AFTER, command, free_ports, output_of, run_to_end};
pub(crate) use programs::{
    NATIVE, Program, REPORTS_API, SINGLE_PAGE, WEB, api_scope, claims, reports_scope, text,
};
pub(crate) use tenant::TestTenant;
