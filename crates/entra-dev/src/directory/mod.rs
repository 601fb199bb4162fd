//! The directory: tenants, people, groups and apps. It is read once and never changes.

mod app;
mod app_id_uri;
mod authority;
mod certificate;
mod check;
mod contents;
mod convert;
mod entries;
mod file;
mod json;
mod lookup;
mod person;
mod redirect_uri;
mod references;
mod tenant;

pub(crate) use app::{App, OptionalClaim, Platform, Scope};
pub(crate) use app_id_uri::is_valid as is_app_id_uri;
pub(crate) use authority::Authority;
pub use check::Fault;
pub use file::DirectoryError;
pub use lookup::Directory;
pub use person::{Person, UnknownPerson};
pub(crate) use redirect_uri::origin;
