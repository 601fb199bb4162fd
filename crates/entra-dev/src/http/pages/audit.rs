//! The audit trail: the last requests, newest first, with a filter.

use maud::{Markup, html};

use crate::{
    audit::{Entry, Outcome},
    directory::{Authority, Directory},
    http::audit_filter::AuditFilter,
    timestamp::timestamp,
};

use super::{
    advice::{Refused, advice},
    icon,
    table::{code, id_of},
};

/// The heading.
pub(super) const TITLE: &str = "Audit trail";

const COLUMNS: [&str; 6] = ["Time", "Outcome", "App", "Person", "Request", "Details"];

/// The audit trail of a tenant.
pub(super) struct AuditTrail<'a> {
    pub(super) directory: &'a Directory,
    /// The newest first.
    pub(super) entries: &'a [Entry],
    pub(super) filter: &'a AuditFilter,
    /// What is wrong with the filter.
    pub(super) faults: &'a [String],
    /// The path of the page.
    pub(super) path: &'a str,
    /// The time of the page, in seconds since the epoch.
    pub(super) now: u64,
}

impl AuditTrail<'_> {
    pub(super) fn html(&self) -> Markup {
        let shown: Vec<_> = self.entries.iter().filter(|it| self.filter.admits(it)).collect();
        let id = id_of(TITLE);
        html! {
            h2 id=(id) { (TITLE) }
            @if !self.faults.is_empty() {
                div class="alert" role="alert" {
                    @for fault in self.faults { p { "The filter is wrong: " (fault) "." } }
                }
            }
            (self.form())
            p class="quiet" { (self.count(shown.len())) }
            @if !shown.is_empty() {
                table class="trail" aria-labelledby=(id) {
                    thead {
                        tr {
                            @for column in COLUMNS { th scope="col" { (column) } }
                        }
                    }
                    tbody { @for entry in shown { (self.row(entry)) } }
                }
            }
        }
    }

    /// The filter works without scripts. An empty value means all.
    fn form(&self) -> Markup {
        let AuditFilter { outcome, app, person } = self.filter;
        let outcomes = Outcome::NAMES.map(|name| (name.to_owned(), capitalized(name)));
        html! {
            form method="get" action=(self.path) class="filter" {
                (select("Outcome", "outcome", &outcomes, outcome.as_deref()))
                (select("App", "app", &self.apps(), app.as_deref()))
                (select("Person", "person", &self.people(), person.as_deref()))
                button type="submit" { "Filter" }
                @if !self.filter.is_empty() || !self.faults.is_empty() {
                    a href=(self.path) { "Show all" }
                }
            }
        }
    }

    fn count(&self, shown: usize) -> Markup {
        let all = self.entries.len();
        let refused = self.entries.iter().filter(|entry| entry.outcome.name() == "refused").count();
        html! {
            @if all == 0 {
                "No request has arrived yet."
            } @else if shown == all {
                (all) (if all == 1 { " request; " } else { " requests, newest first; " })
                @match refused {
                    0 => "none was refused",
                    _ => a href={ (self.path) "?outcome=refused" } {
                        (refused) (if refused == 1 { " was refused" } else { " were refused" })
                    }
                }
                ". Times are in UTC."
            } @else {
                (shown) " of " (all) " requests, newest first. Times are in UTC."
            }
        }
    }

    fn row(&self, entry: &Entry) -> Markup {
        let outcome = entry.outcome.name();
        html! {
            tr class=(outcome) {
                th scope="row" { (self.time(entry)) }
                td {
                    span class={ "badge " (outcome) } {
                        (icon::of(&entry.outcome)) (capitalized(outcome))
                    }
                    @if let Outcome::Refused { aadsts: aadsts @ 1.., .. } = entry.outcome {
                        " " span class="number" { "AADSTS" (aadsts) }
                    }
                }
                td data-label="App" { (self.app(entry)) }
                td data-label="Person" { (self.person(entry)) }
                td data-label="Request" {
                    (entry.endpoint) " " span class="quiet" {
                        @if let Some(detail) = &entry.detail { (detail) ", " }
                        (self.tenant(entry))
                    }
                }
                td { (self.details(entry)) }
            }
        }
    }

    /// The time of day, with the date if that is not today.
    fn time(&self, entry: &Entry) -> Markup {
        let (time, now) = (timestamp(entry.time), timestamp(self.now));
        let (date, clock) = time.split_once(' ').unwrap_or_default();
        html! {
            time datetime={ (date) "T" (clock) } title=(time) {
                (clock.trim_end_matches('Z'))
                @if !now.starts_with(date) { " " span class="quiet" { (date) } }
            }
        }
    }

    /// The name of the app, or the client id if no app has it.
    fn app(&self, entry: &Entry) -> Markup {
        let client_id = entry.client_id.as_deref();
        html! {
            @if let Some(client_id) = client_id {
                @if let Some(app) = self.directory.app(client_id) {
                    span title=(client_id) { (app.name) }
                } @else {
                    (code(client_id)) " " span class="quiet" { "not in the directory" }
                }
            }
        }
    }

    fn person(&self, entry: &Entry) -> Markup {
        html! {
            @if let Some(name) = entry.person.as_deref() {
                @if let Ok(person) = self.directory.person(name) {
                    span title={ (name) ", " (person.oid) } { (person.display_name) }
                } @else {
                    (name) " " span class="quiet" { "not in the directory" }
                }
            }
        }
    }

    fn tenant(&self, entry: &Entry) -> Markup {
        html! {
            @match Authority::parse(self.directory, &entry.tenant) {
                Some(Authority::Tenant(tenant)) => span title=(tenant.id) { (tenant.name) },
                _ => (entry.tenant),
            }
        }
    }

    /// The reason of a refusal and, after a click, the request and the ids.
    fn details(&self, entry: &Entry) -> Markup {
        let refused = match &entry.outcome {
            Outcome::Refused { aadsts, reason } => Some((*aadsts, reason)),
            Outcome::Asked | Outcome::Granted => None,
        };
        let oid = entry.person.as_deref().and_then(|name| self.directory.person(name).ok());
        let ids = [
            ("Tenant", Some(entry.tenant.as_str())),
            ("Client id", entry.client_id.as_deref()),
            ("Sign-in name", entry.person.as_deref()),
            ("Object id", oid.map(|person| person.oid.as_str())),
            ("Correlation id", entry.correlation_id.as_deref()),
        ];
        html! {
            @if let Some((_, reason)) = refused { p class="reason" { (reason) } }
            details {
                summary { "Request" }
                @if let Some(request) = &entry.request {
                    pre {
                        (request.method) " " (request.path) "\n"
                        @for field in &request.headers { (field.name) ": " (field.value) "\n" }
                        @if !request.parameters.is_empty() { "\n" }
                        @for field in &request.parameters { (field.name) "=" (field.value) "\n" }
                    }
                    @if let Some((aadsts, _)) = refused {
                        (advice(
                            &Refused {
                                directory: self.directory,
                                tenant: &entry.tenant,
                                client_id: entry.client_id.as_deref(),
                                request,
                            },
                            aadsts,
                        ))
                    }
                }
                dl class="facts" {
                    @for (name, id) in ids {
                        @if let Some(id) = id { dt { (name) } dd { (code(id)) } }
                    }
                }
            }
        }
    }

    /// The apps of the directory, and the client ids of requests that no app has.
    fn apps(&self) -> Vec<(String, String)> {
        let apps = self.directory.apps().iter();
        let known = apps.map(|app| (app.client_id.clone(), app.name.clone()));
        let requested = self.entries.iter().filter_map(|entry| entry.client_id.as_ref());
        with_unknown(known.collect(), requested.filter(|id| self.directory.app(id).is_none()))
    }

    /// The people of the directory, and those who were removed.
    fn people(&self) -> Vec<(String, String)> {
        let people = self.directory.people().iter();
        let known = people.map(|person| (person.sign_in_name.clone(), person.display_name.clone()));
        let recorded = self.entries.iter().filter_map(|entry| entry.person.as_ref());
        let removed = recorded.filter(|name| self.directory.person(name).is_err());
        with_unknown(known.collect(), removed)
    }
}

/// The options, and one for each of these values that have none.
fn with_unknown<'a>(
    mut options: Vec<(String, String)>,
    values: impl Iterator<Item = &'a String>,
) -> Vec<(String, String)> {
    for value in values {
        if options.iter().all(|(known, _)| !known.eq_ignore_ascii_case(value)) {
            options.push((value.clone(), value.clone()));
        }
    }
    options
}

fn select(label: &str, name: &str, options: &[(String, String)], selected: Option<&str>) -> Markup {
    html! {
        label {
            (label) " "
            select name=(name) {
                option value="" { "All" }
                @for (value, text) in options {
                    option value=(value)
                        selected[selected.is_some_and(|it| it.eq_ignore_ascii_case(value))] {
                        (text)
                    }
                }
            }
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
