//! Starts, controls and stops a development tenant.

mod access_token;
mod bind;
mod connections;
mod dev_tenant;
mod error;
mod running;

pub use access_token::{TokenError, access_token};
pub use dev_tenant::DevTenant;
pub use error::{BadAppIdUri, BadRedirectUri, StartError};
pub use running::running_access_token;
