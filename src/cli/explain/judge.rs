//! Runs the validator of the server on a request. Nothing is logged, and the token is not sent
//! anywhere: only the keys of the authority are fetched.

use std::sync::Arc;

use http::HeaderMap;
use poem_entra::{
    Examination, Report, Rule, Settings, StartError, SystemClock, Validator, examine,
    report::Outcome,
};

use crate::{api::security, causes::Causes, cli::progress::Progress};

/// What the validator says about a request.
pub(super) struct Judgement {
    pub(super) report: Report,
    /// The authority's URL.
    pub(super) authority: String,
    /// The scope of this API in the form in which clients request it.
    pub(super) scope: String,
    /// What the authority publishes, if the key of the token is not among it.
    pub(super) published: Option<Examination>,
    /// Why the keys could not be fetched.
    pub(super) failure: Option<String>,
}

/// Judges a request with these headers.
///
/// # Errors
///
/// If the validator cannot be created.
pub(super) async fn judge(
    settings: &Settings,
    headers: &HeaderMap,
) -> Result<Judgement, StartError> {
    let validator = Validator::new(settings)?;
    let _progress = Progress::start("fetching the signing keys");
    let report = validator.report(headers).await;
    let is_broken = |rule| matches!(report.outcome(rule), Outcome::Broken(_));
    // The authority says more than the validator needs to know.
    let asks = is_broken(Rule::SigningKey) || is_broken(Rule::AvailableKeys);
    let (published, failure) = match asks {
        true => match examine(settings, Arc::new(SystemClock)).await {
            Ok(published) => (Some(published), None),
            Err(error) => (None, Some(Causes(&error).to_string())),
        },
        false => (None, None),
    };
    Ok(Judgement {
        authority: validator.authority().url(),
        scope: validator.challenge().full_scope(security::ACCESS_AS_USER),
        report,
        published,
        failure,
    })
}
