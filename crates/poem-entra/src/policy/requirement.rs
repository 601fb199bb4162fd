//! What a policy requires: a constant, checked while compiling.

use super::names::{Name, all_are, contains_guid, is_authentication_context};

/// What a token must carry. Start with [`scope`](Self::scope), [`app_role`](Self::app_role) or
/// [`scope_or_app_role`](Self::scope_or_app_role). Each further condition narrows it, also a second
/// one of the same kind: `.and_role(&["A"]).and_role(&["B"])` requires both roles.
///
/// An empty list, a name that no token can carry, or more than eight conditions fail the build as
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
/// // What every route with this policy calls.
/// let enforce: fn(Principal) -> Result<Principal, Rejection> = authorize::<Nobody>;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// One of these scopes (short names), from a user.
    pub(crate) scopes: &'static [&'static str],
    /// Instead of the scope: one of these app roles, from an app.
    pub(crate) app_roles: &'static [&'static str],
    conditions: [Option<Condition>; CONDITION_LIMIT],
}

/// One more thing that a token must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// One of these app roles.
    Role(&'static [&'static str]),
    /// One of these groups, by their object ids.
    Group(&'static [&'static str]),
    /// One of these apps as the sender, by their client ids.
    Client(&'static [&'static str]),
    /// A member of the tenant.
    NoGuests,
    AuthenticationContext(&'static str),
}

const CONDITION_LIMIT: usize = 8;

impl Requirement {
    /// A user whose token has one of these scopes. An app's own token has none: user-only. Scopes
    /// are short names, as `scp` carries them: `access_as_user`, not `api://…/access_as_user`.
    pub const fn scope(scopes: &'static [&'static str]) -> Self {
        assert!(all_are(scopes, Name::Scope), "a policy names scopes by their short names");
        Self { scopes, app_roles: &[], conditions: [None; CONDITION_LIMIT] }
    }

    /// An app that acts for itself and was granted one of these app roles: app-only.
    pub const fn app_role(app_roles: &'static [&'static str]) -> Self {
        assert!(all_are(app_roles, Name::Role), "a policy names app roles, without spaces");
        Self { scopes: &[], app_roles, conditions: [None; CONDITION_LIMIT] }
    }

    /// Either of the two (Microsoft.Identity.Web's `RequiredScopeOrAppPermission`). Unlike there,
    /// a user with an app role of that name does not pass for an app.
    pub const fn scope_or_app_role(
        scopes: &'static [&'static str],
        app_roles: &'static [&'static str],
    ) -> Self {
        Self { scopes: Self::scope(scopes).scopes, ..Self::app_role(app_roles) }
    }

    /// On top: one of these app roles.
    pub const fn and_role(self, roles: &'static [&'static str]) -> Self {
        assert!(all_are(roles, Name::Role), "a policy names app roles, without spaces");
        self.and(Condition::Role(roles))
    }

    /// On top: a member of one of these groups, by their object ids. A caller with more groups
    /// than a token can list is refused (rule V9).
    pub const fn and_group(self, groups: &'static [&'static str]) -> Self {
        assert!(all_are(groups, Name::Guid), "a policy names groups by their object ids");
        self.and(Condition::Group(groups))
    }

    /// On top: sent by one of these apps, by their client ids. A second list must have an app in
    /// common with the first: a request has one sender.
    pub const fn and_client(self, clients: &'static [&'static str]) -> Self {
        assert!(all_are(clients, Name::Guid), "a policy names apps by their client ids");
        let narrowed = self.and(Condition::Client(clients));
        assert!(narrowed.admits_one_of(clients), "no app is in all of a policy's client lists");
        narrowed
    }

    /// On top: a member of the tenant. A user whose token does not say (the optional claim `acct`)
    /// is refused: the absence of the claim proves nothing. Apps are neither members nor guests, so
    /// a policy for apps alone does not compile with it.
    pub const fn and_no_guests(self) -> Self {
        assert!(!self.scopes.is_empty(), "an app is never a member of a tenant");
        self.and(Condition::NoGuests)
    }

    /// On top: an authentication context, `c1` to `c99`, that Conditional Access grants for more
    /// than a password. A client that declared `cp1` is told how to step up.
    pub const fn and_authentication_context(self, context: &'static str) -> Self {
        assert!(is_authentication_context(context), "an authentication context is c1 to c99");
        self.and(Condition::AuthenticationContext(context))
    }

    const fn and(mut self, condition: Condition) -> Self {
        let mut index = 0;
        while self.conditions[index].is_some() {
            index += 1;
            assert!(index < CONDITION_LIMIT, "a policy has at most eight conditions");
        }
        self.conditions[index] = Some(condition);
        self
    }

    /// Whether one of these apps is in every list of clients.
    const fn admits_one_of(&self, clients: &[&str]) -> bool {
        let mut index = 0;
        while index < clients.len() {
            if self.admits_client(clients[index]) {
                return true;
            }
            index += 1;
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
