//! Reads directory files: TOML or JSON with the same structure.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};
use uuid::Uuid;

use crate::{ids::CONSUMERS, object::object};

use super::{
    certificate::AppCertificate,
    check::{Checks, Fault, Finding},
    contents::Contents,
    convert::convert,
    entries::{AppEntry, DirectoryFile, Text},
    json, microsoft,
    texts::check_texts,
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
pub(super) fn parse(text: &str, folder: Option<&Path>) -> Result<Contents, DirectoryError> {
    let table = DeTable::parse(text).map(|table| {
        let span = table.span();
        Spanned::new(span, DeValue::Table(table.into_inner()))
    });
    check(table, folder).map_err(|findings| in_file(text, findings))
}

/// Parses and checks a directory in JSON.
pub(super) fn parse_json(text: &str, folder: &Path) -> Result<Contents, DirectoryError> {
    let contents = json::parse(text).map_err(|finding| vec![finding]);
    let contents = contents.and_then(|value| check(Ok(value), Some(folder)));
    contents.map_err(|findings| in_file(text, findings))
}

fn in_file(text: &str, findings: Vec<Finding>) -> DirectoryError {
    DirectoryError::Faults(findings.into_iter().map(|finding| finding.into_fault(text)).collect())
}

/// Checks a directory. Paths of certificates are relative to `folder`; without one, they are
/// refused.
pub(super) fn check(
    value: Result<Spanned<DeValue<'_>>, toml::de::Error>,
    folder: Option<&Path>,
) -> Result<Contents, Vec<Finding>> {
    let mut checks = Checks::default();
    let file = value.map(ValueDeserializer::from).and_then(object::<DirectoryFile, _>);
    let contents = match file {
        Ok(mut file) => {
            check_texts(&file, &mut checks);
            check_names(&file, &mut checks);
            for app in &mut file.apps {
                app.certificates.retain_mut(|path| read_certificate(path, &mut checks, folder));
            }
            convert(file, &mut checks)
        }
        Err(error) => {
            checks.report(error.span().unwrap_or(0..0), error.message());
            Contents::default()
        }
    };
    let findings = checks.into_findings();
    if findings.is_empty() { Ok(contents) } else { Err(findings) }
}

/// Replaces the path of a certificate by the certificate in PEM, without anything else that is in
/// the file. Returns whether that was possible.
fn read_certificate(certificate: &mut Text, checks: &mut Checks, folder: Option<&Path>) -> bool {
    let path = certificate.as_ref();
    let read = match folder {
        _ if path.starts_with("-----BEGIN") => Ok(path.clone().into_bytes()),
        Some(folder) => {
            fs::read(folder.join(path)).map_err(|error| format!("failed to read {path:?}: {error}"))
        }
        // Nobody who changes a running tenant may read its files.
        None => Err("a certificate must be PEM text here, not the path of a file".to_owned()),
    };
    let parsed = read.and_then(|pem| {
        let parsed = AppCertificate::from_pem(&pem);
        parsed.ok_or_else(|| "this is not an X.509 certificate in PEM".to_owned())
    });
    match parsed {
        Ok(parsed) => {
            *certificate = Spanned::new(certificate.span(), parsed.to_pem());
            true
        }
        Err(text) => {
            checks.report(certificate.span(), text);
            false
        }
    }
}

/// Checks that ids are GUIDs, and that no id or name is used twice.
fn check_names(file: &DirectoryFile, checks: &mut Checks) {
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
    check_not_microsoft(checks, &file.apps);
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
fn check_app_id_uris(checks: &mut Checks, apps: &[AppEntry]) {
    let default = |app: &AppEntry| format!("api://{}", app.client_id.as_ref());
    let of_microsoft = microsoft::all().into_iter().flat_map(|app| app.app_id_uris);
    let mut seen: HashSet<_> = (apps.iter().filter(|app| app.app_id_uri.is_none()).map(default))
        .chain(of_microsoft.map(|uri| uri.to_ascii_lowercase()))
        .collect();
    for registered in apps.iter().filter_map(|app| app.app_id_uri.as_ref()) {
        for uri in registered.as_ref().as_slice() {
            let name = uri.trim_end_matches('/');
            if !seen.insert(name.to_ascii_lowercase()) {
                checks.report(registered.span(), format!("there is another app id URI {uri:?}"));
            }
        }
    }
}

/// Checks that no app has the id or the name of an API of Microsoft, which is in every directory.
fn check_not_microsoft(checks: &mut Checks, apps: &[AppEntry]) {
    for known in microsoft::all() {
        for name in apps.iter().flat_map(|app| [&app.client_id, &app.name]) {
            if [&known.client_id, &known.name]
                .iter()
                .any(|it| it.eq_ignore_ascii_case(name.as_ref()))
            {
                let text = format!("{:?} is in every directory already", known.name);
                checks.report(name.span(), text);
            }
        }
    }
}

fn check_unique<'a>(checks: &mut Checks, kind: &str, names: impl Iterator<Item = &'a Text>) {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name.as_ref().to_ascii_lowercase()) {
            checks.report(name.span(), format!("there is another {kind} {:?}", name.as_ref()));
        }
    }
}
