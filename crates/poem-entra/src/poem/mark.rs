//! How a guard describes its policy in the document. poem-openapi asks an extractor only for the
//! names of its security schemes. The description is therefore passed as an additional name,
//! encoded as JSON. [`publish`](super::publish) removes this name and writes the description to the
//! operation.

use std::{
    any,
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    policy::{Condition, Policy, Requirement},
    report::{CheckPolicy, check_policy},
};

/// The description of `P`, as a name that [`publish`](super::publish) recognizes.
pub(super) fn mark<P: Policy>() -> &'static str {
    // Serializing strings and lists cannot fail, so the name is never empty.
    let name = serde_json::to_string(&Documented::of::<P>()).unwrap_or_default();
    leaked(name, check_policy::<P>)
}

/// The check of the policy with this name; `None` if it is the name of a scheme.
pub(super) fn check_of(name: &str) -> Option<CheckPolicy> {
    let marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
    marks.as_ref()?.get(name).copied()
}

static MARKS: Mutex<Option<HashMap<&'static str, CheckPolicy>>> = Mutex::new(None);

/// Returns the name with a static lifetime, which poem-openapi requires. The memory is leaked, but
/// only once for equal names, so creating many servers leaks no more memory than
/// creating one.
fn leaked(name: String, check: CheckPolicy) -> &'static str {
    let mut marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
    let marks = marks.get_or_insert_default();
    if let Some((known, _)) = marks.get_key_value(name.as_str()) {
        return known;
    }
    let name: &'static str = name.leak();
    marks.insert(name, check);
    name
}

/// What the document says about a requirement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Documented {
    /// The type of the policy. Two policies with the same description may have different callers.
    policy: String,
    /// A user needs one of these scopes (short names).
    pub(super) scopes: Vec<String>,
    /// A caller needs one app role from each of these lists.
    pub(super) roles: Vec<Vec<String>>,
    /// Who may call, as a Markdown sentence.
    pub(super) who: String,
    /// What the guard of the operation decides: [`Policy::note`].
    pub(super) note: Option<String>,
    /// Why a caller with a valid token can be refused: the description of the 403 response.
    pub(super) forbidden: String,
}

impl Documented {
    /// The description in a name, or `None` if it is the name of a scheme.
    pub(super) fn read(name: &str) -> Option<Self> {
        serde_json::from_str(name).ok()
    }

    fn of<P: Policy>() -> Self {
        let requirement = &P::REQUIRES;
        let roles = roles(requirement);
        let note = P::note();
        let forbidden = match (roles.is_empty(), note.is_some()) {
            (true, false) => "The scope is missing.",
            (true, true) => "The scope is missing, or the caller is not allowed.",
            (false, _) => "The scope or the app role is missing.",
        };
        Self {
            policy: any::type_name::<P>().into(),
            scopes: requirement.scopes.iter().map(|&scope| scope.into()).collect(),
            roles,
            who: who(requirement, note.as_deref()),
            note,
            forbidden: forbidden.into(),
        }
    }
}

/// The app roles that every caller needs. Those of `scope_or_app_role` are not included, because
/// users with the scope do not need them.
fn roles(requirement: &Requirement) -> Vec<Vec<String>> {
    let app_only = requirement.scopes.is_empty().then_some(requirement.app_roles);
    let further = requirement.conditions().filter_map(|condition| match *condition {
        Condition::Role(roles) => Some(roles),
        _ => None,
    });
    let lists = app_only.into_iter().chain(further);
    lists.map(|roles| roles.iter().map(|&role| role.into()).collect()).collect()
}

fn who(requirement: &Requirement, note: Option<&str>) -> String {
    let user = (!requirement.scopes.is_empty())
        .then(|| format!("a user with the scope {}", either(requirement.scopes)));
    let app = (!requirement.app_roles.is_empty())
        .then(|| format!("an app with the app role {}", either(requirement.app_roles)));
    let callers: Vec<_> = user.into_iter().chain(app).collect();
    let mut words = format!("**Who:** {}", callers.join(", or "));
    for condition in requirement.conditions() {
        words += &match *condition {
            Condition::Role(roles) => format!(" and the app role {}", either(roles)),
            Condition::Group(groups) => format!(" in the group {}", either(groups)),
            Condition::Client(clients) => format!(" through the app {}", either(clients)),
            Condition::NoGuests => "; no guests".to_owned(),
            Condition::HumansOnly => "; human users only".to_owned(),
            Condition::NoAgents => "; no agents".to_owned(),
            Condition::AuthenticationContext(context) => {
                format!("; authentication context `{context}`")
            }
        };
    }
    if let Some(note) = note {
        words += &format!("; {note}");
    }
    words + "."
}

fn either(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}
