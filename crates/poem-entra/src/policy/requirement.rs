//! What a policy requires: a constant that is checked at compile time.

use super::names::{Name, all_are, contains_guid, is_authentication_context};

/// What a token must contain. Start with [`scope`](Self::scope), [`app_role`](Self::app_role) or
/// [`scope_or_app_role`](Self::scope_or_app_role). Each further condition narrows the requirement,
/// and so does a second one of the same kind: `.and_role(&["A"]).and_role(&["B"])` requires both
/// roles.
///
/// An empty list, a name that no token can contain, or more than eight conditions fail the build as
/// soon as a route uses the policy:
///
/// ```compile_fail
/// # use poem_entra::{Policy, Principal, Rejection, Requirement, policy::authorize};
/// struct Nobody;
///
/// impl Policy for Nobody {
///     type Caller = Principal;
///     const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&[]);
/// }
///
/// // Every route with this policy calls this function.
/// let enforce: fn(Principal) -> Result<Principal, Rejection> = authorize::<Nobody>;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// A user needs one of these scopes (short names).
    pub(crate) scopes: &'static [&'static str],
    /// An app needs one of these app roles.
    pub(crate) app_roles: &'static [&'static str],
    conditions: [Option<Condition>; CONDITION_LIMIT],
}

/// A further condition that a token must meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// One of these app roles.
    Role(&'static [&'static str]),
    /// One of these groups, by their object ids.
    Group(&'static [&'static str]),
    /// One of these client apps, by their client ids.
    Client(&'static [&'static str]),
    /// A member of the tenant.
    NoGuests,
    /// A user whose account does not belong to an agent.
    HumansOnly,
    /// Neither the client app nor the user is an agent.
    NoAgents,
    AuthenticationContext(&'static str),
}

const CONDITION_LIMIT: usize = 8;

