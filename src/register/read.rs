//! Reads what Microsoft Graph has.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{
    call::Call,
    error::Failure,
    graph::Graph,
    permission::Permission,
    plan::AZURE_CLI,
    resources::{self, Application, Assignment, Grant, Organization, ServicePrincipal, User},
    state::{Registration, State},
    step::key,
    wait::Patience,
    wanted::{Wanted, Which},
};

impl Graph {
    /// The tenant that the token is for.
    pub(super) async fn organization(&self) -> Result<Organization, Failure> {
        let call =
            Call::get(&["organization"]).with_query("$select=id,displayName,verifiedDomains");
        let found = self.all(&call).await;
        let found = found.map_err(|e| e.in_terms_of("read the tenant", Permission::Tenant))?;
        // A token is for exactly one tenant.
        let found = found.into_iter().next().filter(|tenant: &Organization| !tenant.id.is_empty());
        found.ok_or_else(|| self.not_graph())
    }

    /// Everything that concerns the registrations.
    pub(super) async fn state(&self, wanted: &Wanted) -> Result<State, Failure> {
        let mut state = State::default();
        for which in Which::ALL {
            *state.registration_mut(which) = self.registration(wanted, which).await?;
        }
        if let (true, Some(client)) = (wanted.admin_consent, &state.swagger_ui.service_principal) {
            state.grants = self.grants(&client.id).await?;
        }
        if let (false, Some(api)) = (wanted.assignments.is_empty(), &state.api.service_principal) {
            let call = Call::get(&["servicePrincipals", &api.id, "appRoleAssignedTo"]);
            let found = self.all::<Assignment>(&call).await;
            state.assignments = found
                .map_err(|e| e.in_terms_of("read the assigned roles", Permission::Assignments))?;
        }
        Ok(state)
    }

    async fn registration(&self, wanted: &Wanted, which: Which) -> Result<Registration, Failure> {
        let application = self.application(wanted, which).await?;
        let service_principal = match &application {
            Some(application) => self.service_principal(&application.app_id).await?,
            None => None,
        };
        Ok(Registration { application, service_principal })
    }

    /// The registration with the client id in the settings, otherwise the one with the unique name.
    pub(super) async fn application(
        &self,
        wanted: &Wanted,
        which: Which,
    ) -> Result<Option<Application>, Failure> {
        let Some(client_id) = wanted.client_ids.of(which) else {
            return self.application_with("uniqueName", &wanted.names.unique(which)).await;
        };
        let read = async || self.application_with("appId", client_id).await;
        match self.until(Patience::Existing, read).await? {
            Some(application)
                if application.unique_name.as_ref()
                    == Some(&wanted.names.unique(which.other())) =>
            {
                let name = application.display_name;
                Err(Failure::OtherRegistration { variable: which.variable(), name })
            }
            Some(application) => Ok(Some(application)),
            None => Err(Failure::NoRegistration {
                variable: which.variable(),
                client_id: client_id.to_owned(),
            }),
        }
    }

    /// The registration with this alternate key.
    pub(super) async fn application_with(
        &self,
        name: &str,
        value: &str,
    ) -> Result<Option<Application>, Failure> {
        let call = Call::get(&["applications", &key(name, value)]).with_query(SELECT);
        self.one(&call, "read app registrations", Permission::Applications).await
    }

    pub(super) async fn service_principal(
        &self,
        app_id: &str,
    ) -> Result<Option<ServicePrincipal>, Failure> {
        let call = Call::get(&["servicePrincipals", &key("appId", app_id)]);
        self.one(&call, "read enterprise applications", Permission::Applications).await
    }

    /// The clients in the registration that the tenant does not have. They may have been deleted,
    /// or belong to another tenant or to Microsoft. `None` if there are none.
    pub(super) async fn unknown_clients(&self, registered: &Application) -> Option<Vec<String>> {
        let registered = &registered.api;
        let clients = registered.pre_authorized_applications.iter().map(|client| &client.app_id);
        let mut unknown = Vec::new();
        for client in clients.chain(&registered.known_client_applications) {
            let is_known = *client == AZURE_CLI
                || unknown.contains(client)
                // If this cannot be read, Graph's own error must do.
                || self.application_with("appId", client).await.ok()?.is_some()
                || self.service_principal(client).await.ok()?.is_some();
            if !is_known {
                unknown.push(client.clone());
            }
        }
        (!unknown.is_empty()).then_some(unknown)
    }

    pub(super) async fn grants(&self, client: &str) -> Result<Vec<Grant>, Failure> {
        let call = Call::get(&["oauth2PermissionGrants"])
            .with_query(format!("$filter=clientId%20eq%20'{client}'"));
        let found = self.all(&call).await;
        found.map_err(|error| error.in_terms_of("read consents", Permission::Consent))
    }

    /// The registrations that were deleted less than 30 days ago.
    pub(super) async fn deleted_applications(&self) -> Result<Vec<Application>, Failure> {
        let call = Call::get(&["directory", "deletedItems", "microsoft.graph.application"])
            .with_query("$select=id,appId,displayName,uniqueName");
        let found = self.all(&call).await;
        found.map_err(|error| {
            error.in_terms_of("read deleted registrations", Permission::Applications)
        })
    }

    /// The people to whom roles are to be assigned.
    pub(super) async fn users(&self, wanted: &Wanted) -> Result<BTreeMap<String, User>, Failure> {
        let mut users = BTreeMap::new();
        for (name, _) in &wanted.assignments {
            let call = Call::get(&["users", name]).with_query("$select=id,userPrincipalName");
            let found = self.one(&call, "read users", Permission::People).await?;
            users.insert(name.clone(), found.ok_or_else(|| Failure::NoUser(name.clone()))?);
        }
        Ok(users)
    }

    async fn one<T: DeserializeOwned>(
        &self,
        call: &Call,
        what: &str,
        permission: Permission,
    ) -> Result<Option<T>, Failure> {
        let found = self.get(call).await.map_err(|error| error.in_terms_of(what, permission))?;
        let found = found.map(|found| self.identified(found)).transpose()?;
        Ok(found.map(resources::read).transpose()?)
    }

    async fn all<T: DeserializeOwned>(&self, call: &Call) -> Result<Vec<T>, Failure> {
        let items = self.list(call).await?.into_iter();
        Ok(items.map(resources::read).collect::<Result<_, _>>()?)
    }
}

/// The members to request. Some are not in a response otherwise.
const SELECT: &str = "$select=id,appId,displayName,uniqueName,signInAudience,identifierUris,appRoles,\
    api,spa,optionalClaims,requiredResourceAccess,passwordCredentials";
