//! Changes to the directory of a running tenant.

use std::sync::{MutexGuard, PoisonError};

use crate::directory::{Directory, Edit, EditError, EditFault, Edited, Removed};

use super::{context::Context, taken_names::TakenNames};

/// All of these block while they generate the keys of apps that have a signing key of their own.
/// Either everything is changed or nothing, and changes are made one after the other.
impl Context {
    /// Changes the directory.
    pub(crate) fn edit_directory(&self, edit: &Edit) -> Result<Edited, EditError> {
        self.edit_directory_if(edit, |_| Ok(()))
    }

    /// Changes the directory if it meets a condition. Nothing changes it in between.
    pub(super) fn edit_directory_if<E: From<EditError>>(
        &self,
        edit: &Edit,
        condition: impl FnOnce(&Directory) -> Result<(), E>,
    ) -> Result<Edited, E> {
        let mut names = self.lock_changes();
        let before = self.directory();
        condition(&before)?;
        let edited = before.edited(edit)?;
        self.replace_directory(&edited.directory, &mut names)?;
        Ok(edited)
    }

    /// Replaces the directory.
    pub(crate) fn set_directory(&self, directory: &Directory) -> Result<(), EditError> {
        self.set_directory_if(directory, |_| Ok(()))
    }

    /// Replaces the directory if it meets a condition. Nothing changes it in between.
    pub(super) fn set_directory_if<E: From<EditError>>(
        &self,
        directory: &Directory,
        condition: impl FnOnce(&Directory) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut names = self.lock_changes();
        condition(&self.directory())?;
        Ok(self.replace_directory(directory, &mut names)?)
    }

    /// Goes back to the directory with which the tenant was started.
    pub(crate) fn reset_directory(&self) -> Result<(), EditError> {
        self.set_directory(self.issuer.directory.initial())
    }

    /// Records the ids and domains of the tenants in this directory as those of this context.
    pub(super) fn take_names(&self, directory: &Directory) {
        self.lock_changes().take(self.isolated_id().unwrap_or_default(), directory);
    }

    /// Forgets the ids and domains of the tenants of this context.
    pub(super) fn release_names(&self) {
        self.lock_changes().release(self.isolated_id().unwrap_or_default());
    }

    fn lock_changes(&self) -> MutexGuard<'_, TakenNames> {
        // The names are correct after every statement, so a poisoned lock is safe to use.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the directory. Sessions, codes, refresh tokens and consents of people and apps that
    /// are not in it any more end.
    fn replace_directory(
        &self,
        directory: &Directory,
        names: &mut TakenNames,
    ) -> Result<(), EditError> {
        self.check_issuers(directory)?;
        let owner = self.isolated_id().unwrap_or_default();
        names.check(owner, directory).map_err(|fault| EditError::Faults(vec![fault]))?;
        let before = self.directory();
        self.issuer.keys.set_own(&directory.own_signing_keys())?;
        self.issuer.directory.replace(directory.clone());
        names.take(owner, directory);
        let removed = Removed::between(&before, directory);
        self.sessions.end(&removed);
        self.codes.end(&removed);
        self.refresh_tokens.end(&removed);
        self.devices.end(&removed);
        self.consents.withdraw(&removed);
        let known: Vec<_> = before.warnings().collect();
        for warning in directory.warnings().filter(|warning| !known.contains(warning)) {
            tracing::warn!("{warning}");
        }
        Ok(())
    }

    /// Checks that the tenant can be reached at each URL that is the issuer of access tokens.
    pub(super) fn check_issuers(&self, directory: &Directory) -> Result<(), EditError> {
        for app in directory.apps() {
            let Some(issuer) = &app.token_issuer else { continue };
            let reach = issuer.check_reach(&self.urls.names, self.urls.https.is_some());
            reach.map_err(|error| {
                EditError::Faults(vec![EditFault {
                    pointer: format!("apps/{}/token_issuer", app.name),
                    detail: error.to_string(),
                }])
            })?;
        }
        Ok(())
    }
}
