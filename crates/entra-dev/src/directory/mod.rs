//! The directory: tenants, people, groups and apps. It is an
//! immutable snapshot, which `live` replaces when the directory of a running tenant is changed.

mod app;
mod app_id_uri;
mod apply;
mod authority;
mod cascade;
mod certificate;
mod check;
mod collection;
mod contents;
mod convert;
mod document;
mod edit;
mod entries;
mod federated_credential;
mod file;
mod isolated;
mod json;
mod live;
mod lookup;
mod managed_identity;
mod microsoft;
mod person;
mod place;
mod redirect_uri;
mod references;
mod removed;
mod tenant;
mod texts;

pub(crate) use app::{App, OptionalClaim, Platform, Scope};
pub(crate) use app_id_uri::is_valid as is_app_id_uri;
pub(crate) use authority::Authority;
pub use check::Fault;
pub(crate) use document::{Edited, check_keys};
pub use edit::{Edit, EditError, EditFault};
pub(crate) use federated_credential::{FederatedCredential, is_on_this_machine, may_be_fetched};
pub use file::DirectoryError;
pub(crate) use isolated::{IsolatedCopy, isolated_copy};
pub(crate) use live::LiveDirectory;
pub use lookup::Directory;
pub(crate) use managed_identity::{IdentityKind, ManagedIdentity};
pub use person::{Person, UnknownPerson};
pub(crate) use redirect_uri::origin;
pub(crate) use removed::Removed;
pub(crate) use tenant::{Group, Tenant};
