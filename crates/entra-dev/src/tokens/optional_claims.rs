//! The optional claims about a person, which are the same in access tokens and ID tokens.

use crate::directory::{App, OptionalClaim, Person};

use super::claims::Claims;

/// The maximum number of groups in a token. If there are more, it has the groups overage claim
/// instead.
const MOST_GROUPS: usize = 200;
/// The same for a token that is sent through the browser, whose URLs have a limited length.
const MOST_GROUPS_IN_BROWSER: usize = 5;

/// Where a token says that the groups of a person are, if there are too many for it.
#[derive(Debug, Clone, Copy)]
pub(super) enum GroupsOverage<'a> {
    /// At Microsoft Graph, below this base URL. In Entra, the URL is one of Azure AD Graph, which
    /// is retired.
    At(&'a str),
    /// The token only says that there are groups.
    HasGroups,
}

/// Sets the claims about this person that the app asks for.
pub(super) fn set_personal(
    claims: &mut Claims,
    app: &App,
    person: &Person,
    overage: GroupsOverage<'_>,
) {
    let wanted = |claim| app.wants(claim).then_some(person);
    let member = wanted(OptionalClaim::Acct).filter(|person| !person.is_personal());
    claims.set_some("acct", member.map(|person| u8::from(person.guest)));
    claims.set_some("email", wanted(OptionalClaim::Email).map(|person| person.email.as_str()));
    let family_name = wanted(OptionalClaim::FamilyName).and_then(Person::family_name);
    claims.set_some("family_name", family_name);
    claims.set_some("given_name", wanted(OptionalClaim::GivenName).map(Person::given_name));
    if app.wants(OptionalClaim::Groups) {
        set_groups(claims, person, overage);
    }
    claims.set_some("upn", wanted(OptionalClaim::Upn).and_then(Person::principal_name));
}

/// Sets the ids of the person's groups or, if there are too many, the groups overage claim.
fn set_groups(claims: &mut Claims, person: &Person, overage: GroupsOverage<'_>) {
    match overage {
        GroupsOverage::At(base_url) if person.groups.len() > MOST_GROUPS => {
            let endpoint = format!("{base_url}/graph/v1.0/users/{}/getMemberObjects", person.oid);
            claims.set("_claim_names", serde_json::json!({ "groups": "src1" }));
            claims.set("_claim_sources", serde_json::json!({ "src1": { "endpoint": endpoint } }));
        }
        GroupsOverage::HasGroups if person.groups.len() > MOST_GROUPS_IN_BROWSER => {
            claims.set("hasgroups", true);
        }
        _ => claims.set_any("groups", &person.groups),
    }
}
