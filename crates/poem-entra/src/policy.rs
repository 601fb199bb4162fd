//! Who may call an operation, stated as a type (rules A1, A2 and A4).

use crate::{
    ids::ClientId,
    principal::{AccountType, App, Groups, Principal, User},
    rejection::{Refusal, Rejection, Rule},
};

/// A rule that a route names by type. What it requires is one constant, from which both the
/// enforcement and the OpenAPI document come.
///
/// ```
/// use poem_entra::{Policy, Requirement, User};
///
/// /// Any signed-in user.
/// struct SignedIn;
///
/// impl Policy for SignedIn {
///     type Caller = User;
///     const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]);
/// }
/// ```
pub trait Policy: Send + Sync + 'static {
    /// What the handler gets: a [`User`], an [`App`], any [`Principal`], or a type of one's own.
    type Caller: Caller;
    /// What the token must carry.
    const REQUIRES: Requirement;
}

/// Checks a caller against a policy.
///
/// # Errors
///
/// A [`Rejection`] of rule A2 or A4, which becomes a 403 or, for a step-up, a 401.
pub fn authorize<P: Policy>(principal: Principal) -> Result<P::Caller, Rejection> {
    P::REQUIRES.check(&principal)?;
    P::Caller::from_principal(principal)
}

/// What a token must carry. Start with [`scope`](Self::scope), [`app_role`](Self::app_role) or
/// [`scope_or_app_role`](Self::scope_or_app_role); each further condition narrows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// One of these scopes (short names), from a user.
    pub(crate) scopes: &'static [&'static str],
    /// Instead of the scope: one of these app roles, from an app.
    pub(crate) app_roles: &'static [&'static str],
    /// One of these app roles, from whomever.
    pub(crate) roles: &'static [&'static str],
    pub(crate) groups: &'static [&'static str],
    pub(crate) clients: &'static [&'static str],
    pub(crate) no_guests: bool,
    pub(crate) authentication_context: Option<&'static str>,
    pub(crate) note: &'static str,
}

impl Requirement {
    const NOTHING: Self = Self {
        scopes: &[],
        app_roles: &[],
        roles: &[],
        groups: &[],
        clients: &[],
        no_guests: false,
        authentication_context: None,
        note: "",
    };

    /// A user whose token has one of these scopes. An app's own token has none: user-only.
    pub const fn scope(scopes: &'static [&'static str]) -> Self {
        assert!(!scopes.is_empty(), "a policy must name a scope");
        Self { scopes, ..Self::NOTHING }
    }

    /// An app that acts for itself and was granted one of these app roles: app-only.
    pub const fn app_role(app_roles: &'static [&'static str]) -> Self {
        assert!(!app_roles.is_empty(), "a policy must name an app role");
        Self { app_roles, ..Self::NOTHING }
    }

    /// Either of the two (Microsoft.Identity.Web's `RequiredScopeOrAppPermission`). Unlike there,
    /// a user with an app role of that name does not pass for an app.
    pub const fn scope_or_app_role(
        scopes: &'static [&'static str],
        app_roles: &'static [&'static str],
    ) -> Self {
        Self { scopes, ..Self::app_role(app_roles) }
    }

    /// On top: one of these app roles.
    pub const fn and_role(self, roles: &'static [&'static str]) -> Self {
        Self { roles, ..self }
    }

    /// On top: a member of one of these groups, by their object ids. A caller with more groups
    /// than a token can list is refused (rule V9).
    pub const fn and_group(self, groups: &'static [&'static str]) -> Self {
        Self { groups, ..self }
    }

    /// On top: sent by one of these apps, by their client ids.
    pub const fn and_client(self, clients: &'static [&'static str]) -> Self {
        Self { clients, ..self }
    }

    /// On top: a member of the tenant. Whoever's token does not say (the optional claim `acct`)
    /// is refused: the absence of the claim proves nothing.
    pub const fn and_no_guests(self) -> Self {
        Self { no_guests: true, ..self }
    }

    /// On top: an authentication context, such as `c1`, that Conditional Access grants for more
    /// than a password. A client that declared `cp1` is told how to step up.
    pub const fn and_authentication_context(self, context: &'static str) -> Self {
        Self { authentication_context: Some(context), ..self }
    }

    /// Words for a decision that the handler's own guard makes.
    pub const fn and_note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// A2 in full; A4 comes last, so that nobody steps up in vain.
    fn check(&self, principal: &Principal) -> Result<(), Rejection> {
        self.check_kind(principal)?;
        if !self.roles.is_empty() && !any_of(self.roles, principal.roles()) {
            return Err(lacks_role(self.roles));
        }
        let deny = |detail: &'static str| Err(Rejection::new(Refusal::Denied, Rule::A2, detail));
        if !self.clients.is_empty() && !self.lists(principal.client()) {
            return deny("The app that sent the request is not on this operation's list.");
        }
        if self.no_guests && principal.account_type() != Some(AccountType::Member) {
            return deny("This operation is for members; the token does not say that you are one.");
        }
        match principal.groups() {
            _ if self.groups.is_empty() => {}
            Groups::Listed(listed) if any_of(self.groups, listed) => {}
            Groups::Listed(_) => return deny("The caller is in none of this operation's groups."),
            Groups::Overage => {
                let detail = "The caller has more groups than the token can list.";
                return Err(Rejection::new(Refusal::Denied, Rule::V9, detail).with_hint(
                    "Use app roles, or limit the groups claim to those assigned to the app.",
                ));
            }
        }
        match self.authentication_context {
            Some(context) if !any_of(&[context], principal.authentication_contexts()) => {
                Err(lacks_context(context, principal))
            }
            _ => Ok(()),
        }
    }

    fn check_kind(&self, principal: &Principal) -> Result<(), Rejection> {
        match principal {
            Principal::User(_) if any_of(self.scopes, principal.scopes()) => Ok(()),
            Principal::App(_) if any_of(self.app_roles, principal.roles()) => Ok(()),
            Principal::User(_) if self.scopes.is_empty() => Err(user_instead_of_app()),
            Principal::App(_) if !self.app_roles.is_empty() => Err(lacks_role(self.app_roles)),
            Principal::App(_) => Err(app_instead_of_user(self.scopes)),
            Principal::User(_) => {
                let detail = format!("The token lacks the scope {}.", self.scopes.join(" or "));
                let rejection =
                    Rejection::new(Refusal::InsufficientScope(self.scopes), Rule::A2, detail);
                Err(rejection.compared(self.scopes.join(" or "), &principal.scopes().join(" ")))
            }
        }
    }

    fn lists(&self, client: Option<ClientId>) -> bool {
        let listed = self.clients.iter().map(|id| ClientId::parse(id));
        client.is_some() && listed.into_iter().any(|id| id == client)
    }
}

