//! What Microsoft Graph has.

use std::collections::BTreeMap;

use super::{
    resources::{Application, Assignment, Grant, ServicePrincipal, User},
    wanted::Which,
};

/// What Microsoft Graph has, as far as it concerns the two registrations.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The API.
    pub api: Registration,
    /// The client that people use to sign in on the docs page.
    pub swagger_ui: Registration,
    /// The consents for the client.
    pub(super) grants: Vec<Grant>,
    /// Who has app roles of the API.
    pub(super) assignments: Vec<Assignment>,
    /// The people to whom roles are to be assigned, by the names in the request.
    pub(super) users: BTreeMap<String, User>,
}

/// A registration, and the application in the tenant.
#[derive(Debug, Clone, Default)]
pub struct Registration {
    /// The registration, if it exists.
    pub application: Option<Application>,
    /// The application in the tenant, if it exists.
    pub service_principal: Option<ServicePrincipal>,
}

impl State {
    /// The registration of this application.
    pub fn registration(&self, which: Which) -> &Registration {
        match which {
            Which::Api => &self.api,
            Which::SwaggerUi => &self.swagger_ui,
        }
    }

    pub(super) fn registration_mut(&mut self, which: Which) -> &mut Registration {
        match which {
            Which::Api => &mut self.api,
            Which::SwaggerUi => &mut self.swagger_ui,
        }
    }

    /// The users who have roles to be assigned: the name in the request, and the person.
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }
}
