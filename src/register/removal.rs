//! Removes what `register` created.

use super::{
    call::Call,
    error::Failure,
    graph::Graph,
    permission::Permission,
    resources::Application,
    wait::Patience,
    wanted::{Wanted, Which},
};

/// What `--destroy` does with a registration.
#[derive(Debug)]
pub struct Removal {
    /// The registration.
    pub which: Which,
    /// What Graph has.
    pub application: Application,
    /// The name that `register` gives to it.
    unique_name: String,
    /// Whether an interrupted run has deleted it, but not permanently.
    pub is_deleted: bool,
}

impl Removal {
    /// The registrations that exist, the client first.
    ///
    /// # Errors
    ///
    /// Why they could not be read.
    pub async fn find(graph: &Graph, wanted: &Wanted) -> Result<Vec<Self>, Failure> {
        let mut removals = Vec::new();
        for which in [Which::SwaggerUi, Which::Api] {
            let unique_name = wanted.names.unique(which);
            let found = match wanted.client_ids.of(which) {
                Some(client_id) => graph.application_with("appId", client_id).await?,
                None => graph.application_with("uniqueName", &unique_name).await?,
            };
            let is_deleted = found.is_none();
            let application = match found {
                None => {
                    let deleted = graph.deleted_applications().await?;
                    let is_it = |it: &Application| it.unique_name.as_ref() == Some(&unique_name);
                    deleted.into_iter().find(is_it)
                }
                found => found,
            };
            if let Some(application) = application {
                removals.push(Self { which, application, unique_name, is_deleted });
            }
        }
        Ok(removals)
    }

    /// Whether `register` created it: its unique name says so. Other tools give other names, and the
    /// portal gives none.
    pub fn is_own(&self) -> bool {
        self.application.unique_name.as_ref() == Some(&self.unique_name)
    }

    /// Deletes the registration. Entra also removes the application in the tenant, with its consents
    /// and assignments.
    ///
    /// # Errors
    ///
    /// Why it could not be deleted.
    pub async fn delete(&self, graph: &Graph) -> Result<(), Failure> {
        match self.is_deleted {
            true => Ok(()),
            false => self.send(graph, Call::delete(&["applications", &self.application.id])).await,
        }
    }

    /// Deletes it permanently. Until then it could be restored, for 30 days, and its names would stay
    /// taken. Returns `false` if the caller is not allowed to do so.
    ///
    /// # Errors
    ///
    /// Why it could not be deleted.
    pub async fn purge(&self, graph: &Graph) -> Result<bool, Failure> {
        let path = ["directory", "deletedItems", &self.application.id];
        match self.send(graph, Call::delete(&path)).await {
            Ok(()) => Ok(true),
            Err(Failure::Forbidden { .. }) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn send(&self, graph: &Graph, call: Call) -> Result<(), Failure> {
        match graph.write(&call, Patience::Existing).await {
            Ok(_) => Ok(()),
            // An interrupted run deleted it.
            Err(Failure::Refused(refusal)) if refusal.is_missing() => Ok(()),
            Err(failure) => {
                let what = format!("delete the registration {}", self.application.display_name);
                Err(failure.in_terms_of(&what, Permission::Applications))
            }
        }
    }
}
