//! `servicePrincipals`: <https://learn.microsoft.com/graph/api/resources/serviceprincipal>.

use serde_json::{Value, json};

use super::{
    directory::{Directory, Reply, Request, TENANT, new_id, not_allowed},
    merge::merge,
    objects::Object,
    refusal::Refusal,
    routes::Key,
    schemas::Type,
};

const CONTEXT: &str = "servicePrincipals";

impl Directory {
    pub(super) fn service_principal(&mut self, request: &Request) -> Reply {
        match (request.method.as_str(), &request.route.key) {
            ("GET", None) => {
                let all = (0..self.principals.len()).filter_map(|it| self.principal(it)).collect();
                request.page("/v1.0/servicePrincipals", CONTEXT, all)
            }
            ("GET", Some(key)) => {
                let found = self.principal_at(key)?;
                let found = self.principal(found).ok_or_else(|| missing(key))?;
                request.one(200, CONTEXT, &found)
            }
            ("POST", None) => self.create_principal(request),
            ("PATCH", Some(key)) => {
                let index = self.principal_at(key)?;
                self.principal(index).ok_or_else(|| missing(key))?;
                self.schemas.check(Type::ServicePrincipal, &request.body)?;
                let mut changed = self.principals[index].value.clone();
                merge(&mut changed, &request.body);
                self.principals[index].set(changed, self.delay);
                Ok((204, None))
            }
            ("DELETE", Some(key)) => {
                let index = self.principal_at(key)?;
                self.principal(index).ok_or_else(|| missing(key))?;
                self.principals.remove(index);
                Ok((204, None))
            }
            _ => Err(not_allowed()),
        }
    }

    /// <https://learn.microsoft.com/graph/api/serviceprincipal-post-serviceprincipals>
    fn create_principal(&mut self, request: &Request) -> Reply {
        self.schemas.check(Type::ServicePrincipal, &request.body)?;
        let client = request.body["appId"].as_str();
        let client = client
            .ok_or_else(|| Refusal::bad_request("A value is required for property 'appId'."))?;
        if self.principals.iter().any(|it| it.text("appId") == client) {
            let message = format!(
                "The service principal cannot be created, updated, or restored because the \
                 service principal name {client} is already in use."
            );
            return Err(Refusal::same_key(message));
        }
        let mut applications = self.applications.iter_mut();
        let application = applications.find(|it| it.text("appId") == client);
        if application.and_then(Object::read).is_none() {
            let message = format!(
                "The appId '{client}' of the service principal does not reference a valid \
                 application object."
            );
            return Err(
                Refusal::bad_request(message).with_details("NoBackingApplicationObject", "appId")
            );
        }
        let mut created = new_principal();
        merge(&mut created, &request.body);
        self.principals.push(Object::new(created, self.delay));
        let created = self.whole_principal(self.principals.len() - 1);
        request.one(201, CONTEXT, &created)
    }

    /// The index of a service principal, whether it is replicated or not.
    pub(super) fn principal_at(&self, key: &Key) -> Result<usize, Refusal> {
        let member = match key {
            Key::Id(_) => "id",
            Key::Alternate(name, _) if name == "appId" => name,
            Key::Alternate(name, _) => {
                return Err(Refusal::bad_request(format!("'{name}' is not an alternate key.")));
            }
        };
        let (Key::Id(value) | Key::Alternate(_, value)) = key;
        let found = self.principals.iter().position(|it| it.text(member) == value);
        found.ok_or_else(|| missing(key))
    }

    /// What a read of this service principal finds.
    pub(super) fn principal(&mut self, index: usize) -> Option<Value> {
        self.principals[index].read()?;
        Some(self.whole_principal(index))
    }

    /// The service principal with what it gets from its application, as far as that is replicated.
    fn whole_principal(&self, index: usize) -> Value {
        let mut principal = self.principals[index].value.clone();
        let client = principal["appId"].clone();
        let application = self.applications.iter().find(|it| it.value["appId"] == client);
        let application = application.and_then(Object::visible);
        if let Some(application) = application {
            principal["appDisplayName"] = application["displayName"].clone();
            principal["displayName"] = application["displayName"].clone();
            principal["appRoles"] = application["appRoles"].clone();
            principal["oauth2PermissionScopes"] =
                application["api"]["oauth2PermissionScopes"].clone();
            principal["signInAudience"] = application["signInAudience"].clone();
            principal["replyUrls"] = application["spa"]["redirectUris"].clone();
            let uris = application["identifierUris"].as_array().unwrap();
            principal["servicePrincipalNames"] =
                [&client].into_iter().chain(uris).cloned().collect();
        }
        principal
    }
}

fn new_principal() -> Value {
    json!({
        "id": new_id(),
        "deletedDateTime": null,
        "accountEnabled": true,
        "alternativeNames": [],
        "appDescription": null,
        "appDisplayName": null,
        "appId": null,
        "applicationTemplateId": null,
        "appOwnerOrganizationId": TENANT,
        "appRoleAssignmentRequired": false,
        "createdDateTime": "2026-01-01T00:00:00Z",
        "description": null,
        "disabledByMicrosoftStatus": null,
        "displayName": null,
        "homepage": null,
        "loginUrl": null,
        "logoutUrl": null,
        "notes": null,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": null,
        "preferredTokenSigningKeyThumbprint": null,
        "replyUrls": [],
        "servicePrincipalNames": [],
        "servicePrincipalType": "Application",
        "signInAudience": null,
        "tags": [],
        "tokenEncryptionKeyId": null,
        "samlSingleSignOnSettings": null,
        "addIns": [],
        "appRoles": [],
        "info": null,
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "resourceSpecificApplicationPermissions": [],
        "verifiedPublisher": null,
    })
}

fn missing(key: &Key) -> Refusal {
    let (Key::Id(value) | Key::Alternate(_, value)) = key;
    Refusal::not_found(value)
}
