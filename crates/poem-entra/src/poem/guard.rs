//! The guard: an extractor that enforces a policy.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use http::{HeaderMap, StatusCode};
use poem::{Error, IntoResponse, Request, RequestBody, Response, Result, error::ResponseError};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};

use crate::{policy::Policy, principal::Principal, rejection::Rejection, validator::Validator};

use super::{CallerCheck, CallerSlot, SecurityScheme};

/// An extractor for the caller of a request. It refuses the request if the token is invalid or if
/// the policy `P` does not allow the caller. `S` is the app's security scheme in the document.
///
/// The guard must be the handler's first parameter. Parameters are extracted from left to right,
/// and a caller without a token must not learn whether the body of the request is valid. The
/// endpoint's data must contain an [`Arc<Validator>`].
pub struct Guard<S, P: Policy> {
    caller: P::Caller,
    scheme: PhantomData<fn() -> S>,
}

impl<S, P: Policy> Deref for Guard<S, P> {
    type Target = P::Caller;

    fn deref(&self) -> &P::Caller {
        &self.caller
    }
}

impl<'a, S: SecurityScheme, P: Policy> ApiExtractor<'a> for Guard<S, P> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        S::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        S::with_policy::<P>()
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let caller = authorize::<P>(request).await?;
        Ok(Self { caller, scheme: PhantomData })
    }
}

/// Returns the caller of this request, if `P` allows it. Call it from a guard of your own that
/// checks more than the token.
///
/// # Errors
///
/// [`Denied`] as a poem error, the error of a [`CallerCheck`], or 500 if the request's data does not contain an [`Arc<Validator>`].
pub async fn authorize<P: Policy>(request: &Request) -> Result<P::Caller> {
    let validator = request.data::<Arc<Validator>>().ok_or_else(|| {
        Error::from_string(
            "the endpoint's data does not contain an Arc<Validator>",
            StatusCode::INTERNAL_SERVER_ERROR,
        )
    })?;
    let mut checked = Ok(());
    let seen_by = |caller: &Principal| {
        if let Some(slot) = request.extensions().get::<CallerSlot>() {
            slot.fill(caller);
        }
        if let Some(check) = request.extensions().get::<CallerCheck>() {
            checked = check.check(caller);
        }
    };
    let outcome = validator.authorize_seen_by::<P>(request.headers(), seen_by).await;
    checked?;
    outcome.map_err(|rejection| {
        Denied { headers: rejection.headers(validator.challenge()), rejection }.into()
    })
}

/// A rejection with the headers of its response. It becomes a problem document (RFC 9457). An app
/// with its own error bodies can get it from the poem error with `error.downcast_ref::<Denied>()`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{rejection}")]
pub struct Denied {
    /// Why the request was refused.
    pub rejection: Rejection,
    /// `WWW-Authenticate` or `Retry-After`.
    pub headers: HeaderMap,
}

impl ResponseError for Denied {
    fn status(&self) -> StatusCode {
        self.rejection.status()
    }

    fn as_response(&self) -> Response {
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": self.status().canonical_reason(),
            "status": self.status().as_u16(),
            "detail": self.rejection.detail(),
            "code": self.rejection.code(),
            "expected": self.rejection.expected(),
            "received": self.rejection.received(),
            "hint": self.rejection.hint(),
        });
        let mut response = poem::web::Json(problem)
            .with_content_type("application/problem+json")
            .with_status(self.status())
            .into_response();
        response.headers_mut().extend(self.headers.clone());
        response
    }
}

/// A route whose policy has an empty list does not compile. The other route compiles.
#[cfg(doctest)]
mod doctests {
    macro_rules! routes {
        ($($attribute:literal $name:ident $requirement:literal;)*) => {
            $(
                #[doc = concat!(
                    "```", $attribute, "\n\
                     use poem_entra::{Policy, Requirement, User, poem::Guard};\n\
                     use poem_openapi::{OpenApi, OpenApiService};\n\
                     poem_entra::security_scheme!(EntraId, \"access_as_user\" = \"Call it.\");\n\
                     struct Named;\n\
                     impl Policy for Named {\n\
                         type Caller = User;\n\
                         const REQUIRES: Requirement =\n\
                             Requirement::scope(&[\"access_as_user\"])", $requirement, ";\n\
                     }\n\
                     struct Api;\n\
                     #[OpenApi]\n\
                     impl Api {\n\
                         #[oai(path = \"/\", method = \"get\")]\n\
                         async fn route(&self, _caller: Guard<EntraId, Named>) {}\n\
                     }\n\
                     OpenApiService::new(Api, \"\", \"\").spec();\n```"
                )]
                struct $name;
            )*
        };
    }

    routes! {
        "" Possible ".and_role(&[\"Admin\"])";
        "compile_fail" Impossible ".and_role(&[])";
    }
}
