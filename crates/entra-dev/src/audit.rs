//! The audit trail: the last requests and how they ended.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// The number of requests that are kept; the oldest is removed first.
const CAPACITY: usize = 200;

/// The number of characters that are kept of each text.
pub(crate) const MAX_LENGTH: usize = 400;

/// The last requests. They contain no code, token or secret.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<VecDeque<Entry>>);

/// One request of the audit trail.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The time of the request, in seconds since the epoch.
    pub time: u64,
    /// `authorize`, `adminconsent`, `token`, `devicecode`, `deviceauth`, `userinfo`, `logout`,
    /// `managedidentity` or `graph`.
    pub endpoint: &'static str,
    /// The `{tenant}` segment of the path. Paths of Microsoft Graph and of user information have
    /// none, so there it is the tenant that the access token names.
    pub tenant: String,
    /// The client id as the client sent it: in a parameter, in HTTP Basic credentials, in an
    /// assertion or in an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The `client-request-id` of the client or a random id. Error responses contain it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The grant type, the prompt, the unregistered redirect URI of a logout, the protocol of a
    /// managed identity, or the path below the URL of Microsoft Graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The sign-in name of the person who signed in or tried to, or whom the access token names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The request as it arrived, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RecordedRequest>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A request as it arrived. Codes, tokens, secrets, assertions, cookies and everything else that is
/// not known to be harmless are replaced by their lengths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method, such as `POST`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The header fields that matter to the protocol.
    pub headers: Vec<RecordedField>,
    /// The parameters in the query of a GET or the form of a POST, in the order of the client.
    pub parameters: Vec<RecordedField>,
}

/// A header field or a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordedField {
    /// The name as the client wrote it.
    pub name: String,
    /// The value, or a text such as `(hidden, 43 characters)`.
    pub value: String,
}

impl RecordedRequest {
    /// The value of the first parameter with this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let field = self.parameters.iter().find(|field| field.name == name);
        field.map(|field| field.value.as_str())
    }
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
        /// The number after `AADSTS`. 0 for errors without a number: those of Microsoft Graph,
        /// those of user information, and those of requests for a managed identity that did not
        /// reach Entra.
        aadsts: u32,
        /// The text of the error.
        reason: String,
    },
}

impl Outcome {
    /// The names of all outcomes in JSON.
    pub(crate) const NAMES: [&str; 3] = ["refused", "asked", "granted"];

    /// The name of the outcome in JSON.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Asked => "asked",
            Self::Granted => "granted",
        }
    }
}

impl Entry {
    /// A request to this endpoint of a tenant. The time is added when it is recorded.
    pub(crate) fn new(endpoint: &'static str, tenant: &str, outcome: Outcome) -> Self {
        Self { endpoint, tenant: tenant.to_owned(), outcome, ..Self::default() }
    }

    /// Shortens the texts, which clients can make arbitrarily long, and hides tokens in them.
    fn clean(&mut self) {
        let reason = match &mut self.outcome {
            Outcome::Refused { reason, .. } => Some(reason),
            Outcome::Asked | Outcome::Granted => None,
        };
        let texts = [Some(&mut self.tenant), self.client_id.as_mut(), self.detail.as_mut(), reason];
        for text in texts.into_iter().flatten() {
            *text = hide_queries(text);
            hide_tokens(text);
            shorten(text, MAX_LENGTH);
        }
    }
}

/// Replaces tokens in compact form (RFC 7515, section 7.1) and their beginnings: each starts with
/// an object in base64url. Clients put them where another text should be. What follows the first
/// [`MAX_LENGTH`] characters may be left out.
pub(crate) fn hide_tokens(text: &mut String) {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    // More bytes than MAX_LENGTH characters can have.
    let is_enough = |shown: &str| shown.len() > 4 * MAX_LENGTH;
    let (mut shown, mut rest) = (String::new(), text.as_str());
    while let Some((before, _)) = rest.split_once("eyJ")
        && !is_enough(&shown)
    {
        let token = &rest[before.len()..];
        let length = token.find(|letter| !is_part(letter)).unwrap_or(token.len());
        shown.push_str(before);
        shown.push_str(&hidden(length));
        rest = &token[length..];
    }
    if !is_enough(&shown) {
        shown.push_str(rest);
    }
    *text = shown;
}

/// Hides the values in the query and the fragment of a URI, which may be codes or tokens.
pub(crate) fn hide_query(uri: &str) -> String {
    let Some(at) = uri.find(['?', '#']) else { return uri.to_owned() };
    let (start, query) = uri.split_at(at + 1);
    let hide = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => format!("{name}={}", hidden(value.chars().count())),
        None if pair.is_empty() => String::new(),
        None => hidden(pair.chars().count()),
    };
    let pairs: Vec<_> = query.split('&').take(MAX_LENGTH).map(hide).collect();
    format!("{start}{}", pairs.join("&"))
}

/// Hides the same in the URIs of a text. They end at white space or a quotation mark.
fn hide_queries(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['?', '#']) {
        let end = |letter: char| letter.is_whitespace() || "'\"".contains(letter);
        let length = rest[at..].find(end).unwrap_or(rest.len() - at);
        let (before, query) = rest[..at + length].split_at(at);
        shown.push_str(before);
        match query.contains('=') {
            true => shown.push_str(&hide_query(query)),
            false => shown.push_str(query),
        }
        rest = &rest[at + length..];
    }
    shown + rest
}

/// The text for a value that is not shown. The length helps to find a value that was cut off.
pub(crate) fn hidden(length: usize) -> String {
    let plural = if length == 1 { "" } else { "s" };
    format!("(hidden, {length} character{plural})")
}

/// Cuts a text after this number of characters, and marks the cut.
pub(crate) fn shorten(text: &mut String, length: usize) {
    if let Some((at, _)) = text.char_indices().nth(length) {
        text.truncate(at);
        text.push('…');
    }
}

impl Audit {
    /// Records a request.
    pub(crate) fn record(&self, mut entry: Entry) {
        entry.clean();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The recorded requests, newest first.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().rev().cloned().collect()
    }
}
