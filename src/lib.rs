//! A todo API protected with Microsoft Entra ID.
//!
//! In reading order: the operations ([`api::todos`]) and who may call them ([`api::security`]); the
//! domain ([`mod@todo`], [`list`]) and where it is kept ([`store`]); how the parts become a server
//! ([`server`]), what it is told ([`config`]), what it logs ([`telemetry`], [`causes`]) and the
//! commands that start it ([`cli`]).

pub mod api;
pub mod causes;
pub mod cli;
pub mod config;
pub mod list;
pub mod listener;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod todo;
