//! Who may call an operation, stated as a type (rules A1 and A2).

use crate::{
    principal::{Principal, User},
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
    /// What the handler gets: a [`User`], or any [`Principal`].
    type Caller: Caller;
    /// What the token must carry.
    const REQUIRES: Requirement;
}

/// Checks a caller against a policy.
///
/// # Errors
///
/// A [`Rejection`] of rule A2, which becomes a 403.
pub fn authorize<P: Policy>(principal: Principal) -> Result<P::Caller, Rejection> {
    P::REQUIRES.check(&principal)?;
    P::Caller::from_principal(principal)
}

/// Scopes and app roles that a token must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// One of these scopes (short names), from a user; empty: none is asked for.
    pub scopes: &'static [&'static str],
    /// One of these app roles; empty: none is asked for.
    pub roles: &'static [&'static str],
    /// What else decides, in words, for the document: `the item's owner, or the app role Admin`.
    pub note: &'static str,
}

impl Requirement {
    /// One of these scopes.
    pub const fn scope(scopes: &'static [&'static str]) -> Self {
        Self { scopes, roles: &[], note: "" }
    }

    /// One of these app roles, on top of what is required already.
    pub const fn and_role(self, roles: &'static [&'static str]) -> Self {
        Self { roles, ..self }
    }

    /// Words for a decision that the handler's own guard makes.
    pub const fn and_note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    fn check(&self, principal: &Principal) -> Result<(), Rejection> {
        let carries = |wanted: &[&str], carried: &[String]| {
            wanted.is_empty() || carried.iter().any(|name| wanted.contains(&name.as_str()))
        };
        if !carries(self.scopes, principal.scopes()) {
            let detail = format!("The token lacks the scope {}.", self.scopes.join(" or "));
            return Err(Rejection::new(Refusal::InsufficientScope(self.scopes), Rule::A2, detail));
        }
        if !carries(self.roles, principal.roles()) {
            let detail = format!("The caller lacks the app role {}.", self.roles.join(" or "));
            return Err(Rejection::new(Refusal::InsufficientRole(self.roles), Rule::A2, detail));
        }
        Ok(())
    }
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
            Principal::App(_) => Err(Rejection::new(
                Refusal::InsufficientScope(&[]),
                Rule::A2,
                "The token is an app's own; this operation is for signed-in users.",
            )),
        }
    }
}
