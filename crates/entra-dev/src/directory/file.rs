//! The format of a directory file, and every check on it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::de::ValueDeserializer;
use uuid::Uuid;

use super::check::Checks;
use super::entries::{AppEntry, GroupEntry, PersonEntry, TenantEntry, Text};
use super::references::References;
use super::{App, Entries, Fault, json};
use crate::ids::CONSUMERS;

/// Why a directory file is not used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file is missing or unreadable.
    #[error("failed to read the directory file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Something in the file is wrong.
    #[error("the directory file has faults:{}", listed(.0))]
    Faults(Vec<Fault>),
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// What the text, which is TOML, describes, if everything in it is right.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Entries, DirectoryError> {
    check(text, toml::from_str(text), folder)
}

/// The same of JSON.
pub(super) fn parse_json(text: &str, folder: &Path) -> Result<Entries, DirectoryError> {
    let toml = json::to_toml(text).map_err(|fault| DirectoryError::Faults(vec![fault]))?;
    let files = ValueDeserializer::parse(&toml).and_then(<[File; 1]>::deserialize);
    check(&toml, files.map(|[file]| file), folder)
}

fn check(
    source: &str,
    file: Result<File, toml::de::Error>,
    folder: &Path,
) -> Result<Entries, DirectoryError> {
    let mut checks = Checks::of(source);
    let entries = match file {
        Ok(file) => file.check(&mut checks, folder),
        Err(error) => {
            checks.note(error.span().unwrap_or(0..0), error.message());
            Entries::default()
        }
    };
    let faults = checks.into_faults();
    if faults.is_empty() { Ok(entries) } else { Err(DirectoryError::Faults(faults)) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) tenants: Vec<TenantEntry>,
    #[serde(default)]
    pub(super) groups: Vec<GroupEntry>,
    #[serde(default)]
    pub(super) people: Vec<PersonEntry>,
    #[serde(default)]
    pub(super) apps: Vec<AppEntry>,
}

impl File {
    fn check(self, checks: &mut Checks<'_>, folder: &Path) -> Entries {
        self.check_names(checks);
        let references = References::of(&self);
        Entries {
            tenants: self.tenants.iter().map(TenantEntry::to_tenant).map(Arc::new).collect(),
            groups: self.groups.iter().map(|group| group.to_group(&references, checks)).collect(),
            people: (self.people.iter())
                .map(|person| Arc::new(person.to_person(&references, checks)))
                .collect(),
            apps: (self.apps.iter())
                .map(|app| Arc::new(app.to_app(&references, checks, folder)))
                .collect(),
            graph: Arc::new(App::microsoft_graph()),
        }
    }

    /// Ids are GUIDs, and nothing that names something names two things.
    fn check_names(&self, checks: &mut Checks<'_>) {
        let ids = (self.tenants.iter().map(|tenant| &tenant.id))
            .chain(self.groups.iter().map(|group| &group.id))
            .chain(self.people.iter().map(|person| &person.oid))
            .chain(self.apps.iter().map(|app| &app.client_id));
        for id in ids.clone() {
            // The form that tokens carry; `try_parse` takes others too.
            if Uuid::try_parse(id.as_ref()).map(|id| id.to_string()).as_ref() != Ok(id.as_ref()) {
                checks.note(id.span(), "an id is a GUID in lower case with hyphens");
            }
        }
        unique(checks, "id", ids);
        unique(
            checks,
            "tenant",
            self.tenants.iter().flat_map(|t| t.domains.iter().chain([&t.name])),
        );
        unique(checks, "group", self.groups.iter().map(|group| &group.name));
        unique(checks, "app", self.apps.iter().map(|app| &app.name));
        unique(checks, "person", self.people.iter().flat_map(|p| [&p.name, &p.sign_in_name]));
        for tenant in self.tenants.iter().filter(|tenant| tenant.personal) {
            if tenant.id.as_ref() != CONSUMERS {
                let text = format!("the tenant of personal accounts has the id {CONSUMERS}");
                checks.note(tenant.id.span(), text);
            }
        }
        let words = ["common", "organizations", "consumers"];
        for domain in self.tenants.iter().flat_map(|tenant| &tenant.domains) {
            let taken = words.contains(&domain.as_ref().as_str());
            let host = url::Host::parse(domain.as_ref()).map(|host| host.to_string());
            if taken || host.as_ref() != Ok(domain.as_ref()) {
                checks.note(domain.span(), "a domain is a host name in lower case");
            }
        }
    }
}

fn unique<'a>(checks: &mut Checks<'_>, kind: &str, names: impl Iterator<Item = &'a Text>) {
    let mut seen = Vec::<&str>::new();
    for name in names {
        if seen.iter().any(|seen| seen.eq_ignore_ascii_case(name.as_ref())) {
            checks.note(name.span(), format!("there is another {kind} {:?}", name.as_ref()));
        }
        seen.push(name.as_ref());
    }
}
