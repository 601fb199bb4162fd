//! The optional claims about a person, which are the same in access tokens and ID tokens.

use crate::directory::{App, OptionalClaim, Person};

use super::claims::Claims;

/// The maximum number of groups in a token. If there are more, it has the groups overage claim
/// instead.
const MOST_GROUPS: usize = 200;

/// Sets the claims about this person that the app asks for.
pub(super) fn set_personal(claims: &mut Claims, app: &App, person: &Person) {
    let wanted = |claim| app.wants(claim).then_some(person);
    let member = wanted(OptionalClaim::Acct).filter(|person| !person.is_personal());
    claims.set_some("acct", member.map(|person| u8::from(person.guest)));
    claims.set_some("email", wanted(OptionalClaim::Email).map(|person| person.email.as_str()));
    let family_name = wanted(OptionalClaim::FamilyName).and_then(Person::family_name);
    claims.set_some("family_name", family_name);
    claims.set_some("given_name", wanted(OptionalClaim::GivenName).map(Person::given_name));
    if app.wants(OptionalClaim::Groups) {
        set_groups(claims, person);
    }
    claims.set_some("upn", wanted(OptionalClaim::Upn).and_then(Person::principal_name));
}

/// Sets the ids of the person's groups or, if there are too many, the groups overage claim.
fn set_groups(claims: &mut Claims, person: &Person) {
    if person.groups.len() <= MOST_GROUPS {
        claims.set_any("groups", &person.groups);
        return;
    }
    let endpoint = format!(
        "https://graph.windows.net/{}/users/{}/getMemberObjects",
        person.tenant, person.oid
    );
    claims.set("_claim_names", serde_json::json!({ "groups": "src1" }));
    claims.set("_claim_sources", serde_json::json!({ "src1": { "endpoint": endpoint } }));
}
