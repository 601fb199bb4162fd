//! Writes the settings that follow from the registrations to `.env`.

use std::path::Path;

use anyhow::ensure;

use crate::{
    causes::Causes,
    config::{self, Environment, env_file::EnvFile, registration::RegistrationConfig},
    register::{Organization, State},
};

use super::{arguments::Request, settings::settings};

/// The file after it was written.
pub(super) struct Written {
    pub(super) file: EnvFile,
    /// The settings just before they were written.
    pub(super) config: RegistrationConfig,
    /// Whether anything in the file changed.
    pub(super) changed: bool,
    /// Whether `ALLOWED_TENANTS` was emptied.
    pub(super) emptied_tenants: bool,
}

impl Request {
    /// Writes the settings. The sign-in and the calls take minutes, and a person may have changed
    /// the file in the meantime. So it is read again, and no new value is overwritten. `before` is
    /// the file at the start.
    ///
    /// # Errors
    ///
    /// Why it was not written. The error contains the lines to write.
    pub(super) fn write_settings(
        &self,
        before: &EnvFile,
        state: &State,
        tenant: &Organization,
    ) -> anyhow::Result<Written> {
        self.try_to_write(before, state, tenant).map_err(|error| {
            // The values must not be lost.
            let lines = settings(&self.config, &self.wanted, state, &tenant.id);
            let lines: String =
                lines.iter().map(|(name, value)| format!("  {name}={value}\n")).collect();
            let problem = Causes(error.as_ref());
            let path = before.path().display();
            anyhow::anyhow!("{problem}. Put these lines into {path}:\n{lines}")
        })
    }

    fn try_to_write(
        &self,
        before: &EnvFile,
        state: &State,
        tenant: &Organization,
    ) -> anyhow::Result<Written> {
        let config = RegistrationConfig::read(&Environment::load()?)?;
        self.check_tenant(&config, tenant)?;
        let settings = settings(&config, &self.wanted, state, &tenant.id);
        let mut file = EnvFile::read(Path::new(config::FILE))?;
        for (name, value) in &settings {
            ensure_not_new(&file, before, name, value)?;
            file.set(name, value)?;
        }
        let changed = file.write()?;
        let emptied_tenants = changed && settings.contains(&("ALLOWED_TENANTS", String::new()));
        Ok(Written { file, config, changed, emptied_tenants })
    }
}

/// Checks that nobody has set the variable to another value since `before` was read.
pub(super) fn ensure_not_new(
    file: &EnvFile,
    before: &EnvFile,
    name: &str,
    value: &str,
) -> anyhow::Result<()> {
    let found = file.value(name).filter(|found| !found.trim().is_empty());
    ensure!(
        found.is_none() || found.as_deref() == Some(value) || found == before.value(name),
        "{name} in {} was set during the run, but not to the value that the registrations need, so \
         the file was not changed",
        file.path().display()
    );
    Ok(())
}
