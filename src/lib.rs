//! A todo API protected with Microsoft Entra ID.
//!
//! The modules, in reading order:
//!
//! - [`api::todos`]: the operations; [`api::security`]: who may call them.
//! - [`mod@todo`] and [`list`]: the domain; [`store`]: the databases.
//! - [`server`]: assembles the server; [`listener`]: accepts connections; [`workers`]: the threads
//!   that serve them; [`tls`]: its certificate; [`unread_body`]: request bodies that nobody reads;
//!   [`proxies`]: which proxies are trusted to name the client.
//! - [`config`]: the settings; [`telemetry`]: the log; [`causes`]: errors in it.
//! - [`objects`]: reads structs from JSON objects only.
//! - [`cases`]: why tokens are refused, with the headings in docs/TROUBLESHOOTING.md.
//! - [`register`]: the app registrations in Microsoft Entra ID.
//! - [`cli`]: the commands.

pub mod api;
pub mod cases;
pub mod causes;
pub mod cli;
pub mod config;
pub mod list;
pub mod listener;
pub mod objects;
pub mod proxies;
pub mod register;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod todo;
pub mod unread_body;
pub mod workers;
