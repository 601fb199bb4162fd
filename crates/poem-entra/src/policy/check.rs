//! Checks a caller against a requirement.

use crate::{
    actor::Actor,
    claims::{AccountType, Groups},
    ids::ClientId,
    principal::Principal,
    rejection::{Refusal, Rejection},
    rule::Rule,
};

use super::{
    names::contains_guid,
    requirement::{Condition, Requirement},
};

impl Requirement {
    /// Checks the authentication contexts last, so that users are not asked to step up if they
    /// would be refused anyway.
    pub(super) fn check(&self, principal: &Principal) -> Result<(), Rejection> {
        self.check_kind(principal)?;
        let is_step_up = |condition: &&Condition| condition.is_step_up();
        self.conditions().filter(|c| !is_step_up(c)).try_for_each(|c| c.check(principal))?;
        self.conditions().filter(is_step_up).try_for_each(|c| c.check(principal))
    }

    fn check_kind(&self, principal: &Principal) -> Result<(), Rejection> {
        match principal {
            Principal::User(_) if any_of(self.scopes, principal.scopes()) => Ok(()),
            Principal::App(_) if any_of(self.app_roles, principal.roles()) => Ok(()),
            Principal::User(_) if self.scopes.is_empty() => Err(user_instead_of_app()),
            Principal::App(_) if !self.app_roles.is_empty() => {
                Err(Rejection::insufficient_role(self.app_roles))
            }
            Principal::App(_) => Err(app_instead_of_user(self.scopes)),
            Principal::User(_) => {
                let granted: Vec<_> = principal.scopes().iter().map(String::as_str).collect();
                Err(Rejection::insufficient_scope(self.scopes, &granted))
            }
        }
    }
}

impl Condition {
    fn check(&self, principal: &Principal) -> Result<(), Rejection> {
        match *self {
            Self::Role(roles) if any_of(roles, principal.roles()) => Ok(()),
            Self::Role(roles) => Err(Rejection::insufficient_role(roles)),
            Self::Group(groups) => check_groups(groups, principal.groups()),
            Self::Client(clients) if lists(clients, principal.client()) => Ok(()),
            Self::Client(_) => Err(denied("The client app is not allowed to call this operation.")),
            Self::NoGuests if is_member(principal) => Ok(()),
            Self::NoGuests => Err(denied(
                "This operation is for members of the tenant; the token does not prove membership.",
            )),
            Self::HumansOnly => check_human(principal),
            Self::NoAgents => check_no_agents(principal.actor()),
            Self::AuthenticationContext(context)
                if any_of(&[context], principal.authentication_contexts()) =>
            {
                Ok(())
            }
            Self::AuthenticationContext(context) => Err(lacks_context(context, principal)),
        }
    }

    fn is_step_up(&self) -> bool {
        matches!(self, Self::AuthenticationContext(_))
    }
}

/// An app is neither a member nor a guest, whatever its token says.
fn is_member(principal: &Principal) -> bool {
    matches!(principal, Principal::User(user) if user.account_type() == Some(AccountType::Member))
}

fn check_human(principal: &Principal) -> Result<(), Rejection> {
    let refused = match (principal, principal.actor().has_agent_user()) {
        (Principal::App(_), _) => "This operation is for human users; the token belongs to an app.",
        (_, Some(false)) => return Ok(()),
        (_, Some(true)) => {
            "This operation is for human users; the user account belongs to an agent."
        }
        (_, None) => return Err(unknown_user()),
    };
    Err(denied(refused))
}

fn check_no_agents(actor: Actor) -> Result<(), Rejection> {
    let refused = match (actor.is_agent(), actor.has_agent_user()) {
        (Some(false), Some(false)) => return Ok(()),
        (Some(true), _) => "This operation is not for agents; the client app is an agent.",
        (_, Some(true)) => {
            "This operation is not for agents; the user account belongs to an agent."
        }
        _ => return Err(unknown_actor()),
    };
    Err(denied(refused))
}

fn unknown_user() -> Rejection {
    denied("The token does not say whether the user account belongs to an agent (xms_sub_fct).")
        .with_hint(
            "Add the optional claim xms_sub_fct for access tokens to the API's registration, then \
             get a new token.",
        )
}

fn unknown_actor() -> Rejection {
    denied("The token does not say whether an agent acts (xms_act_fct and xms_sub_fct).").with_hint(
        "Add the optional claims xms_act_fct, xms_sub_fct and xms_par_app_azp for access tokens \
         to the API's registration, then get a new token.",
    )
}

fn check_groups(wanted: &[&str], groups: &Groups) -> Result<(), Rejection> {
    match groups {
        Groups::Listed(listed) if listed.iter().any(|group| contains_guid(wanted, group)) => Ok(()),
        Groups::Listed(_) => {
            Err(denied("The caller is not in a group that this operation requires."))
        }
        Groups::Overage => {
            let detail = "The caller has more groups than the token can list.";
            Err(Rejection::new(Refusal::Denied, Rule::CompleteGroups, detail).with_hint(
                "Use app roles, or limit the groups claim to those assigned to the app.",
            ))
        }
    }
}

fn lists(clients: &[&str], client: Option<ClientId>) -> bool {
    client.is_some() && clients.iter().any(|id| ClientId::parse(id) == client)
}

fn any_of(wanted: &[&str], carried: &[String]) -> bool {
    carried.iter().any(|name| wanted.contains(&name.as_str()))
}

fn denied(detail: &'static str) -> Rejection {
    Rejection::new(Refusal::Denied, Rule::Policy, detail)
}

pub(super) fn app_instead_of_user(scopes: &'static [&'static str]) -> Rejection {
    Rejection::new(
        Refusal::InsufficientScope(scopes),
        Rule::Policy,
        "This operation is for signed-in users; the token belongs to an app.",
    )
}

pub(super) fn user_instead_of_app() -> Rejection {
    Rejection::new(
        Refusal::Denied,
        Rule::Policy,
        "This operation is for apps that act for themselves; the token belongs to a user.",
    )
}

/// A claims challenge is sent only to clients that declare that they can handle it
/// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
fn lacks_context(context: &'static str, principal: &Principal) -> Rejection {
    let refusal = match principal.handles_claims_challenges() {
        true => Refusal::InsufficientClaims(context),
        false => Refusal::Denied,
    };
    let detail = format!("The sign-in lacks the authentication context {context}.");
    Rejection::new(refusal, Rule::AuthenticationContext, detail)
}
