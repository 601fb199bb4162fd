//! People as users (<https://learn.microsoft.com/graph/api/user-get>).

use serde_json::{Map, Value, json};

use crate::directory::Person;

use super::{GraphRequest, error::GraphError, resource::Target};

/// The properties that a user has in a response without `$select`, as in Graph.
const DEFAULT: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];
/// The ones that must be selected.
const OTHERS: [&str; 3] = ["accountEnabled", "identityParentId", "userType"];

impl GraphRequest<'_> {
    /// `GET /me` and `GET /users/{id}`.
    pub(super) fn user(&self, target: &Target) -> Result<Value, GraphError> {
        self.query.check_single()?;
        let person = self.caller.may_read(self.directory, target)?;
        let (names, content) = match &self.query.select {
            None => (DEFAULT.to_vec(), "users/$entity".to_owned()),
            Some(selected) => {
                let names: Vec<_> =
                    selected.iter().map(|name| known(name)).collect::<Result<_, _>>()?;
                let content = format!("users({})/$entity", names.join(","));
                (names, content)
            }
        };
        let mut user = Map::new();
        user.insert("@odata.context".to_owned(), self.context_url(&content).into());
        if person.agent_identity.is_some() {
            user.insert("@odata.type".to_owned(), "#microsoft.graph.agentUser".into());
        }
        for name in names {
            user.insert(name.to_owned(), property(person, name));
        }
        Ok(user.into())
    }
}

/// The property with this name, in its own spelling.
fn known(name: &str) -> Result<&'static str, GraphError> {
    let mut names = DEFAULT.into_iter().chain(OTHERS);
    let found = names.find(|known| known.eq_ignore_ascii_case(name));
    found.ok_or_else(|| GraphError::property(name, "user"))
}

fn property(person: &Person, name: &str) -> Value {
    match name {
        "accountEnabled" => true.into(),
        "businessPhones" => json!([]),
        "displayName" => person.display_name.as_str().into(),
        "givenName" => person.given_name().into(),
        "id" => person.oid.as_str().into(),
        "identityParentId" => person.agent_identity.as_deref().into(),
        "mail" => person.email.as_str().into(),
        "surname" => person.family_name().into(),
        "userPrincipalName" => person.sign_in_name.as_str().into(),
        "userType" => if person.guest { "Guest" } else { "Member" }.into(),
        _ => Value::Null,
    }
}
