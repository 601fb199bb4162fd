//! Who may call an operation, stated as a type (rules A1, A2 and A4).

mod check;
mod names;
mod requirement;

use crate::{
    principal::{App, Principal, User},
    rejection::Rejection,
};

#[cfg(feature = "poem")]
pub(crate) use requirement::Condition;
pub use requirement::Requirement;

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
    /// What the handler gets: a [`User`], an [`App`], any [`Principal`], or your own type.
    type Caller: Caller;
    /// What the token must carry.
    const REQUIRES: Requirement;

    /// Text for the document about a decision that the handler's own guard makes; a fragment.
    fn note() -> Option<String> {
        None
    }
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
            Principal::App(_) => Err(check::app_instead_of_user(&[])),
        }
    }
}

impl Caller for App {
    fn from_principal(principal: Principal) -> Result<Self, Rejection> {
        match principal {
            Principal::App(app) => Ok(app),
            Principal::User(_) => Err(check::user_instead_of_app()),
        }
    }
}
