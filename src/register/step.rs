//! One change, as a call to Microsoft Graph.

use std::fmt;

use serde_json::{Value, json};

use super::{
    call::Call,
    permission::Permission,
    resources::{
        ALL_PRINCIPALS, Application, ApplicationChange, Assignment, Grant, ServicePrincipal, read,
    },
    state::State,
    wanted::Which,
};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Create a registration with a unique name and nothing else that a person could have changed:
    /// if it exists after all, this request changes it.
    Create {
        /// The registration.
        which: Which,
        /// The alternate key.
        unique_name: String,
        /// The first properties, with the display name.
        change: ApplicationChange,
    },
    /// Change a registration.
    Change {
        /// The registration.
        which: Which,
        /// Its display name.
        name: String,
        /// Its object id.
        id: String,
        /// What changes.
        change: ApplicationChange,
    },
    /// Create the application in the tenant.
    CreateServicePrincipal {
        /// The registration.
        which: Which,
        /// Its display name.
        name: String,
        /// Its client id.
        app_id: String,
    },
    /// Consent for everybody in the tenant.
    Consent {
        /// The existing consent to extend.
        grant: Option<String>,
        /// The object id of the client's service principal.
        client: String,
        /// The object id of the API's service principal.
        api: String,
        /// The scopes, separated by spaces.
        scope: String,
    },
    /// Assign an app role to a person.
    Assign {
        /// The sign-in name.
        user: String,
        /// The name of the role.
        role: String,
        /// The object id of the person.
        principal: String,
        /// The object id of the API's service principal.
        api: String,
        /// The id of the role.
        role_id: String,
    },
}

impl Step {
    /// The request.
    pub fn call(&self) -> Call {
        match self {
            Self::Create { unique_name, change, .. } => {
                Call::patch(&["applications", &key("uniqueName", unique_name)], json!(change))
                    .or_create()
            }
            Self::Change { id, change, .. } => Call::patch(&["applications", id], json!(change)),
            Self::CreateServicePrincipal { app_id, .. } => {
                // Without the tag, the portal lists the application only if no filter is set.
                let tags = ["WindowsAzureActiveDirectoryIntegratedApp"];
                Call::post(&["servicePrincipals"], json!({ "appId": app_id, "tags": tags }))
            }
            Self::Consent { grant: Some(id), scope, .. } => {
                Call::patch(&["oauth2PermissionGrants", id], json!({ "scope": scope }))
            }
            Self::Consent { grant: None, client, api, scope } => {
                let body = json!({
                    "clientId": client,
                    "consentType": ALL_PRINCIPALS,
                    "resourceId": api,
                    "scope": scope,
                });
                Call::post(&["oauth2PermissionGrants"], body)
            }
            Self::Assign { principal, api, role_id, .. } => {
                let body =
                    json!({ "principalId": principal, "resourceId": api, "appRoleId": role_id });
                Call::post(&["servicePrincipals", api, "appRoleAssignedTo"], body)
            }
        }
    }

    /// The permission of Microsoft Graph that the request needs.
    pub(super) fn permission(&self) -> Permission {
        match self {
            Self::Create { .. } | Self::Change { .. } | Self::CreateServicePrincipal { .. } => {
                Permission::Applications
            }
            Self::Consent { .. } => Permission::Consent,
            Self::Assign { .. } => Permission::Assignments,
        }
    }

    /// Whether the request creates an object, which may exist already.
    pub(super) fn creates(&self) -> bool {
        !matches!(self, Self::Change { .. } | Self::Consent { grant: Some(_), .. })
    }

