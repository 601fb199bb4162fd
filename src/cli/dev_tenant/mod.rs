//! The embedded development tenant, if the program was built with the feature `dev-tenant`. Without
//! the feature, the program cannot issue tokens, and these functions return an error.

#[cfg(feature = "dev-tenant")]
mod embedded;
#[cfg(not(feature = "dev-tenant"))]
mod missing;

#[cfg(feature = "dev-tenant")]
pub(super) use self::embedded::{DevTenant, access_token, read_config};
#[cfg(not(feature = "dev-tenant"))]
pub(super) use self::missing::{DevTenant, access_token, read_config};
