//! Policies: types that state who may call an operation.

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

/// States who may call an operation. A route uses a policy by its type. What the policy requires is
/// a constant, so the check at run time and the OpenAPI document cannot differ.
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
    /// The type that the handler gets: [`User`], [`App`], [`Principal`] for both, or your own.
    type Caller: Caller;
    /// What the token must contain.
    const REQUIRES: Requirement;

    /// Text for the OpenAPI document that describes what your own guard decides. It is a fragment,
    /// which is added to the description of who may call.
    fn note() -> Option<String> {
        None
    }
}

/// Checks a caller against a policy.
///
/// # Errors
///
/// A [`Rejection`], which becomes a 403, or a 401 if the user can step up.
pub fn authorize<P: Policy>(principal: Principal) -> Result<P::Caller, Rejection> {
    const { &P::REQUIRES }.check(&principal)?;
    P::Caller::from_principal(principal)
}

/// A type that a handler can get. It is made only from a verified principal.
pub trait Caller: Sized + Send + Sync + 'static {
    /// Converts the principal, if it is of the right kind.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if it is of another kind, which becomes a 403.
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
