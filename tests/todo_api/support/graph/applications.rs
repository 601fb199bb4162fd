//! `applications`: <https://learn.microsoft.com/graph/api/resources/application>.

use serde_json::{Value, json};

use super::{
    access::Account,
    application_rules::Surroundings,
    directory::{Directory, Reply, Request, new_id, not_allowed},
    merge::merge,
    objects::Object,
    refusal::Refusal,
    routes::Key,
    schemas::Type,
};

const CONTEXT: &str = "applications";

impl Directory {
    pub(super) fn application(&mut self, request: &Request) -> Reply {
        let action = request.route.rest.as_deref();
        match (request.method.as_str(), &request.route.key, action) {
            ("GET", None, None) => {
                let all = self.applications.iter_mut().filter_map(Object::read).collect();
                request.page("/v1.0/applications", CONTEXT, all)
            }
            ("GET", Some(key), None) => {
                let index = self.application_at(key)?;
                let found = self.applications[index].read().ok_or_else(|| missing(key))?;
                request.one(200, CONTEXT, &found)
            }
            ("POST", None, None) => self.create_application(request, None),
            ("PATCH", Some(key), None) => self.upsert_application(request, key),
            ("DELETE", Some(key), None) => {
                let index = self.own_application(request, key)?;
                self.delete_application(index);
                Ok((204, None))
            }
            ("POST", Some(key), Some("addPassword")) => self.add_password(request, key),
            ("POST", Some(key), Some("removePassword")) => self.remove_password(request, key),
            _ => Err(not_allowed()),
        }
    }

    /// <https://learn.microsoft.com/graph/api/application-upsert>
    fn upsert_application(&mut self, request: &Request, key: &Key) -> Reply {
        let unique_name = match key {
            Key::Alternate(name, value) if name == "uniqueName" => Some(value.as_str()),
            _ => None,
        };
        match (self.application_at(key), unique_name) {
            (Ok(index), Some(_)) if request.creates => {
                self.check_owner(request, index)?;
                require_name(&request.body)?;
                self.change_application(index, &request.body)
            }
            (Err(_), Some(name)) if request.creates => self.create_application(request, Some(name)),
            _ => {
                let index = self.own_application(request, key)?;
                self.change_application(index, &request.body)
            }
        }
    }

    /// <https://learn.microsoft.com/graph/api/application-post-applications>
    fn create_application(&mut self, request: &Request, unique_name: Option<&str>) -> Reply {
        self.schemas.check(Type::Application, &request.body)?;
        require_name(&request.body)?;
        // A deleted application keeps its name for 30 days:
        // https://learn.microsoft.com/graph/templates/bicep/troubleshooting
        let mut taken = self.deleted.iter().map(|(application, _)| application);
        if unique_name.is_some_and(|name| taken.any(|it| it.text("uniqueName") == name)) {
            return Err(Refusal::conflict("uniqueName"));
        }
        let mut created = new_application();
        created["uniqueName"] = unique_name.map_or(Value::Null, Into::into);
        merge(&mut created, &request.body);
        self.surroundings(&created).check(None, None, &mut created)?;
        self.applications.push(Object::new(created.clone(), self.delay));
        request.one(201, CONTEXT, &created)
    }

    /// <https://learn.microsoft.com/graph/api/application-update>
    fn change_application(&mut self, index: usize, change: &Value) -> Reply {
        self.schemas.check(Type::Application, change)?;
        let before = self.applications[index].value.clone();
        let visible = self.applications[index].read();
        let mut changed = before.clone();
        merge(&mut changed, change);
        self.surroundings(&changed).check(Some(&before), visible.as_ref(), &mut changed)?;
        self.applications[index].set(changed, self.delay);
        Ok((204, None))
    }

    fn surroundings(&self, application: &Value) -> Surroundings {
        let others = self.applications.iter().chain(self.deleted.iter().map(|(it, _)| it));
        let others = others.filter(|other| other.value["id"] != application["id"]);
        let uris = others.flat_map(|other| other.value["identifierUris"].as_array().unwrap());
        Surroundings {
            verified_domains: self.verified_domains.clone(),
            taken_uris: uris.map(|uri| uri.as_str().unwrap().to_owned()).collect(),
            client_ids: self.client_ids(),
        }
    }

    /// Deletes the application and its service principal, which can be restored for 30 days:
    /// <https://learn.microsoft.com/graph/api/application-delete>
    fn delete_application(&mut self, index: usize) {
        let application = self.applications.remove(index);
        let client = application.text("appId");
        let principal = self.principals.iter().position(|it| it.text("appId") == client);
        let principal = principal.map(|index| self.principals.remove(index));
        if let Some(principal) = &principal {
            let id = principal.id();
            self.grants.retain(|it| it.text("clientId") != id && it.text("resourceId") != id);
            self.assignments.retain(|it| it.text("resourceId") != id);
        }
        // Another collection shows it, so it is new there.
        let deleted = Object::new(application.value, self.delay);
        self.deleted.push((deleted, principal));
    }

