//! Tests of the whole program over HTTP: the real server, a real development tenant, real tokens.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod allocations;
mod app_id_uris;
mod app_roles;
mod audit;
mod authorization;
mod backup;
mod bad_input;
mod browser;
mod claims_mapping;
mod clients;
mod conditional_delete_all;
mod conditions;
mod connections;
mod delete_all;
mod docs_page;
mod document;
mod durability;
mod examples;
mod faults;
mod foreign_issuer;
mod forged;
mod generators;
mod guard_first;
mod idempotency;
mod isolation;
mod judges;
mod layout;
mod mcp;
mod migrations;
mod postgres_faults;
mod postgres_tls;
mod program;
mod refusal_log;
mod replicas;
mod request_log;
mod revocation;
mod schemathesis;
mod server;
mod shutdown;
mod support;
mod todos;
mod token_command;
mod tokens;
mod validators;