    /// Records the change. `created` is the response: the new resource, or null.
    ///
    /// # Errors
    ///
    /// If the response cannot be read.
    pub(super) fn apply(&self, state: &mut State, created: Value) -> serde_json::Result<()> {
        match self {
            Self::Create { which, change, unique_name } => {
                let mut application: Application = read(created)?;
                application.unique_name = Some(unique_name.clone());
                application.apply(change);
                state.registration_mut(*which).application = Some(application);
            }
            Self::Change { which, change, .. } => {
                if let Some(application) = &mut state.registration_mut(*which).application {
                    application.apply(change);
                }
            }
            Self::CreateServicePrincipal { which, .. } => {
                let created: ServicePrincipal = read(created)?;
                state.registration_mut(*which).service_principal = Some(created);
            }
            Self::Consent { grant: Some(id), scope, .. } => {
                for grant in state.grants.iter_mut().filter(|grant| grant.id == *id) {
                    grant.scope.clone_from(scope);
                }
            }
            Self::Consent { grant: None, client, api, scope } => {
                let created: Grant = read(created)?;
                state.grants.push(Grant {
                    id: created.id,
                    client_id: client.clone(),
                    consent_type: ALL_PRINCIPALS.to_owned(),
                    resource_id: api.clone(),
                    scope: scope.clone(),
                });
            }
            Self::Assign { principal, role_id, .. } => state
                .assignments
                .push(Assignment { principal_id: principal.clone(), app_role_id: role_id.clone() }),
        }
        Ok(())
    }
}

/// A path segment that names a resource by an alternate key: `applications(appId='…')`.
pub(super) fn key(name: &str, value: &str) -> String {
    format!("({name}='{value}')")
}

impl Application {
    fn apply(&mut self, change: &ApplicationChange) {
        fn set<T: Clone>(member: &mut T, change: &Option<T>) {
            if let Some(value) = change {
                member.clone_from(value);
            }
        }
        set(&mut self.display_name, &change.display_name);
        set(&mut self.sign_in_audience, &change.sign_in_audience);
        set(&mut self.identifier_uris, &change.identifier_uris);
        set(&mut self.app_roles, &change.app_roles);
        set(&mut self.spa, &change.spa);
        set(&mut self.optional_claims, &change.optional_claims);
        set(&mut self.required_resource_access, &change.required_resource_access);
        if let Some(change) = &change.api {
            if change.requested_access_token_version.is_some() {
                self.api.requested_access_token_version = change.requested_access_token_version;
            }
            set(&mut self.api.oauth2_permission_scopes, &change.oauth2_permission_scopes);
            set(&mut self.api.pre_authorized_applications, &change.pre_authorized_applications);
            set(&mut self.api.known_client_applications, &change.known_client_applications);
        }
    }
}

/// What changes, in one line that begins with a verb.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { change, unique_name, .. } => {
                let name = change.display_name.as_deref().unwrap_or(unique_name);
                write!(f, "create the registration {name} (unique name {unique_name})")
            }
            Self::Change { name, change, .. } => {
                write!(f, "change the registration {name}: {}", change.parts().join(", "))
            }
            Self::CreateServicePrincipal { name, .. } => {
                write!(f, "create the enterprise application {name}")
            }
            Self::Consent { scope, .. } => {
                write!(f, "consent to {scope} for everybody in the tenant")
            }
            Self::Assign { user, role, .. } => write!(f, "assign {role} to {user}"),
        }
    }
}

impl ApplicationChange {
    /// The App ID URIs, for messages.
    pub(super) fn uris(&self) -> Option<String> {
        self.identifier_uris.as_ref().map(|uris| uris.join(" or "))
    }

    fn parts(&self) -> Vec<&'static str> {
        let api = self.api.clone().unwrap_or_default();
        let parts = [
            ("name", self.display_name.is_some()),
            ("sign-in audience", self.sign_in_audience.is_some()),
            ("App ID URI", self.identifier_uris.is_some()),
            ("token version", api.requested_access_token_version.is_some()),
            ("scopes", api.oauth2_permission_scopes.is_some()),
            ("app roles", self.app_roles.is_some()),
            ("optional claims", self.optional_claims.is_some()),
            ("redirect URIs", self.spa.is_some()),
            ("requested permissions", self.required_resource_access.is_some()),
            ("pre-authorized clients", api.pre_authorized_applications.is_some()),
            ("known clients", api.known_client_applications.is_some()),
        ];
        parts.into_iter().filter(|(_, changes)| *changes).map(|(name, _)| name).collect()
    }
}
