//! Starts, controls and stops a development tenant.

mod access_token;
mod bind;
mod checks;
mod connections;
mod dev_tenant;
mod directory;
mod error;
mod health;
mod isolated;
mod local_request;
mod open_keys;
mod running;

pub use access_token::{TokenError, access_token};
pub use dev_tenant::DevTenant;
pub use error::{BadAppIdUri, BadRedirectUri, StartError};
pub use health::{Unhealthy, check_health};
pub use isolated::IsolatedTenant;
pub use running::running_access_token;
