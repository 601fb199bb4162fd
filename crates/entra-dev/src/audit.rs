use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// How many requests are remembered; the oldest goes first.
const CAPACITY: usize = 200;

/// How many characters of one member are remembered.
const LONGEST: usize = 400;

/// What was asked lately, and why it was refused. Nothing in it is a code, a token or a secret.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<VecDeque<Entry>>);

/// One request of the audit trail.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// When, in seconds since the epoch.
    pub time: u64,
    /// `authorize`, `adminconsent`, `token`, `devicecode`, `deviceauth` or `logout`.
    pub endpoint: &'static str,
    /// The `{tenant}` segment of the path.
    pub tenant: String,
    /// As the client gave it: in a parameter, by HTTP Basic, or in its assertion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The id that the client has given to the request, or got in the answer, if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The grant type, the prompt, or the address that a logout did not go on to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The sign-in name of who is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Somebody is to be asked first: a page was shown.
    #[default]
    Asked,
    /// As wished.
    Granted,
    /// Not as wished.
    Refused {
        /// The number behind `AADSTS`.
        aadsts: u32,
        /// Its text.
        reason: String,
    },
}

impl Entry {
    /// A request to this endpoint of a tenant that ended so; whoever notes it says when.
    pub(crate) fn of(endpoint: &'static str, tenant: &str, outcome: Outcome) -> Self {
        Self { endpoint, tenant: tenant.to_owned(), outcome, ..Self::default() }
    }

    /// Clients choose what stands in here, and may choose it long.
    fn shorten(&mut self) {
        let reason = match &mut self.outcome {
            Outcome::Refused { reason, .. } => Some(reason),
            Outcome::Asked | Outcome::Granted => None,
        };
        let texts = [Some(&mut self.tenant), self.client_id.as_mut(), self.detail.as_mut(), reason];
        for text in texts.into_iter().flatten() {
            if let Some((at, _)) = text.char_indices().nth(LONGEST) {
                text.truncate(at);
                text.push('…');
            }
        }
    }
}

impl Audit {
    /// Remembers a request.
    pub(crate) fn note(&self, mut entry: Entry) {
        entry.shorten();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// What is remembered, the last request first.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().rev().cloned().collect()
    }
}
