//! How a layer around the endpoint learns who sent a request.

use std::sync::{Arc, OnceLock};

use crate::principal::Principal;

/// A place for the caller of a request. A layer around the endpoint, such as one that writes a log
/// line, puts a clone into the request's extensions. The guard fills it if it accepts the token,
/// even if the policy then refuses the caller.
///
/// ```
/// use poem::{Endpoint, IntoResponse, Request, Response, Result};
/// use poem_entra::poem::CallerSlot;
///
/// async fn log<E: Endpoint>(next: E, mut request: Request) -> Result<Response> {
///     let slot = CallerSlot::default();
///     request.extensions_mut().insert(slot.clone());
///     let response = next.call(request).await?.into_response();
///     if let Some(caller) = slot.caller() {
///         println!("tenant {}: {}", caller.tenant(), response.status());
///     }
///     Ok(response)
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct CallerSlot(Arc<OnceLock<Principal>>);

impl CallerSlot {
    /// The caller; `None` if no guard has accepted a token.
    pub fn caller(&self) -> Option<&Principal> {
        self.0.get()
    }

    pub(super) fn fill(&self, caller: &Principal) {
        // If a request passes two guards, both see the same token.
        let _ = self.0.set(caller.clone());
    }
}

/// A check that an app makes for each caller, whatever the operation, such as a rate limit. A layer
/// around the endpoint puts it into the request's extensions. The guard makes the check when it has
/// accepted the token, before the policy is evaluated, and returns its error.
///
/// ```
/// use poem::{Endpoint, Error, Request, Result, http::StatusCode};
/// use poem_entra::poem::CallerCheck;
///
/// async fn refuse_tenant<E: Endpoint>(next: E, mut request: Request) -> Result<E::Output> {
///     let refused = "22222222-2222-4222-8222-222222222222";
///     request.extensions_mut().insert(CallerCheck::new(move |caller| {
///         match caller.tenant().to_string() == refused {
///             true => Err(Error::from_status(StatusCode::TOO_MANY_REQUESTS)),
///             false => Ok(()),
///         }
///     }));
///     next.call(request).await
/// }
/// ```
#[derive(Clone)]
pub struct CallerCheck(Arc<Check>);

type Check = dyn Fn(&Principal) -> poem::Result<()> + Send + Sync;

impl CallerCheck {
    /// A check that refuses the request by returning an error.
    pub fn new(check: impl Fn(&Principal) -> poem::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    pub(super) fn check(&self, caller: &Principal) -> poem::Result<()> {
        (self.0)(caller)
    }
}
