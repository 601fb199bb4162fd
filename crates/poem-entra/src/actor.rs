//! The actor: the app that sends a request, and what its token says about agents.

use crate::{
    ids::ClientId,
    json::{Json, Members},
};

/// Who acts: the app that sends the request, and whether the app or the user is an agent of
/// Microsoft Entra Agent ID
/// (<https://learn.microsoft.com/entra/agent-id/agent-token-claims>).
///
/// Entra says so only if the API's registration requests the optional claims `xms_act_fct`,
/// `xms_sub_fct` and `xms_par_app_azp` for access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    client: Option<ClientId>,
    is_agent: Option<bool>,
    has_agent_user: Option<bool>,
    blueprint: Option<ClientId>,
}

/// The facet of an app that is an agent identity.
const AGENT_IDENTITY: &str = "11";
/// The facet of a user account that belongs to an agent.
const AGENT_USER: &str = "13";

impl Actor {
    /// Reads the claims about agents. A claim of the wrong type counts as absent, because only
    /// policies read these claims.
    pub(crate) fn read(members: &Members<'_>, client: Option<ClientId>) -> Self {
        let blueprint = match members.get("xms_par_app_azp") {
            Some(Json::String(id)) => ClientId::parse(id),
            _ => None,
        };
        Self {
            client,
            is_agent: has_facet(members.get("xms_act_fct"), AGENT_IDENTITY),
            has_agent_user: has_facet(members.get("xms_sub_fct"), AGENT_USER),
            blueprint,
        }
    }

    /// The app that sends the request (`azp`, in v1 tokens `appid`).
    pub fn client(&self) -> Option<ClientId> {
        self.client
    }

    /// Whether this app is an agent (11 in `xms_act_fct`); `None` if the token does not say.
    pub fn is_agent(&self) -> Option<bool> {
        self.is_agent
    }

    /// Whether the user account belongs to an agent (13 in `xms_sub_fct`); `None` if the token does
    /// not say. If an agent acts for a person, this is `false`.
    pub fn has_agent_user(&self) -> Option<bool> {
        self.has_agent_user
    }

    /// The blueprint that the agent was created from (`xms_par_app_azp`). It is for logs: Microsoft
    /// advises against decisions that depend on it, because a blueprint can have many agents.
    pub fn blueprint(&self) -> Option<ClientId> {
        self.blueprint
    }
}

/// Whether a claim lists this facet. The claim is text: numbers separated by spaces, in any order.
/// `None` if it is absent, is something else or lists nothing.
fn has_facet(claim: Option<&Json<'_>>, facet: &str) -> Option<bool> {
    let Some(Json::String(text)) = claim else { return None };
    let mut facets = text.split(' ').filter(|facet| !facet.is_empty()).peekable();
    facets.peek()?;
    let mut found = false;
    for number in facets {
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        found |= number.trim_start_matches('0') == facet;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn read(claims: &str) -> [Option<bool>; 2] {
        let actor = Actor::read(&json::object(claims.as_bytes()).unwrap(), None);
        [actor.is_agent(), actor.has_agent_user()]
    }

    #[test]
    fn facets_are_numbers_in_any_order_and_unknown_ones_count_for_nothing() {
        for (act, sub, expected) in [
            ("3 9 11", "13 3", [Some(true), Some(true)]),
            ("11", "13", [Some(true), Some(true)]),
            (" 9  11 ", "99999999999999999999 13", [Some(true), Some(true)]),
            ("011", "0013", [Some(true), Some(true)]),
            ("3 9", "2 3", [Some(false), Some(false)]),
            ("111 1 1", "1 3 131", [Some(false), Some(false)]),
            // Each claim has its own facet.
            ("13", "11", [Some(false), Some(false)]),
        ] {
            let claims = format!(r#"{{"xms_act_fct":"{act}","xms_sub_fct":"{sub}"}}"#);
            assert_eq!(read(&claims), expected, "{claims}");
        }
    }

    #[test]
    fn a_claim_that_is_absent_or_not_a_list_of_numbers_says_nothing() {
        assert_eq!(read("{}"), [None, None]);
        for bad in
            ["7", "11", "null", "true", "[\"11\"]", "[11]", "{}", "\"\"", "\" \"", "\"11,13\""]
                .into_iter()
                .chain(["\"11 x\"", "\"+11\"", "\"-11\"", "\"11.0\"", "\"11\\t13\"", "\"\u{661}\""])
        {
            let claims = format!(r#"{{"xms_act_fct":{bad},"xms_sub_fct":{bad}}}"#);
            assert_eq!(read(&claims), [None, None], "{claims}");
        }
    }

    #[test]
    fn a_blueprint_is_a_guid() {
        let guid = "30cf4c22-9985-4ef7-8756-91cc888176bd";
        for (value, expected) in [
            (format!("\"{guid}\""), ClientId::parse(guid)),
            ("\"blueprint\"".into(), None),
            ("7".into(), None),
            ("null".into(), None),
        ] {
            let claims = format!(r#"{{"xms_par_app_azp":{value}}}"#);
            let members = json::object(claims.as_bytes()).unwrap();
            assert_eq!(Actor::read(&members, None).blueprint(), expected, "{claims}");
        }
    }
}
