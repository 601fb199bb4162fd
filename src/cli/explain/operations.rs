//! What a token allows: the operations of the API, each with its own policy.

use poem_entra::{Refusal, Rejection, Report, Rule, poem::Operation, report::Outcome};
use serde::Serialize;

use crate::api;

/// An operation, and whether the token allows it.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The operation id, as in the OpenAPI document.
    pub(super) operation: &'static str,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) allowed: bool,
    /// What the token lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missing: Option<String>,
    /// What else the operation looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    /// Why the policy refuses an accepted token.
    #[serde(skip)]
    pub(super) rejection: Option<Rejection>,
    #[serde(skip)]
    pub(super) is_public: bool,
}

/// The operations of the API, or the one with this id.
///
/// # Errors
///
/// The ids of all operations, if none of them is the wanted one.
pub(super) fn select(wanted: Option<&str>) -> Result<Vec<Operation>, Vec<&'static str>> {
    let all = api::operations();
    let Some(wanted) = wanted else { return Ok(all) };
    let ids: Vec<_> = all.iter().filter_map(|operation| operation.id).collect();
    let selected: Vec<_> =
        all.into_iter().filter(|operation| operation.id == Some(wanted)).collect();
    if selected.is_empty() { Err(ids) } else { Ok(selected) }
}

impl Row {
    pub(super) fn new(operation: &Operation, report: &Report) -> Self {
        let row = Self {
            operation: operation.id.unwrap_or_default(),
            method: operation.method.to_string(),
            path: operation.path.clone(),
            allowed: true,
            missing: None,
            condition: operation.note().map(|note| note.replace('`', "")),
            rejection: None,
            is_public: operation.is_public(),
        };
        if operation.is_public() {
            return Self { condition: Some("anyone, also without a token".into()), ..row };
        }
        let refused = operation.check(report).and_then(Result::err);
        if report.rejection().is_some() {
            // The scopes and roles of another API say nothing about this one.
            let is_ours = report.outcome(Rule::Audience) == Outcome::Passed;
            let also = refused.filter(|_| is_ours).map(|rejection| missing(&rejection));
            let missing = ["an accepted token".to_owned()].into_iter().chain(also);
            let missing = missing.collect::<Vec<_>>().join(", and ");
            return Self { allowed: false, missing: Some(missing), ..row };
        }
        match refused {
            Some(rejection) => Self {
                allowed: false,
                missing: Some(missing(&rejection)),
                rejection: Some(rejection),
                ..row
            },
            None => row,
        }
    }
}

/// What a caller needs in addition.
fn missing(rejection: &Rejection) -> String {
    match rejection.refusal() {
        // An app has no scopes, so it does not help to request one.
        Refusal::InsufficientScope(_) if rejection.received().is_none() => {
            "a signed-in user".to_owned()
        }
        Refusal::InsufficientScope(names) => format!("the scope {}", names.join(" or ")),
        Refusal::InsufficientRole(names) => format!("the app role {}", names.join(" or ")),
        _ => rejection.detail().to_owned(),
    }
}
