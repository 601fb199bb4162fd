//! The groups and directory roles of people
//! (<https://learn.microsoft.com/graph/api/user-list-memberof>).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    directory::{Group, Person},
    tokens::stable_id,
};

use super::{
    GraphRequest,
    error::GraphError,
    resource::{Kind, Resource, Target},
};

/// The page size without `$top`.
const PAGE: usize = 100;
/// The maximum number of ids in a response that has no pages.
const MOST_IDS: usize = 11_000;

/// The directory role of administrators: Global Administrator
/// (<https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference>).
const ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The properties of groups and directory roles, which `$select` may name.
const PROPERTIES: [&str; 8] = [
    "id",
    "description",
    "displayName",
    "groupTypes",
    "mail",
    "mailEnabled",
    "roleTemplateId",
    "securityEnabled",
];

/// What a person is a member of.
enum Membership<'a> {
    Group(&'a Group),
    /// The directory role of administrators in this tenant.
    Administrators {
        tenant: &'a str,
    },
}

impl GraphRequest<'_> {
    /// `GET …/memberOf`, in pages.
    pub(super) fn member_of(
        &self,
        target: &Target,
        kind: Kind,
        resource: &Resource,
    ) -> Result<Value, GraphError> {
        let person = self.caller.may_read_memberships(self.directory, target)?;
        let selected = self.selected()?;
        let memberships = self.memberships(person, kind);
        let start = match &self.query.skip_token {
            None => 0,
            Some(token) => {
                let last = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
                let is_last = |membership: &Membership<'_>| {
                    last.as_deref() == Some(membership.id().as_bytes())
                };
                let position = memberships.iter().position(is_last);
                position.ok_or_else(GraphError::page_token)? + 1
            }
        };
        let size = self.query.top.unwrap_or(PAGE);
        let page: Vec<_> = memberships[start..].iter().take(size).collect();
        let content = match &selected {
            None => kind.collection().to_owned(),
            Some(names) => format!("{}({})", kind.collection(), names.join(",")),
        };
        let mut body = Map::new();
        body.insert("@odata.context".to_owned(), self.context_url(&content).into());
        if let Some(last) = page.last().filter(|_| start + page.len() < memberships.len()) {
            body.insert("@odata.nextLink".to_owned(), self.next_link(resource, &last.id()).into());
        }
        let objects = page.iter().map(|object| self.object(object, selected.as_deref()));
        body.insert("value".to_owned(), objects.collect());
        Ok(body.into())
    }

    /// `POST …/getMemberObjects` and `…/getMemberGroups`, whose body says whether only security
    /// groups are wanted. All groups here are security groups, but directory roles are not.
    pub(super) fn member_ids(
        &self,
        target: &Target,
        kind: Kind,
        body: &[u8],
    ) -> Result<Value, GraphError> {
        let person = self.caller.may_read_memberships(self.directory, target)?;
        let kind = if security_enabled_only(body)? { Kind::Groups } else { kind };
        let ids: Vec<_> = self.memberships(person, kind).iter().map(Membership::id).collect();
        if ids.len() > MOST_IDS {
            return Err(GraphError::too_many());
        }
        let content = self.context_url("Collection(Edm.String)");
        Ok(json!({ "@odata.context": content, "value": ids }))
    }

    fn memberships<'a>(&'a self, person: &'a Person, kind: Kind) -> Vec<Membership<'a>> {
        let groups = self.directory.groups().iter();
        let groups = groups.filter(|group| person.groups.contains(&group.id));
        let administrators = Membership::Administrators { tenant: &person.tenant };
        let role = person.administrator.then_some(administrators);
        (groups.filter(|_| kind != Kind::DirectoryRoles).map(Membership::Group))
            .chain(role.filter(|_| kind != Kind::Groups))
            .collect()
    }

    /// The selected properties, in their own spelling.
    fn selected(&self) -> Result<Option<Vec<&'static str>>, GraphError> {
        let Some(names) = &self.query.select else { return Ok(None) };
        let known = |name: &String| {
            let found = PROPERTIES.into_iter().find(|known| known.eq_ignore_ascii_case(name));
            found.ok_or_else(|| GraphError::property(name, "directoryObject"))
        };
        names.iter().map(known).collect::<Result<_, _>>().map(Some)
    }

    /// An object with these properties, or all that it has. Without a permission for its kind, only
    /// its type and id have values.
    fn object(&self, membership: &Membership<'_>, selected: Option<&[&str]>) -> Value {
        let is_visible = match membership {
            Membership::Group(_) => self.caller.sees_groups(),
            Membership::Administrators { .. } => self.caller.sees_roles(),
        };
        let mut object = Map::new();
        object.insert("@odata.type".to_owned(), membership.type_name().into());
        for (name, value) in membership.properties() {
            if selected.is_none_or(|selected| selected.contains(&name)) {
                let value = if is_visible || name == "id" { value } else { Value::Null };
                object.insert(name.to_owned(), value);
            }
        }
        object.into()
    }

    /// The URL of the next page, which starts after the object with this id.
    fn next_link(&self, resource: &Resource, last: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(select) = &self.query.select {
            query.append_pair("$select", &select.join(","));
        }
        if let Some(top) = self.query.top {
            query.append_pair("$top", &top.to_string());
        }
        query.append_pair("$skiptoken", &BASE64_URL_SAFE_NO_PAD.encode(last));
        format!("{}{resource}?{}", self.base_url, query.finish().replace("%24", "$"))
    }
}

impl Membership<'_> {
    fn id(&self) -> String {
        match self {
            Self::Group(group) => group.id.clone(),
            // A directory role has an id of its own in each tenant.
            Self::Administrators { tenant } => stable_id(&format!("administrators {tenant}")),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Group(_) => "#microsoft.graph.group",
            Self::Administrators { .. } => "#microsoft.graph.directoryRole",
        }
    }

    fn properties(&self) -> Vec<(&'static str, Value)> {
        let id = ("id", self.id().into());
        match self {
            Self::Group(group) => vec![
                id,
                ("description", Value::Null),
                ("displayName", group.name.as_str().into()),
                ("groupTypes", json!([])),
                ("mail", Value::Null),
                ("mailEnabled", false.into()),
                ("securityEnabled", true.into()),
            ],
            Self::Administrators { .. } => vec![
                id,
                ("description", "Can consent for everybody in the tenant.".into()),
                ("displayName", "Global Administrator".into()),
                ("roleTemplateId", ADMINISTRATOR.into()),
            ],
        }
    }
}

/// The only parameter of the actions, which is required.
fn security_enabled_only(body: &[u8]) -> Result<bool, GraphError> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| GraphError::bad_body(format!("The request body is not JSON: {error}.")))?;
    match value.get("securityEnabledOnly") {
        Some(Value::Bool(only)) => Ok(*only),
        Some(other) => Err(GraphError::bad_body(format!(
            "Cannot convert the literal '{other}' to the expected type 'Edm.Boolean': \
             'securityEnabledOnly' must be true or false."
        ))),
        None => Err(GraphError::bad_body(
            "The request body needs the parameter 'securityEnabledOnly'.".to_owned(),
        )),
    }
}
