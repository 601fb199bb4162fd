//! Removes what `register` created.

use super::{
    error::{Failure, Permission},
    graph::{Call, Graph, Patience},
    resources::Application,
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
            match graph.application(wanted, which).await {
                Ok(Some(application)) => {
                    let unique_name = wanted.names.unique(which);
                    removals.push(Self { which, application, unique_name });
                }
                // It was deleted before.
                Ok(None) | Err(Failure::NoRegistration { .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(removals)
    }

    /// Whether `register` created it: its unique name says so. Other tools give other names, and the
    /// portal gives none.
    pub fn is_own(&self) -> bool {
        self.application.unique_name.as_ref() == Some(&self.unique_name)
    }

    /// The requests. The first one also removes the application in the tenant, with its consents and
    /// assignments. For 30 days, the registration could be restored, and its names would stay taken,
    /// so the second one deletes it permanently.
    fn calls(&self) -> [Call; 2] {
        let id = &self.application.id;
        [Call::delete(&["applications", id]), Call::delete(&["directory", "deletedItems", id])]
    }

    /// Deletes the registration permanently.
    ///
    /// # Errors
    ///
    /// Why it could not be deleted.
    pub async fn run(&self, graph: &Graph) -> Result<(), Failure> {
        for call in self.calls() {
            match graph.write(&call, Patience::Existing).await {
                Ok(_) => {}
                // An interrupted run deleted it.
                Err(Failure::Refused(refusal)) if refusal.is_missing() => {}
                Err(failure) => {
                    let what = format!("delete the registration {}", self.application.display_name);
                    return Err(failure.in_terms_of(&what, Permission::Applications));
                }
            }
        }
        Ok(())
    }
}
