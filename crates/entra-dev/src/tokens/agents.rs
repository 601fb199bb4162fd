//! The claims that tell agents from people and ordinary apps
//! (<https://learn.microsoft.com/entra/agent-id/agent-token-claims>).
//!
//! The facets of the client and of the subject are numbers, separated by spaces. Only these two have
//! a documented meaning: APIs must ignore the other ones and the order.

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

/// Facets separated by spaces. As in Entra, the one of an agent has no fixed place.
fn facets(before: &[&str], agent: Option<&str>, after: &[&str]) -> String {
    let all = before.iter().copied().chain(agent).chain(after.iter().copied());
    all.collect::<Vec<_>>().join(" ")
}
