//! The state: one tenant.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    access::Account,
    objects::Object,
    query::Query,
    refusal::Refusal,
    routes::{Collection, Key, Route},
    schemas::Schemas,
};

/// The id of the tenant: the development tenant's.
pub(crate) const TENANT: &str = entra_dev::ids::CONTOSO;

/// A tenant.
pub(super) struct Directory {
    pub(super) schemas: &'static Schemas,
    pub(super) applications: Vec<Object>,
    /// What the service principals have besides what comes from their applications.
    pub(super) principals: Vec<Object>,
    pub(super) grants: Vec<Object>,
    pub(super) assignments: Vec<Object>,
    /// Deleted applications with their service principals.
    pub(super) deleted: Vec<(Object, Option<Object>)>,
    pub(super) users: Vec<Value>,
    pub(super) verified_domains: Vec<String>,
    /// The ids of the applications that the caller does not own.
    pub(super) others: HashSet<String>,
    /// The number of reads that do not see a new object or version.
    pub(super) delay: u32,
}

/// A request that has passed the checks of its token.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) account: Account,
    pub(super) route: Route,
    pub(super) query: Query,
    /// Whether it has `Prefer: create-if-missing`.
    pub(super) creates: bool,
    pub(super) body: Value,
    /// The URL of the server.
    pub(super) base: String,
}

/// A response: a status and a body.
pub(super) type Reply = Result<(u16, Option<Value>), Refusal>;

impl Directory {
    pub(super) fn new(schemas: &'static Schemas) -> Self {
        Self {
            schemas,
            applications: Vec::new(),
            principals: Vec::new(),
            grants: Vec::new(),
            assignments: Vec::new(),
            deleted: Vec::new(),
            users: super::people::users(),
            verified_domains: vec![
                "contoso.onmicrosoft.example".to_owned(),
                "contoso.example".to_owned(),
            ],
            others: HashSet::new(),
            delay: 0,
        }
    }

    pub(super) fn respond(&mut self, request: &Request) -> Reply {
        match request.route.collection {
            Collection::Applications => self.application(request),
            Collection::ServicePrincipals => self.service_principal(request),
            Collection::Grants => self.grant(request),
            Collection::Assignments => self.assignment(request),
            Collection::Users => self.user(request),
            Collection::Organization => self.organization(request),
            Collection::DeletedItems => self.deleted_item(request),
        }
    }

    /// The ids of the applications of this tenant.
    pub(super) fn client_ids(&self) -> HashSet<String> {
        self.applications.iter().map(|it| it.text("appId").to_owned()).collect()
    }

    /// Everything, in an order that does not depend on when or how often it was written, with names
    /// in place of random ids, and without times.
    pub(super) fn snapshot(&self) -> Value {
        let mut names = HashMap::new();
        for it in &self.applications {
            let name = it.value["uniqueName"].as_str().unwrap_or_else(|| it.text("displayName"));
            names.insert(it.id(), format!("{name}: id"));
            names.insert(it.text("appId"), format!("{name}: appId"));
        }
        for it in &self.principals {
            let client = names.get(it.text("appId")).cloned().unwrap_or_default();
            names.insert(it.id(), format!("{client}: servicePrincipal"));
        }
        let sorted = |objects: &[Object]| {
            let named = objects.iter().map(|object| without_random(&object.value, &names));
            let mut named: Vec<_> = named.collect();
            named.sort_by_key(Value::to_string);
            Value::from(named)
        };
        json!({
            "applications": sorted(&self.applications),
            "servicePrincipals": sorted(&self.principals),
            "oauth2PermissionGrants": sorted(&self.grants),
            "appRoleAssignments": sorted(&self.assignments),
            "deletedItems": self.deleted.len(),
        })
    }
}

impl Request {
    pub(super) fn is(&self, method: &str) -> bool {
        self.method == method
    }

    /// The key of the object.
    pub(super) fn key(&self) -> Result<&Key, Refusal> {
        self.route.key.as_ref().ok_or_else(not_allowed)
    }

    /// A response with one object.
    pub(super) fn one(&self, status: u16, context: &str, object: &Value) -> Reply {
        Ok((status, Some(self.query.one(&self.base, context, object)?)))
    }

    /// A response with a page of the objects that meet the filter.
    pub(super) fn page(&self, path: &str, context: &str, objects: Vec<Value>) -> Reply {
        let objects: Vec<_> =
            objects.into_iter().filter(|object| self.query.matches(object)).collect();
        Ok((200, Some(self.query.page(&self.base, path, context, &objects)?)))
    }
}

/// 405: the path has no such method.
pub(super) fn not_allowed() -> Refusal {
    let message = "Specified HTTP method is not allowed for the request target.";
    Refusal::new(405, "Request_BadRequest", message)
}

/// A new object id.
pub(super) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// A copy with these names in place of ids, and without other random values and times.
fn without_random(value: &Value, names: &HashMap<&str, String>) -> Value {
    const RANDOM: [&str; 5] = ["createdDateTime", "startDateTime", "endDateTime", "keyId", "hint"];
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            for (id, name) in names {
                text = text.replace(id, name);
            }
            text.into()
        }
        Value::Array(values) => values.iter().map(|value| without_random(value, names)).collect(),
        Value::Object(members) => {
            let is_random = |name: &str, value: &Value| {
                // The ids of grants and assignments have no names.
                RANDOM.contains(&name)
                    || (name == "id" && members.contains_key("resourceId"))
                    || (name == "displayName" && value.is_string() && members.contains_key("hint"))
            };
            let kept = members.iter().filter(|(name, value)| !is_random(name, value));
            let named = kept.map(|(name, value)| (name.clone(), without_random(value, names)));
            Value::Object(named.collect())
        }
        _ => value.clone(),
    }
}
