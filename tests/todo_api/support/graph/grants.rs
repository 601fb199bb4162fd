//! `oauth2PermissionGrants`:
//! <https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant>.

use serde_json::{Value, json};

use super::{
    directory::{Directory, Reply, Request, new_id, not_allowed},
    merge::merge,
    objects::Object,
    refusal::Refusal,
    routes::Key,
    schemas::Type,
};

const CONTEXT: &str = "oauth2PermissionGrants";

impl Directory {
    pub(super) fn grant(&mut self, request: &Request) -> Reply {
        match request.method.as_str() {
            "GET" if request.route.key.is_none() => {
                let all = self.grants.iter_mut().filter_map(Object::read).collect();
                request.page("/v1.0/oauth2PermissionGrants", CONTEXT, all)
            }
            "GET" => {
                let index = self.grant_at(request)?;
                let found = self.grants[index].value.clone();
                request.one(200, CONTEXT, &found)
            }
            "POST" if request.route.key.is_none() => self.create_grant(request),
            "PATCH" => self.change_grant(request),
            "DELETE" => {
                let index = self.grant_at(request)?;
                self.grants.remove(index);
                Ok((204, None))
            }
            _ => Err(not_allowed()),
        }
    }

    /// <https://learn.microsoft.com/graph/api/oauth2permissiongrant-post>
    fn create_grant(&mut self, request: &Request) -> Reply {
        let body = &request.body;
        self.schemas.check(Type::OAuth2PermissionGrant, body)?;
        let required = ["clientId", "consentType", "resourceId", "scope"];
        if required.iter().any(|name| body[*name].as_str().is_none_or(str::is_empty)) {
            return Err(Refusal::bad_request("A required property is missing."));
        }
        let is_for_one = body["consentType"] == "Principal";
        if (!is_for_one && body["consentType"] != "AllPrincipals")
            || is_for_one == body["principalId"].is_null()
        {
            return Err(Refusal::bad_request("Invalid consentType or principalId."));
        }
        for name in ["clientId", "resourceId"] {
            self.require_principal(&body[name])?;
        }
        self.check_scopes(&body["resourceId"], &body["scope"])?;
        let key = ["clientId", "consentType", "principalId", "resourceId"];
        if self.grants.iter().any(|it| key.iter().all(|name| it.value[*name] == body[*name])) {
            return Err(Refusal::same_key("Permission entry already exists."));
        }
        let mut created = json!({
            "clientId": null,
            "consentType": null,
            "id": new_id(),
            "principalId": null,
            "resourceId": null,
            "scope": null,
        });
        merge(&mut created, body);
        self.grants.push(Object::new(created.clone(), self.delay));
        request.one(201, CONTEXT, &created)
    }

    /// Only the scopes can be changed:
    /// <https://learn.microsoft.com/graph/api/oauth2permissiongrant-update>.
    fn change_grant(&mut self, request: &Request) -> Reply {
        let index = self.grant_at(request)?;
        let members: Vec<_> = request.body.as_object().into_iter().flatten().collect();
        let [(name, scope)] = members[..] else {
            return Err(Refusal::bad_request("Only 'scope' can be changed."));
        };
        if name != "scope" || !scope.is_string() {
            return Err(Refusal::bad_request("Only 'scope' can be changed."));
        }
        let mut changed = self.grants[index].value.clone();
        self.check_scopes(&changed["resourceId"], scope)?;
        changed["scope"] = scope.clone();
        self.grants[index].set(changed, self.delay);
        Ok((204, None))
    }

    /// "Each claim value should match the value field of one of the delegated permissions defined
    /// by the API."
    fn check_scopes(&self, resource: &Value, scopes: &Value) -> Result<(), Refusal> {
        let principal = self.principals.iter().find(|it| it.value["id"] == *resource);
        let client = principal.map(|principal| principal.text("appId"));
        let resource = self.applications.iter().find(|it| Some(it.text("appId")) == client);
        let known = resource.and_then(|it| it.value["api"]["oauth2PermissionScopes"].as_array());
        let is_known =
            |scope: &str| known.into_iter().flatten().any(|known| known["value"] == scope);
        match scopes.as_str().unwrap().split(' ').all(is_known) {
            true => Ok(()),
            false => Err(Refusal::bad_request(format!("Invalid scope {scopes}."))),
        }
    }

    /// A service principal must exist, and be replicated.
    pub(super) fn require_principal(&mut self, id: &Value) -> Result<Value, Refusal> {
        let id = id.as_str().unwrap_or_default();
        let index = self.principal_at(&Key::Id(id.to_owned()))?;
        self.principal(index).ok_or_else(|| Refusal::not_found(id))
    }

    fn grant_at(&mut self, request: &Request) -> Result<usize, Refusal> {
        let (Key::Id(id) | Key::Alternate(_, id)) = request.key()?;
        let found = self.grants.iter().position(|it| it.id() == id);
        let found = found.ok_or_else(|| Refusal::not_found(id))?;
        self.grants[found].read().map(|_| found).ok_or_else(|| Refusal::not_found(id))
    }
}