    /// <https://learn.microsoft.com/graph/api/application-addpassword>
    fn add_password(&mut self, request: &Request, key: &Key) -> Reply {
        let index = self.own_application(request, key)?;
        let wanted = only_member(&request.body, "passwordCredential")?;
        self.schemas.check(Type::PasswordCredential, wanted)?;
        let secret = format!("{}~{}", &new_id()[..8], new_id().replace('-', ""));
        let mut password = json!({
            "customKeyIdentifier": null,
            "displayName": wanted["displayName"],
            "endDateTime": "2028-01-01T00:00:00Z",
            "hint": secret[..3],
            "keyId": new_id(),
            "secretText": null,
            "startDateTime": "2026-01-01T00:00:00Z",
        });
        let mut changed = self.applications[index].value.clone();
        changed["passwordCredentials"].as_array_mut().unwrap().push(password.clone());
        self.applications[index].set(changed, self.delay);
        // This response is the only one with the secret.
        password["secretText"] = secret.into();
        request.one(200, "microsoft.graph.passwordCredential", &password)
    }

    /// <https://learn.microsoft.com/graph/api/application-removepassword>
    fn remove_password(&mut self, request: &Request, key: &Key) -> Reply {
        let index = self.own_application(request, key)?;
        let wanted = only_member(&request.body, "keyId")?;
        let mut changed = self.applications[index].value.clone();
        let passwords = changed["passwordCredentials"].as_array_mut().unwrap();
        let found = passwords.iter().position(|password| password["keyId"] == *wanted);
        let found = found
            .ok_or_else(|| Refusal::bad_request("No password credential found with keyId."))?;
        passwords.remove(found);
        self.applications[index].set(changed, self.delay);
        Ok((204, None))
    }

    /// The application, whether it is replicated or not.
    fn application_at(&self, key: &Key) -> Result<usize, Refusal> {
        let member = match key {
            Key::Id(_) => "id",
            Key::Alternate(name, _) if matches!(name.as_str(), "appId" | "uniqueName") => name,
            Key::Alternate(name, _) => {
                return Err(Refusal::bad_request(format!("'{name}' is not an alternate key.")));
            }
        };
        let (Key::Id(value) | Key::Alternate(_, value)) = key;
        // The case of a GUID does not matter.
        let is_it = |it: &Object| match member {
            "uniqueName" => it.text(member) == value,
            _ => it.text(member).eq_ignore_ascii_case(value),
        };
        let found = self.applications.iter().position(is_it);
        found.ok_or_else(|| missing(key))
    }

    /// The application for a change by key; a change needs a replica that has the object.
    fn own_application(&mut self, request: &Request, key: &Key) -> Result<usize, Refusal> {
        let index = self.application_at(key)?;
        if self.applications[index].visible().is_none() {
            self.applications[index].read();
            return Err(missing(key));
        }
        self.check_owner(request, index)?;
        Ok(index)
    }

    /// A developer may change only their own applications:
    /// <https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference>.
    fn check_owner(&self, request: &Request, index: usize) -> Result<(), Refusal> {
        let is_own = !self.others.contains(self.applications[index].id());
        match is_own || request.account == Account::Administrator {
            true => Ok(()),
            false => Err(Refusal::denied()),
        }
    }
}

/// The members that a response has by default:
/// <https://learn.microsoft.com/graph/api/application-post-applications>.
pub(super) fn new_application() -> Value {
    let mut application: Value = serde_json::from_str(include_str!("application.json")).unwrap();
    application["id"] = new_id().into();
    application["appId"] = new_id().into();
    application
}

fn require_name(body: &Value) -> Result<(), Refusal> {
    match body["displayName"].as_str() {
        Some(name) if !name.is_empty() => Ok(()),
        _ => Err(Refusal::bad_request("A value is required for property 'displayName'.")),
    }
}

fn only_member<'a>(body: &'a Value, name: &str) -> Result<&'a Value, Refusal> {
    let members = body.as_object().filter(|members| members.len() == 1);
    let member = members.and_then(|members| members.get(name));
    member.ok_or_else(|| Refusal::bad_request(format!("The body needs only '{name}'.")))
}

fn missing(key: &Key) -> Refusal {
    let (Key::Id(value) | Key::Alternate(_, value)) = key;
    Refusal::not_found(value)
}
