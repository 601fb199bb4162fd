//! The audit trail: the last requests and how they ended.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// The number of requests that are kept; the oldest is removed first.
const CAPACITY: usize = 200;

/// The number of characters that are kept of each text.
const MAX_LENGTH: usize = 400;

/// The last requests. They contain no code, token or secret.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<VecDeque<Entry>>);

/// One request of the audit trail.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The time of the request, in seconds since the epoch.
    pub time: u64,
    /// `authorize`, `adminconsent`, `token`, `devicecode`, `deviceauth`, `logout` or
    /// `managedidentity`.
    pub endpoint: &'static str,
    /// The `{tenant}` segment of the path.
    pub tenant: String,
    /// The client id as the client sent it: in a parameter, in HTTP Basic credentials or in an
    /// assertion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The `client-request-id` of the client or a random id. Error responses contain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The grant type, the prompt, the unregistered redirect URI of a logout, or the protocol of a
    /// managed identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The sign-in name of the person.
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
    /// The person must act first: a page was shown, or a device got its codes.
    #[default]
    Asked,
    /// The request succeeded.
    Granted,
    /// The request was refused.
    Refused {
        /// The number after `AADSTS`; 0 if the request for a managed identity did not get as far as
        /// Entra.
        aadsts: u32,
        /// The text of the error.
        reason: String,
    },
}

impl Entry {
    /// A request to this endpoint of a tenant. The time is added when it is recorded.
    pub(crate) fn new(endpoint: &'static str, tenant: &str, outcome: Outcome) -> Self {
        Self { endpoint, tenant: tenant.to_owned(), outcome, ..Self::default() }
    }

    /// Shortens the texts, which clients can make arbitrarily long.
    fn shorten(&mut self) {
        let reason = match &mut self.outcome {
            Outcome::Refused { reason, .. } => Some(reason),
            Outcome::Asked | Outcome::Granted => None,
        };
        let texts = [Some(&mut self.tenant), self.client_id.as_mut(), self.detail.as_mut(), reason];
        for text in texts.into_iter().flatten() {
            if let Some((at, _)) = text.char_indices().nth(MAX_LENGTH) {
                text.truncate(at);
                text.push('…');
            }
        }
    }
}

impl Audit {
    /// Records a request.
    pub(crate) fn record(&self, mut entry: Entry) {
        entry.shorten();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The recorded requests, the newest first.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().rev().cloned().collect()
    }
}
