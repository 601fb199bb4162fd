//! The data of a directory.

use std::sync::Arc;

use super::{
    app::App,
    entries::DirectoryFile,
    person::Person,
    tenant::{Group, Tenant},
};

/// Everything a directory file describes.
#[derive(Debug, Default, Clone)]
pub(super) struct Contents {
    pub(super) tenants: Vec<Arc<Tenant>>,
    pub(super) groups: Vec<Group>,
    pub(super) people: Vec<Arc<Person>>,
    pub(super) apps: Vec<Arc<App>>,
    /// Microsoft Graph, which is in every directory.
    pub(super) graph: Arc<App>,
    /// The API whose tokens are client assertions, which is in every directory.
    pub(super) token_exchange: Arc<App>,
    /// The entries from which all of this was made. Their certificates are in PEM.
    pub(super) file: DirectoryFile,
}
