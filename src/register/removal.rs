//! Removes what `register` created.

use super::{
    call::Call,
    error::Failure,
    graph::Graph,
    permission::Permission,
    resources::{ApiChange, Application, ApplicationChange},
    step::Step,
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
                    let client_id = wanted.client_ids.of(which);
                    let is_it = |it: &Application| {
                        it.unique_name.as_ref() == Some(&unique_name)
                            // The settings may name another registration.
                            && client_id.is_none_or(|id| it.app_id.eq_ignore_ascii_case(id))
                    };
                    graph.deleted_applications().await?.into_iter().find(is_it)
                }
                found => found,
            };
            if let Some(application) = application {
                removals.push(Self { which, application, unique_name, is_deleted });
            }
        }
        Ok(removals)
    }

    /// Whether `register` created it: its unique name says so. Other tools give other names, and
    /// the portal gives none.
    pub fn is_own(&self) -> bool {
        self.application.unique_name.as_ref() == Some(&self.unique_name)
    }

    /// The change that removes this registration from another one, which is kept. `None` if the
    /// other one does not name it. Graph refuses every later change of a registration that still
    /// names a deleted client.
    pub fn unlinked_from(&self, kept: &Self) -> Option<Step> {
        self.unlinked(kept.which, &kept.application)
    }

    /// Makes this change.
    ///
    /// # Errors
    ///
    /// Why it could not be made, unless a person can make it.
    pub async fn unlink_from(&self, kept: &Self, graph: &Graph) -> Result<Unlink, Failure> {
        // The change replaces whole lists, and a person may have added something since they were
        // read.
        let found = graph.application_with("appId", &kept.application.app_id).await?;
        let Some(found) = found else { return Ok(Unlink::Unnecessary) };
        let Some(step) = self.unlinked(kept.which, &found) else { return Ok(Unlink::Unnecessary) };
        let refusal = match graph.write(&step.call(), Patience::Existing).await {
            Ok(_) => return Ok(Unlink::Done(step.to_string())),
            Err(Failure::Refused(refusal)) => refusal,
            Err(failure) => return Err(failure),
        };
        if refusal.is_missing() {
            return Ok(Unlink::Refused(Failure::Refused(refusal)));
        }
        if refusal.may_be_early()
            && let Some(mut clients) = graph.unknown_clients(&found).await
        {
            // The change removes this one, which an interrupted run may have deleted.
            clients.retain(|id| !id.eq_ignore_ascii_case(&self.application.app_id));
            if !clients.is_empty() {
                let name = found.display_name;
                return Ok(Unlink::Refused(Failure::UnknownClients { refusal, name, clients }));
            }
        }
        let failure = Failure::Refused(refusal);
        match failure.in_terms_of(&step.to_string(), step.permission()) {
            failure @ Failure::Forbidden { .. } => Ok(Unlink::Refused(failure)),
            failure => Err(failure),
        }
    }

    fn unlinked(&self, kept: Which, application: &Application) -> Option<Step> {
        let change = without(application, &self.application.app_id)?;
        let Application { id, display_name: name, .. } = application.clone();
        Some(Step::Change { which: kept, name, id, change })
    }

    /// Deletes the registration. Entra also removes the application in the tenant, with its
    /// consents and assignments.
    ///
    /// # Errors
    ///
    /// Why it could not be deleted.
    pub async fn delete(&self, graph: &Graph) -> Result<(), Failure> {
        if self.is_deleted {
            return Ok(());
        }
        let call = Call::delete(&["applications", &self.application.id]);
        match graph.write(&call, Patience::Existing).await {
            Ok(_) => Ok(()),
            // Somebody else has deleted it in the meantime.
            Err(Failure::Refused(refusal)) if refusal.is_missing() => Ok(()),
            Err(failure) => Err(self.in_words(failure)),
        }
    }

    /// Deletes it permanently. Otherwise, it can be restored for 30 days, and its names stay taken.
    ///
    /// # Errors
    ///
    /// Why it could not be deleted.
    pub async fn purge(&self, graph: &Graph) -> Result<Purge, Failure> {
        let call = Call::delete(&["directory", "deletedItems", &self.application.id]);
        // If Graph does not list the registration as deleted, there are two cases. If this run
        // deleted it, Graph may list it later. If it was listed before, somebody else has purged
        // it.
        let (patience, missing) = match self.is_deleted {
            true => (Patience::Existing, Purge::Done),
            false => (Patience::New, Purge::NotVisible),
        };
        match graph.write(&call, patience).await {
            Ok(_) => Ok(Purge::Done),
            Err(Failure::Refused(refusal)) if refusal.is_missing() => Ok(missing),
            Err(failure) => match self.in_words(failure) {
                Failure::Forbidden { .. } => Ok(Purge::Forbidden),
                failure => Err(failure),
            },
        }
    }

    fn in_words(&self, failure: Failure) -> Failure {
        let what = format!("delete the registration {}", self.application.display_name);
        failure.in_terms_of(&what, Permission::Applications)
    }
}

/// Whether another registration still names one that is to be deleted.
#[derive(Debug)]
pub enum Unlink {
    /// It did not name it any more, or is gone.
    Unnecessary,
    /// It does not name it after this change, a line that begins with a verb.
    Done(String),
    /// Graph refuses the change, but not the deletion. A person must make the change.
    Refused(Failure),
}

/// Whether a deleted registration is deleted permanently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// It is deleted permanently.
    Done,
    /// The caller is not allowed to delete it permanently.
    Forbidden,
    /// After a minute, Graph still does not list it as deleted.
    NotVisible,
}

/// The change that removes this client id from the registration. `None` if the registration does
/// not contain it.
fn without(application: &Application, client_id: &str) -> Option<ApplicationChange> {
    fn kept<T: Clone>(all: &[T], is_other: impl Fn(&T) -> bool) -> Option<Vec<T>> {
        let kept: Vec<_> = all.iter().filter(|item| is_other(item)).cloned().collect();
        (kept.len() < all.len()).then_some(kept)
    }
    let is_other = |id: &str| !id.eq_ignore_ascii_case(client_id);
    let Application { api, required_resource_access: resources, .. } = application;
    let api = ApiChange {
        pre_authorized_applications: kept(&api.pre_authorized_applications, |client| {
            is_other(&client.app_id)
        }),
        known_client_applications: kept(&api.known_client_applications, |id| is_other(id)),
        ..ApiChange::default()
    };
    let change = ApplicationChange {
        api: (api != ApiChange::default()).then_some(api),
        required_resource_access: kept(resources, |it| is_other(&it.resource_app_id)),
        ..ApplicationChange::default()
    };
    (change != ApplicationChange::default()).then_some(change)
}
