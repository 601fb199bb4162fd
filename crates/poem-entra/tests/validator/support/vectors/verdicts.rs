//! `vectors/verdicts.json`: what Microsoft's libraries answered to the vectors.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::case::read;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdicts {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "judged")]
    _judged: String,
    #[serde(rename = "versions")]
    _versions: BTreeMap<String, String>,
    /// A list for each file of vectors, in the order of the vectors.
    pub(crate) verdicts: BTreeMap<String, Vec<Verdict>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Verdict {
    Judged(Judged),
    Unjudged(Unjudged),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Judged {
    name: String,
    /// The answer to the token alone; `None` if the case has no meaning without a request. The
    /// attribute makes the field required.
    #[serde(deserialize_with = "Option::deserialize")]
    library: Option<String>,
    /// The answer to the request; `None` if the libraries have no such setting or policy.
    #[serde(deserialize_with = "Option::deserialize")]
    request: Option<String>,
    /// The same with the audiences that Microsoft.Identity.Web accepts without configuration, if
    /// this changes the answer.
    default_audience: Option<String>,
    /// The kind of difference between `request` and the expected outcome, if they differ.
    differs: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unjudged {
    name: String,
    unjudged: bool,
}

impl Verdicts {
    pub(crate) fn read() -> Self {
        read("verdicts.json")
    }
}

impl Verdict {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Judged(judged) => &judged.name,
            Self::Unjudged(unjudged) => &unjudged.name,
        }
    }

    /// Fails if an answer cannot be read, or if `differs` does not say whether Microsoft's answer
    /// differs from the expected outcome.
    pub(crate) fn check(&self, expected: bool) -> Result<(), String> {
        let judged = match self {
            Self::Judged(judged) => judged,
            Self::Unjudged(Unjudged { unjudged: true, .. }) => return Ok(()),
            Self::Unjudged(_) => return Err("unjudged is not true".to_owned()),
        };
        let answers = [&judged.library, &judged.default_audience, &judged.request];
        for answer in answers.into_iter().flatten() {
            accepts(answer).ok_or_else(|| format!("{answer:?} is not an answer"))?;
        }
        let microsoft = judged.request.as_deref().and_then(accepts);
        let differs = microsoft.is_some_and(|accepted| accepted != expected);
        match differs == judged.differs.is_some() {
            true => Ok(()),
            false => Err(format!("Microsoft's answer differs: {differs}")),
        }
    }
}

/// Whether this answer means that the token, or the settings, are accepted. `None` if it is not an
/// answer: `accepted`, `refused` or a status, with the codes of the errors.
fn accepts(answer: &str) -> Option<bool> {
    let mut words = answer.split(' ');
    let accepted = match words.next()? {
        "accepted" | "200" => true,
        "refused" | "401" | "403" => false,
        _ => return None,
    };
    let is_code = |word: &str| word.starts_with("IDX") || word.starts_with("IDW");
    words.all(|word| !accepted && is_code(word)).then_some(accepted)
}
