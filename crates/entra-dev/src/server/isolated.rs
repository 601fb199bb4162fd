//! Isolated tenants.

use std::{fmt, sync::Arc};

use tokio::task::spawn_blocking;

use crate::{
    audit::Entry as AuditEntry,
    directory::{Directory, Edit, EditError},
    faults::{Endpoint, FaultPlan},
    http::{Context, Tenants},
    keys::KeyError,
    tokens::{ForgeError, Forgery},
};

use super::{dev_tenant::DevTenant, directory::change};

/// A tenant for one test, in the same process as others: it has its own ids, people, apps,
/// sessions, audit trail, clock, faults and keys. Dropping it removes it.
///
/// It is reached under the URLs of the [`DevTenant`] that created it. What they share is listed in
/// `docs/DIRECTORY.md`.
pub struct IsolatedTenant {
    context: Arc<Context>,
    tenants: Arc<Tenants>,
}

impl DevTenant {
    /// Creates an isolated tenant with the entries of a directory. All ids in it are new, tenants
    /// have no domains, and the tenant of personal accounts is left out.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_dev::{DevTenant, Directory};
    ///
    /// let process = DevTenant::start().await?;
    /// let tenant = process.isolate(&Directory::default()).await?;
    /// let client_id = tenant.directory().id_of("Todo API").map(str::to_owned);
    /// assert!(tenant.authority().ends_with(tenant.id()));
    /// # assert!(client_id.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The directory has no tenant but that of personal accounts, the key of an app with its own
    /// signing key cannot be generated, or there are 1,000 isolated tenants already.
    pub async fn isolate(&self, directory: &Directory) -> Result<IsolatedTenant, EditError> {
        let (tenants, document) = (Arc::clone(&self.tenants), directory.to_json());
        let created = spawn_blocking(move || {
            let context = tenants.isolate(document)?;
            Ok(IsolatedTenant { context, tenants })
        });
        created.await.unwrap_or(Err(KeyError::Generate.into()))
    }
}

impl IsolatedTenant {
    /// The GUID of the tenant, the first one of its directory.
    pub fn id(&self) -> &str {
        self.context.isolated_id().unwrap_or_default()
    }

    /// The authority on the HTTP listener: `http://localhost:8001/{id}`.
    pub fn authority(&self) -> String {
        format!("{}/{}", self.context.urls.http, self.id())
    }

    /// See [`DevTenant::access_token`].
    ///
    /// # Errors
    ///
    /// There is no such person. The error lists all people.
    pub fn access_token(&self, person: &str) -> Result<String, ForgeError> {
        self.forge(&Forgery::of(person))
    }

    /// See [`DevTenant::forge`]. Without a client or resource, they are the copies of Swagger UI
    /// and the Todo API or, if the directory has none, its first client and its first API.
    ///
    /// # Errors
    ///
    /// The forgery names an unknown person or app.
    pub fn forge(&self, forgery: &Forgery) -> Result<String, ForgeError> {
        self.context.issuer.forge(forgery)
    }

    /// See [`DevTenant::rotate_keys`]. The keys of other tenants do not change.
    ///
    /// # Errors
    ///
    /// An RSA key could not be generated.
    pub async fn rotate_keys(&self, overlap: bool) -> Result<(), KeyError> {
        self.context.rotate_keys(overlap).await
    }

    /// See [`DevTenant::plan_fault`]. Other tenants do not fail.
    pub fn plan_fault(&self, endpoint: Endpoint, plan: Option<FaultPlan>) {
        self.context.faults.plan(endpoint, plan);
    }

    /// The last 200 requests to this tenant, newest first.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.context.audit.entries()
    }

    /// See [`DevTenant::set_clock_offset`]. The clocks of other tenants do not change.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.context.issuer.clock.set_offset(seconds);
    }

    /// The tenants, people, groups and apps of this tenant.
    pub fn directory(&self) -> Directory {
        self.context.directory()
    }

    /// See [`DevTenant::edit_directory`].
    ///
    /// # Errors
    ///
    /// The same; also if a tenant gets an id or a domain that another one in this process has.
    pub async fn edit_directory(&self, edit: Edit) -> Result<(), EditError> {
        change(&self.context, move |context| context.edit_directory(&edit).map(|_| ())).await
    }

    /// Goes back to the directory with which the tenant was created.
    ///
    /// # Errors
    ///
    /// The key of an app with its own signing key cannot be generated, or the id or domain of a
    /// tenant now belongs to another one in this process.
    pub async fn reset_directory(&self) -> Result<(), EditError> {
        change(&self.context, |context| context.reset_directory()).await
    }
}

impl fmt::Debug for IsolatedTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IsolatedTenant").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Drop for IsolatedTenant {
    fn drop(&mut self) {
        self.tenants.remove(self.id());
    }
}
