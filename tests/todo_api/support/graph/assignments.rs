//! `servicePrincipals/{id}/appRoleAssignedTo`:
//! <https://learn.microsoft.com/graph/api/resources/approleassignment>.

use serde_json::{Value, json};

use super::{
    directory::{Directory, Reply, Request, new_id, not_allowed},
    objects::Object,
    refusal::Refusal,
    schemas::Type,
};

const CONTEXT: &str = "appRoleAssignments";

impl Directory {
    pub(super) fn assignment(&mut self, request: &Request) -> Reply {
        let index = self.principal_at(request.key()?)?;
        let resource = self.principals[index].value["id"].clone();
        let resource = self.require_principal(&resource)?;
        match (request.method.as_str(), &request.route.rest) {
            ("GET", None) => {
                let all = self.assignments.iter_mut();
                let its = all.filter(|it| it.value["resourceId"] == resource["id"]);
                let its = its.filter_map(Object::read).collect();
                let id = resource["id"].as_str().unwrap();
                let path = format!("/v1.0/servicePrincipals/{id}/appRoleAssignedTo");
                request.page(&path, CONTEXT, its)
            }
            ("POST", None) => self.assign(request, &resource),
            ("DELETE", Some(id)) => {
                let found = self.assignments.iter().position(|it| it.id() == id);
                self.assignments.remove(found.ok_or_else(|| Refusal::not_found(id))?);
                Ok((204, None))
            }
            _ => Err(not_allowed()),
        }
    }

    /// <https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto>
    fn assign(&mut self, request: &Request, resource: &Value) -> Reply {
        let body = &request.body;
        self.schemas.check(Type::AppRoleAssignment, body)?;
        let required = ["principalId", "resourceId", "appRoleId"];
        if required.iter().any(|name| !body[*name].is_string()) {
            return Err(Refusal::bad_request("A required property is missing."));
        }
        if body["resourceId"] != resource["id"] {
            return Err(Refusal::bad_request("Not a valid reference update."));
        }
        let principal = self.users.iter().find(|user| user["id"] == body["principalId"]);
        let principal =
            principal.ok_or_else(|| Refusal::not_found(body["principalId"].as_str().unwrap()))?;
        let roles = resource["appRoles"].as_array().unwrap();
        let role = roles.iter().find(|role| role["id"] == body["appRoleId"]);
        let is_for_users = |role: &&Value| {
            role["isEnabled"] == true
                && role["allowedMemberTypes"].as_array().unwrap().contains(&json!("User"))
        };
        if role.filter(is_for_users).is_none() {
            let message = format!(
                "Permission being assigned was not found on application '{}'.",
                resource["appId"].as_str().unwrap()
            );
            return Err(Refusal::bad_request(message).with_details("InvalidUpdate", "appRoleId"));
        }
        let mut others = self.assignments.iter();
        if others.any(|it| required.iter().all(|name| it.value[*name] == body[*name])) {
            let message = "Permission being assigned already exists on the object";
            return Err(Refusal::bad_request(message).with_details("InvalidUpdate", "appRoleId"));
        }
        let created = json!({
            "id": new_id(),
            "deletedDateTime": null,
            "appRoleId": body["appRoleId"],
            "createdDateTime": "2026-01-01T00:00:00Z",
            "principalDisplayName": principal["displayName"],
            "principalId": body["principalId"],
            "principalType": "User",
            "resourceDisplayName": resource["displayName"],
            "resourceId": body["resourceId"],
        });
        self.assignments.push(Object::new(created.clone(), self.delay));
        request.one(201, CONTEXT, &created)
    }
}
