//! The claims that tell agents from people and ordinary apps
//! (<https://learn.microsoft.com/entra/agent-id/agent-token-claims>).
//!
//! The facets of the client and of the subject are numbers, separated by spaces. Only these two
//! have a documented meaning: APIs must ignore the other ones and the order.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::directory::{App, OptionalClaim};

use super::{access::Subject, claims::Claims};

/// The facet of an agent identity.
const AGENT_IDENTITY: &str = "11";
/// The facet of an agent's user account.
const AGENT_USER: &str = "13";

/// Sets the claims about agents that the API asks for.
pub(super) fn set_agent_claims(
    claims: &mut Claims,
    api: &App,
    client: &App,
    subject: &Subject<'_>,
) {
    let blueprint = client.agent_blueprint.as_deref();
    let agent = blueprint.map(|_| AGENT_IDENTITY);
    if api.wants(OptionalClaim::XmsActFct) {
        claims.set("xms_act_fct", facets(&["3", "9"], agent, &[]));
    }
    if api.wants(OptionalClaim::XmsSubFct) {
        let facets = match subject {
            Subject::Person { person, .. } => {
                facets(&[], person.agent_identity.as_ref().map(|_| AGENT_USER), &["3"])
            }
            Subject::App { .. } => facets(&["9", "3"], agent, &[]),
        };
        claims.set("xms_sub_fct", facets);
    }
    if api.wants(OptionalClaim::XmsParAppAzp) {
        claims.set_some("xms_par_app_azp", blueprint);
    }
}

/// The subject of a token with which a blueprint proves that it acts for this agent: a path of the
/// tenant, the blueprint and the agent, as seen in tokens of Entra. The first two are GUIDs in
/// base64url, with the bytes in Microsoft's order.
pub(crate) fn path_subject(tenant: &str, blueprint: &App, agent: &str) -> String {
    let [tenant, blueprint] = [tenant, &blueprint.client_id].map(|id| {
        // The directory has checked that these are GUIDs.
        let id = Uuid::try_parse(id).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(id.to_bytes_le())
    });
    format!("/eid1/c/pub/t/{tenant}/a/{blueprint}/{agent}")
}

/// Facets separated by spaces. As in Entra, the one of an agent has no fixed place.
fn facets(before: &[&str], agent: Option<&str>, after: &[&str]) -> String {
    let all = before.iter().copied().chain(agent).chain(after.iter().copied());
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_of_a_blueprints_token_is_the_one_of_entra() {
        let client_id = "9d17cc32-c91b-4368-8494-1b29ccb0dbcf".to_owned();
        let blueprint = App { client_id, ..App::default() };
        let agent = "5081ddac-3d33-4766-98fe-80c38c5ce554";
        assert_eq!(
            path_subject("5369a35c-46a5-4677-8ff9-2e65587654e7", &blueprint, agent),
            format!("/eid1/c/pub/t/XKNpU6VGd0aP-S5lWHZU5w/a/MswXnRvJaEOElBspzLDbzw/{agent}")
        );
    }
}
