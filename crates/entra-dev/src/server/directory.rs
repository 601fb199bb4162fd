//! The directory of a running tenant.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::{
    directory::{Directory, Edit, EditError},
    http::Context,
    keys::KeyError,
};

use super::dev_tenant::DevTenant;

/// The same as `/_dev/directory` over HTTP. A change is made as a whole or not at all, and counts
/// from the next request on. The sessions, codes, refresh tokens and consents of removed people and
/// apps end. Access tokens stay valid until they expire, as in Entra.
impl DevTenant {
    /// Tenants, people, groups and apps at this moment.
    pub fn directory(&self) -> Directory {
        self.context.directory()
    }

    /// Changes the directory.
    ///
    /// # Errors
    ///
    /// As for [`Directory::edit`]; also if the key of an app with its own signing key cannot be
    /// generated, or if the tenant cannot be reached at the issuer that an app expects.
    pub async fn edit_directory(&self, edit: Edit) -> Result<(), EditError> {
        change(&self.context, move |context| context.edit_directory(&edit).map(|_| ())).await
    }

    /// Replaces the directory.
    ///
    /// # Errors
    ///
    /// As for [`edit_directory`](Self::edit_directory), except that the directory has no faults.
    pub async fn set_directory(&self, directory: Directory) -> Result<(), EditError> {
        change(&self.context, move |context| context.set_directory(&directory)).await
    }

    /// Goes back to the directory with which the tenant was started.
    ///
    /// # Errors
    ///
    /// The key of an app with its own signing key cannot be generated.
    pub async fn reset_directory(&self) -> Result<(), EditError> {
        change(&self.context, |context| context.reset_directory()).await
    }
}

/// Changes a directory on a thread that may block.
pub(super) async fn change(
    context: &Arc<Context>,
    change: impl FnOnce(&Context) -> Result<(), EditError> + Send + 'static,
) -> Result<(), EditError> {
    let context = Arc::clone(context);
    spawn_blocking(move || change(&context)).await.unwrap_or(Err(KeyError::Generate.into()))
}