fn any_of(wanted: &[&str], carried: &[String]) -> bool {
    carried.iter().any(|name| wanted.contains(&name.as_str()))
}

fn lacks_role(roles: &'static [&'static str]) -> Rejection {
    let detail = format!("The caller lacks the app role {}.", roles.join(" or "));
    Rejection::new(Refusal::InsufficientRole(roles), Rule::A2, detail).with_hint(
        "Assign the role in Enterprise applications, then get a new token: an old one does not \
         know.",
    )
}

fn app_instead_of_user(scopes: &'static [&'static str]) -> Rejection {
    Rejection::new(
        Refusal::InsufficientScope(scopes),
        Rule::A2,
        "The token is an app's own; this operation is for signed-in users.",
    )
}

fn user_instead_of_app() -> Rejection {
    Rejection::new(
        Refusal::Denied,
        Rule::A2,
        "The token is a user's; this operation is for apps that act for themselves.",
    )
}

/// A4: only a client that says it understands a claims challenge gets one
/// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
fn lacks_context(context: &'static str, principal: &Principal) -> Rejection {
    let refusal = match principal.handles_claims_challenges() {
        true => Refusal::InsufficientClaims(context),
        false => Refusal::Denied,
    };
    let detail = format!("The sign-in lacks the authentication context {context}.");
    Rejection::new(refusal, Rule::A4, detail)
}

/// What a handler may be given: made from a principal, and from nothing else.
pub trait Caller: Sized + Send + Sync + 'static {
    /// The caller, if the principal is of this kind.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] of rule A2, which becomes a 403.
    fn from_principal(principal: Principal) -> Result<Self, Rejection>;
}

impl Caller for Principal {
    fn from_principal(principal: Principal) -> Result<Self, Rejection> {
        Ok(principal)
    }
}

impl Caller for User {
    fn from_principal(principal: Principal) -> Result<Self, Rejection> {
        match principal {
            Principal::User(user) => Ok(user),
            Principal::App(_) => Err(app_instead_of_user(&[])),
        }
    }
}

impl Caller for App {
    fn from_principal(principal: Principal) -> Result<Self, Rejection> {
        match principal {
            Principal::App(app) => Ok(app),
            Principal::User(_) => Err(user_instead_of_app()),
        }
    }
}
