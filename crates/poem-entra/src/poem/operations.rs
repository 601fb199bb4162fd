//! The operations of an API with their policies, for tools that say what a token allows.

use http::Method;
use poem_openapi::{
    OpenApi,
    registry::{MetaOperation, MetaPath},
};

use crate::{
    rejection::Rejection,
    report::{CheckPolicy, Report},
};

use super::mark::{Documented, check_of};

/// An operation of an API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: String,
    /// The operation id, if it has one.
    pub id: Option<&'static str>,
    policy: Option<DocumentedPolicy>,
}

#[derive(Debug, Clone)]
struct DocumentedPolicy {
    check: CheckPolicy,
    note: Option<String>,
}

/// The operations that this API declares, in the order of the document.
///
/// ```
/// use poem_entra::{Policy, Requirement, User, poem::{Guard, operations}, security_scheme};
/// use poem_openapi::OpenApi;
///
/// struct Admins;
///
/// impl Policy for Admins {
///     type Caller = User;
///     const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Admin"]);
/// }
///
/// security_scheme!(EntraId, "access_as_user" = "Act as the signed-in user.");
///
/// struct Api;
///
/// #[OpenApi]
/// impl Api {
///     #[oai(path = "/me", method = "get", operation_id = "getMe")]
///     async fn me(&self, _caller: Guard<EntraId, Admins>) {}
///
///     #[oai(path = "/health", method = "get")]
///     async fn health(&self) {}
/// }
///
/// let [me, health] = &operations::<Api>()[..] else { panic!("two operations") };
/// assert_eq!((me.id, me.path.as_str(), me.is_public()), (Some("getMe"), "/me", false));
/// assert!(health.is_public());
/// ```
pub fn operations<A: OpenApi>() -> Vec<Operation> {
    let paths = A::meta().into_iter().flat_map(|api| api.paths);
    paths
        .flat_map(|MetaPath { path, operations }| {
            operations.into_iter().map(move |operation| Operation::new(path.clone(), &operation))
        })
        .collect()
}

impl Operation {
    fn new(path: String, operation: &MetaOperation) -> Self {
        let mut names = operation.security.iter().flat_map(|schemes| schemes.keys());
        let policy = names.find_map(|name| DocumentedPolicy::read(name));
        Self { method: operation.method.clone(), path, id: operation.operation_id, policy }
    }

    /// Whether the operation has no policy, so that it can be called without a token.
    pub fn is_public(&self) -> bool {
        self.policy.is_none()
    }

    /// What the operation's own guard decides after the policy: [`Policy::note`](crate::Policy).
    pub fn note(&self) -> Option<&str> {
        self.policy.as_ref()?.note.as_deref()
    }

    /// Whether the operation's policy allows the caller of this report, like [`Report::check`]. A
    /// public operation allows everybody.
    pub fn check(&self, report: &Report) -> Option<Result<(), Rejection>> {
        match &self.policy {
            Some(policy) => report.check_with(policy.check),
            None => Some(Ok(())),
        }
    }
}

impl DocumentedPolicy {
    fn read(name: &str) -> Option<Self> {
        Some(Self { check: check_of(name)?, note: Documented::read(name)?.note })
    }
}
