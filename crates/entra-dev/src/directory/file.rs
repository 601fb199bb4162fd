//! Reads directory files: TOML or JSON with the same structure.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};
use uuid::Uuid;

use crate::ids::CONSUMERS;

use super::{
    check::{Checks, Fault},
    contents::Contents,
    convert::convert,
    entries::{AppEntry, DirectoryFile, Text},
    json,
};

/// Why a directory file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file is missing or unreadable.
    #[error("failed to read the directory file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The file has faults.
    #[error("the directory file has faults:{}", list(.0))]
    Faults(Vec<Fault>),
}

fn list(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// Parses and checks a directory in TOML.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Contents, DirectoryError> {
    let table = DeTable::parse(text).map(|table| {
        let span = table.span();
        Spanned::new(span, DeValue::Table(table.into_inner()))
    });
    check(text, table, folder)
}

/// Parses and checks a directory in JSON.
pub(super) fn parse_json(text: &str, folder: &Path) -> Result<Contents, DirectoryError> {
    let value = json::parse(text).map_err(|fault| DirectoryError::Faults(vec![fault]))?;
    check(text, Ok(value), folder)
}

fn check(
    source: &str,
    value: Result<Spanned<DeValue<'_>>, toml::de::Error>,
    folder: &Path,
) -> Result<Contents, DirectoryError> {
    let mut checks = Checks::new(source);
    let file = value.map(ValueDeserializer::from).and_then(DirectoryFile::deserialize);
    let contents = match file {
        Ok(file) => {
            check_names(&file, &mut checks);
            convert(&file, &mut checks, folder)
        }
        Err(error) => {
            checks.report(error.span().unwrap_or(0..0), error.message());
            Contents::default()
        }
    };
    let faults = checks.into_faults();
    if faults.is_empty() { Ok(contents) } else { Err(DirectoryError::Faults(faults)) }
}

/// Checks that ids are GUIDs, and that no id or name is used twice.
fn check_names(file: &DirectoryFile, checks: &mut Checks<'_>) {
    let ids = (file.tenants.iter().map(|tenant| &tenant.id))
        .chain(file.groups.iter().map(|group| &group.id))
        .chain(file.people.iter().map(|person| &person.oid))
        .chain(file.apps.iter().map(|app| &app.client_id));
    for id in ids.clone() {
        // `try_parse` also accepts forms that tokens never have.
        if Uuid::try_parse(id.as_ref()).map(|id| id.to_string()).as_ref() != Ok(id.as_ref()) {
            checks.report(id.span(), "an id must be a GUID in lower case with hyphens");
        }
    }
    check_unique(checks, "id", ids);
    check_unique(
        checks,
        "tenant",
        file.tenants.iter().flat_map(|t| t.domains.iter().chain([&t.name])),
    );
    check_unique(checks, "group", file.groups.iter().map(|group| &group.name));
    check_unique(checks, "app", file.apps.iter().map(|app| &app.name));
    for app in &file.apps {
        check_unique(checks, "scope", app.scopes.iter().chain(&app.admin_scopes));
    }
    check_app_id_uris(checks, &file.apps);
    check_unique(checks, "person", file.people.iter().flat_map(|p| [&p.name, &p.sign_in_name]));
    for tenant in file.tenants.iter().filter(|tenant| tenant.personal) {
        if tenant.id.as_ref() != CONSUMERS {
            let text = format!("the tenant of personal accounts must have the id {CONSUMERS}");
            checks.report(tenant.id.span(), text);
        }
    }
    let words = ["common", "organizations", "consumers"];
    for domain in file.tenants.iter().flat_map(|tenant| &tenant.domains) {
        let taken = words.contains(&domain.as_ref().as_str());
        let host = url::Host::parse(domain.as_ref()).map(|host| host.to_string());
        if taken || host.as_ref() != Ok(domain.as_ref()) {
            checks.report(domain.span(), "a domain must be a host name in lower case");
        }
    }
}

/// Checks that no App ID URI names two APIs.
fn check_app_id_uris(checks: &mut Checks<'_>, apps: &[AppEntry]) {
    let default = |app: &AppEntry| format!("api://{}", app.client_id.as_ref());
    let mut seen: Vec<_> =
        apps.iter().filter(|app| app.app_id_uri.is_none()).map(default).collect();
    for registered in apps.iter().filter_map(|app| app.app_id_uri.as_ref()) {
        for uri in registered.as_ref().as_slice() {
            let name = uri.trim_end_matches('/');
            if seen.iter().any(|seen| seen.eq_ignore_ascii_case(name)) {
                checks.report(registered.span(), format!("there is another app id URI {uri:?}"));
            }
            seen.push(name.to_owned());
        }
    }
}

fn check_unique<'a>(checks: &mut Checks<'_>, kind: &str, names: impl Iterator<Item = &'a Text>) {
    let mut seen = Vec::<&str>::new();
    for name in names {
        if seen.iter().any(|seen| seen.eq_ignore_ascii_case(name.as_ref())) {
            checks.report(name.span(), format!("there is another {kind} {:?}", name.as_ref()));
        }
        seen.push(name.as_ref());
    }
}