impl Requirement {
    /// A user whose token has one of these scopes. Apps that act for themselves are refused,
    /// because they have no scopes. Scopes are short names, as in `scp`: `access_as_user`, not
    /// `api://…/access_as_user`.
    pub const fn scope(scopes: &'static [&'static str]) -> Self {
        assert!(
            all_are(scopes, Name::Scope),
            "a policy needs at least one scope, by its short name"
        );
        Self { scopes, app_roles: &[], conditions: [None; CONDITION_LIMIT] }
    }

    /// An app that acts for itself and has one of these app roles. Users are refused.
    pub const fn app_role(app_roles: &'static [&'static str]) -> Self {
        assert!(
            all_are(app_roles, Name::Role),
            "a policy needs at least one app role, without spaces"
        );
        Self { scopes: &[], app_roles, conditions: [None; CONDITION_LIMIT] }
    }

    /// A user with one of the scopes, or an app with one of the app roles, like
    /// `RequiredScopeOrAppPermission` in Microsoft.Identity.Web. The difference is that here a user
    /// with such an app role still needs the scope.
    pub const fn scope_or_app_role(
        scopes: &'static [&'static str],
        app_roles: &'static [&'static str],
    ) -> Self {
        Self { scopes: Self::scope(scopes).scopes, ..Self::app_role(app_roles) }
    }

    /// Also requires one of these app roles.
    pub const fn and_role(self, roles: &'static [&'static str]) -> Self {
        assert!(all_are(roles, Name::Role), "a policy needs at least one app role, without spaces");
        self.and(Condition::Role(roles))
    }

    /// Also requires that the caller is in one of these groups, which are given by object id. A
    /// caller with more groups than a token can list is refused.
    pub const fn and_group(self, groups: &'static [&'static str]) -> Self {
        assert!(all_are(groups, Name::Guid), "a policy needs at least one group, by its object id");
        self.and(Condition::Group(groups))
    }

    /// Also requires one of these client apps, which are given by client id. A request comes from
    /// only one app, so if this is called more than once, at least one app must be in every list;
    /// otherwise the policy does not compile.
    pub const fn and_client(self, clients: &'static [&'static str]) -> Self {
        assert!(all_are(clients, Name::Guid), "a policy needs at least one app, by its client id");
        let narrowed = self.and(Condition::Client(clients));
        assert!(narrowed.admits_one_of(clients), "no app is in all of a policy's client lists");
        narrowed
    }

    /// Also requires that the user is a member of the tenant and not a guest. A user whose token
    /// lacks the optional claim `acct` is refused, because the token does not prove membership.
    /// Apps are neither members nor guests, so a policy that is only for apps does not compile with
    /// this condition.
    pub const fn and_no_guests(self) -> Self {
        assert!(!self.scopes.is_empty(), "apps are neither members nor guests");
        self.and(Condition::NoGuests)
    }

    /// Also requires that the caller is a human user: a user whose account does not belong to an
    /// agent. An agent may act for that user. A token without the optional claim `xms_sub_fct` is
    /// refused, because it does not say whose account it is. A policy that is only for apps does
    /// not compile with this condition.
    pub const fn and_humans_only(self) -> Self {
        assert!(!self.scopes.is_empty(), "apps are not human users");
        self.and(Condition::HumansOnly)
    }

    /// Also requires that neither the client app nor the user is an agent. A token without the
    /// optional claims `xms_act_fct` and `xms_sub_fct` is refused, because it does not say who
    /// acts.
    pub const fn and_no_agents(self) -> Self {
        self.and(Condition::NoAgents)
    }

    /// Also requires an authentication context, `c1` to `c99`. Conditional Access grants it if the
    /// sign-in meets stronger requirements than a password, such as a second factor. A client that
    /// declares `cp1` gets a claims challenge, so its user can step up.
    pub const fn and_authentication_context(self, context: &'static str) -> Self {
        assert!(!self.scopes.is_empty(), "only a user can step up");
        assert!(is_authentication_context(context), "an authentication context must be c1 to c99");
        self.and(Condition::AuthenticationContext(context))
    }

    const fn and(mut self, condition: Condition) -> Self {
        let mut index = 0;
        while self.conditions[index].is_some() {
            index += 1;
            assert!(index < CONDITION_LIMIT, "a policy can have at most eight conditions");
        }
        self.conditions[index] = Some(condition);
        self
    }

    /// Whether one of these apps is in every client list.
    const fn admits_one_of(&self, clients: &[&str]) -> bool {
        let mut rest = clients;
        while let [client, tail @ ..] = rest {
            if self.admits_client(client) {
                return true;
            }
            rest = tail;
        }
        false
    }

    const fn admits_client(&self, client: &str) -> bool {
        let mut index = 0;
        while index < CONDITION_LIMIT {
            if let Some(Condition::Client(listed)) = self.conditions[index]
                && !contains_guid(listed, client)
            {
                return false;
            }
            index += 1;
        }
        true
    }

    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    const A: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
    const B: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
    const C: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";
    const SCOPE: Requirement = Requirement::scope(&["access_as_user"]);
    const APP: Requirement = Requirement::app_role(&["Todos.Read.All"]);

    /// In a constant, such a panic fails the build.
    #[test]
    fn a_requirement_that_no_token_can_meet_panics() {
        type Make = fn() -> Requirement;
        let impossible: [(&str, Make); 15] = [
            ("no scope", || Requirement::scope(&[])),
            ("scope", || Requirement::scope(&["a", "api://todo/a"])),
            ("no app role", || Requirement::app_role(&[])),
            ("app role", || Requirement::app_role(&["a b"])),
            ("no scope or app role", || Requirement::scope_or_app_role(&[], &["R"])),
            ("scope or no app role", || Requirement::scope_or_app_role(&["a"], &[])),
            ("role", || SCOPE.and_role(&["R", ""])),
            ("group", || SCOPE.and_group(&[A, "Sales"])),
            ("client", || SCOPE.and_client(&[A, "CLI"])),
            ("no common client", || SCOPE.and_client(&[A, B]).and_client(&[C])),
            ("no common client of three", || {
                SCOPE.and_client(&[A, B]).and_client(&[B, C]).and_client(&[A, C])
            }),
            ("app as a member", || APP.and_no_guests()),
            ("app with a context", || APP.and_authentication_context("c1")),
            ("context", || SCOPE.and_authentication_context("c100")),
            ("nine conditions", || {
                (0..9).fold(SCOPE, |requirement, _| requirement.and_role(&["R"]))
            }),
        ];
        for (name, make) in impossible {
            assert!(catch_unwind(make).is_err(), "{name}");
        }
    }

    #[test]
    fn all_conditions_are_kept_in_their_order() {
        let clients = SCOPE.and_client(&[A, B]).and_role(&["R"]).and_client(&[C, B]);
        let expected =
            [Condition::Client(&[A, B]), Condition::Role(&["R"]), Condition::Client(&[C, B])];
        assert!(clients.conditions().eq(&expected), "{clients:?}");
        let eight = (0..8).fold(APP, |requirement, _| requirement.and_role(&["R"]));
        assert_eq!(eight.conditions().count(), 8);
        let either = Requirement::scope_or_app_role(&["a"], &["R"]);
        assert_eq!((either.scopes, either.app_roles), (["a"].as_slice(), ["R"].as_slice()));
    }
}
