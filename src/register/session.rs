//! Carries out the steps until nothing is left to change.

use serde_json::Value;

use super::{
    error::Failure,
    graph::{Answer, Graph},
    plan::next_step,
    resources::Organization,
    state::State,
    step::Step,
    wait::Patience,
    wanted::Wanted,
};

/// Brings the registrations into the wanted state.
pub struct Session<'a> {
    pub(super) graph: &'a Graph,
    wanted: &'a Wanted,
    journal: &'a (dyn Fn(&str) + Sync),
}

/// The registrations when nothing is left to change.
#[derive(Debug)]
pub struct Outcome {
    /// What Graph has.
    pub state: State,
    /// Whether something was changed.
    pub changed: bool,
}

impl<'a> Session<'a> {
    /// `journal` gets a line after each change.
    pub fn new(graph: &'a Graph, wanted: &'a Wanted, journal: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self { graph, wanted, journal }
    }

    /// The tenant that the token is for.
    ///
    /// # Errors
    ///
    /// Why it could not be read.
    pub async fn organization(&self) -> Result<Organization, Failure> {
        self.graph.organization().await
    }

    /// What Graph has, with the people to whom roles are to be assigned.
    ///
    /// # Errors
    ///
    /// Why it could not be read.
    pub async fn read(&self) -> Result<State, Failure> {
        let users = self.graph.users(self.wanted).await?;
        Ok(State { users, ..self.graph.state(self.wanted).await? })
    }

    /// Makes all changes, and reads them again.
    ///
    /// # Errors
    ///
    /// Why not all of them could be made. The journal has those that were made.
    pub async fn run(&self) -> Result<Outcome, Failure> {
        let mut state = self.read().await?;
        let mut done = Vec::new();
        while let Some(step) = next_step(self.wanted, &state) {
            // A step that has no effect on the state would be repeated forever.
            if done.contains(&step) {
                return Err(Failure::NotVisible);
            }
            let patience = if done.is_empty() { Patience::Existing } else { Patience::New };
            self.carry_out(&step, &mut state, patience).await?;
            (self.journal)(&step.to_string());
            done.push(step);
        }
        let changed = !done.is_empty();
        if changed {
            state = self.confirm(state).await?;
        }
        Ok(Outcome { state, changed })
    }

    async fn carry_out(
        &self,
        step: &Step,
        state: &mut State,
        patience: Patience,
    ) -> Result<(), Failure> {
        match self.graph.write(&step.call(), patience).await {
            Ok(Answer { body: Value::Null, .. }) if step.creates() => {
                // An upsert changed a registration that was not visible yet.
                self.find(step, state, Patience::New).await
            }
            Ok(answer) if step.creates() => {
                Ok(step.apply(state, self.graph.identified(answer.body)?)?)
            }
            Ok(answer) => Ok(step.apply(state, answer.body)?),
            // An interrupted run created it, and it is not visible yet. An upsert has no conflict
            // with an existing registration, but with a deleted one.
            Err(Failure::Refused(refusal)) if step.creates() && refusal.is_conflict() => {
                self.find(step, state, Patience::Existing).await
            }
            Err(Failure::Refused(refusal)) => {
                if refusal.may_be_early()
                    && let Some((name, clients)) = self.unknown_clients(step, state).await
                {
                    return Err(Failure::UnknownClients { refusal, name, clients });
                }
                let failure = Failure::Refused(refusal);
                let failure = failure.in_terms_of(&step.to_string(), step.permission());
                Err(self.taken(step, failure))
            }
            Err(other) => Err(other),
        }
    }
}

/// What Graph already has, or shows only later.
impl Session<'_> {
    /// Waits until the object that the step creates is visible.
    async fn find(
        &self,
        step: &Step,
        state: &mut State,
        patience: Patience,
    ) -> Result<(), Failure> {
        let graph = self.graph;
        match step {
            Step::Create { which, unique_name, .. } => {
                let read = async || graph.application_with("uniqueName", unique_name).await;
                let found = graph.until(patience, read).await?;
                let deleted = || Failure::NameOfDeleted(unique_name.clone());
                let found = found.ok_or_else(deleted)?;
                state.registration_mut(*which).application = Some(found);
            }
            Step::CreateServicePrincipal { which, app_id, .. } => {
                let read = async || graph.service_principal(app_id).await;
                let found = graph.until(Patience::New, read).await?;
                let found = found.ok_or(Failure::NotVisible)?;
                state.registration_mut(*which).service_principal = Some(found);
            }
            Step::Consent { client, api, .. } => {
                let read = async || {
                    let grants = graph.grants(client).await?;
                    // The client may have consents for other APIs, or of single people.
                    let is_there = grants.iter().any(|grant| grant.is_for_all(client, api));
                    Ok(is_there.then_some(grants))
                };
                let found = graph.until(Patience::New, read).await?;
                state.grants = found.ok_or(Failure::NotVisible)?;
            }
            // The response says everything that there is to know.
            Step::Assign { .. } => step.apply(state, Value::Null)?,
            Step::Change { .. } => {}
        }
        Ok(())
    }

    /// Reads everything again, until nothing is left to change. Replicas may answer with an earlier
    /// state.
    async fn confirm(&self, before: State) -> Result<State, Failure> {
        let read = async || {
            let state = self.graph.state(self.wanted).await?;
            let state = State { users: before.users.clone(), ..state };
            Ok(next_step(self.wanted, &state).is_none().then_some(state))
        };
        let confirmed = self.graph.until(Patience::New, read).await?;
        confirmed.ok_or(Failure::NotVisible)
    }

    /// The name of the registration that the step changes, and its clients that are unknown. `None`
    /// if there are none.
    async fn unknown_clients(&self, step: &Step, state: &State) -> Option<(String, Vec<String>)> {
        let Step::Change { which, name, .. } = step else { return None };
        let registered = state.registration(*which).application.as_ref()?;
        Some((name.clone(), self.graph.unknown_clients(registered).await?))
    }

    /// The failure of a change because another registration has a name or a URI: a registration
    /// that was found by its name and that the caller may not change, or one with the same App ID
    /// URI.
    fn taken(&self, step: &Step, failure: Failure) -> Failure {
        match (step, &failure) {
            (Step::Change { which, .. }, Failure::Forbidden { .. })
                if self.wanted.client_ids.of(*which).is_none() =>
            {
                Failure::NameTaken(self.wanted.names.unique(*which))
            }
            // Graph's message does not name it.
            (Step::Change { change, .. }, Failure::UriTaken(message)) => {
                Failure::UriTaken(change.uris().unwrap_or_else(|| message.clone()))
            }
            (Step::Change { change, .. }, Failure::InvalidUri(message)) => {
                Failure::InvalidUri(change.uris().unwrap_or_else(|| message.clone()))
            }
            _ => failure,
        }
    }
}
