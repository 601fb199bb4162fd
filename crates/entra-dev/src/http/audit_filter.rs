//! Which entries of the audit trail are shown.

use crate::{
    audit::{Entry, Outcome, shorten},
    directory::Directory,
};

use super::parameters::Parameters;

/// The query parameters `outcome`, `app` and `person`. Each of them narrows the list.
#[derive(Default)]
pub(super) struct AuditFilter {
    /// One of [`Outcome::NAMES`].
    pub(super) outcome: Option<&'static str>,
    /// A client id.
    pub(super) app: Option<String>,
    /// A sign-in name.
    pub(super) person: Option<String>,
}

impl AuditFilter {
    /// Parses the query. Wrong parts have no effect, and are explained in the second value.
    pub(super) fn parse(
        query: &Parameters,
        directory: &Directory,
        entries: &[Entry],
    ) -> (Self, Vec<String>) {
        let mut filter = Self::default();
        let mut faults = Vec::new();
        let mut seen = Vec::new();
        for (name, value) in query.iter() {
            if seen.contains(&name) {
                faults.push(format!("{} is given more than once", quoted(name)));
                continue;
            }
            seen.push(name);
            let parsed = match name {
                "outcome" => outcome(value).map(|it| filter.outcome = Some(it)),
                "app" => app(value, directory, entries).map(|it| filter.app = Some(it)),
                "person" => person(value, directory, entries).map(|it| filter.person = Some(it)),
                _ => Err(format!(
                    "there is no parameter {}; the parameters are outcome, app and person",
                    quoted(name)
                )),
            };
            faults.extend(parsed.err());
        }
        (filter, faults)
    }

    /// Whether this entry is shown.
    pub(super) fn admits(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, text: &Option<String>| match (wanted, text) {
            (None, _) => true,
            (Some(wanted), Some(text)) => wanted.eq_ignore_ascii_case(text),
            (Some(_), None) => false,
        };
        self.outcome.is_none_or(|outcome| outcome == entry.outcome.name())
            && is(&self.app, &entry.client_id)
            && is(&self.person, &entry.person)
    }

    /// Whether every entry is shown.
    pub(super) fn is_empty(&self) -> bool {
        self.outcome.is_none() && self.app.is_none() && self.person.is_none()
    }
}

fn outcome(value: &str) -> Result<&'static str, String> {
    let known = Outcome::NAMES.into_iter().find(|name| name.eq_ignore_ascii_case(value));
    known.ok_or_else(|| {
        let names = Outcome::NAMES.join(", ");
        format!("there is no outcome {}; choose one of: {names}", quoted(value))
    })
}

/// The client id of an app. Requests may also name one that is not in the directory.
fn app(value: &str, directory: &Directory, entries: &[Entry]) -> Result<String, String> {
    let mut apps = directory.apps().iter();
    let known = apps.find(|app| app.client_id.eq_ignore_ascii_case(value) || app.name == value);
    if let Some(app) = known {
        return Ok(app.client_id.clone());
    }
    let mut requested = entries.iter().filter_map(|entry| entry.client_id.as_deref());
    let requested = requested.find(|client_id| client_id.eq_ignore_ascii_case(value));
    requested.map(str::to_owned).ok_or_else(|| {
        let names: Vec<_> = directory.apps().iter().map(|app| app.name.as_str()).collect();
        let names = names.join(", ");
        format!(
            "no app and no request has the name or client id {}; choose one of: {names}",
            quoted(value)
        )
    })
}

/// The sign-in name of a person, who may have been removed since.
fn person(value: &str, directory: &Directory, entries: &[Entry]) -> Result<String, String> {
    let unknown = match directory.person(value) {
        Ok(person) => return Ok(person.sign_in_name.clone()),
        Err(unknown) => unknown,
    };
    let mut recorded = entries.iter().filter_map(|entry| entry.person.as_deref());
    let recorded = recorded.find(|name| name.eq_ignore_ascii_case(value));
    recorded.map(str::to_owned).ok_or_else(|| {
        format!("there is no person {}; choose one of: {}", quoted(value), unknown.known)
    })
}

/// A text of the client in quotes, cut if it is long.
fn quoted(text: &str) -> String {
    let mut text = text.to_owned();
    shorten(&mut text, 100);
    format!("{text:?}")
}
