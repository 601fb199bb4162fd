//! The format of a directory file, and every check on it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use uuid::Uuid;

use super::check::Checks;
use super::redirect_uri::origin;
use super::{
    App, AppCertificate, Entries, Fault, Group, OptionalClaim, Person, Platform, Scope, Tenant,
};
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

/// What the text describes, if everything in it is right.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Entries, DirectoryError> {
    let mut checks = Checks::of(text);
    let file: File = toml::from_str(text).map_err(|error| {
        checks.note(error.span().unwrap_or(0..0), error.message());
        DirectoryError::Faults(std::mem::replace(&mut checks, Checks::of(text)).into_faults())
    })?;
    let entries = file.check(&mut checks, folder);
    let faults = checks.into_faults();
    if faults.is_empty() { Ok(entries) } else { Err(DirectoryError::Faults(faults)) }
}

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tenants: Vec<TenantEntry>,
    #[serde(default)]
    groups: Vec<GroupEntry>,
    #[serde(default)]
    people: Vec<PersonEntry>,
    #[serde(default)]
    apps: Vec<AppEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantEntry {
    id: Text,
    name: Text,
    #[serde(default)]
    domains: Vec<Text>,
    #[serde(default)]
    personal: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    id: Text,
    name: Text,
    tenant: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonEntry {
    name: Text,
    display_name: String,
    sign_in_name: Text,
    email: Option<String>,
    oid: Text,
    tenant: Text,
    #[serde(default)]
    guest: bool,
    #[serde(default)]
    administrator: bool,
    #[serde(default)]
    groups: Vec<Text>,
    #[serde(default)]
    roles: BTreeMap<Text, Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppEntry {
    client_id: Text,
    name: Text,
    tenant: Text,
    #[serde(default)]
    single_tenant: bool,
    app_id_uri: Option<Text>,
    access_token_version: Option<Spanned<u8>>,
    #[serde(default)]
    scopes: Vec<Text>,
    #[serde(default)]
    admin_scopes: Vec<Text>,
    #[serde(default)]
    app_roles: Vec<Text>,
    #[serde(default)]
    optional_claims: Vec<OptionalClaim>,
    #[serde(default)]
    assignment_required: bool,
    #[serde(default)]
    consent_required: bool,
    #[serde(default)]
    id_token_issuance: bool,
    #[serde(default)]
    public_client: bool,
    #[serde(default)]
    redirect_uris: RedirectUris,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    expired_secrets: Vec<String>,
    #[serde(default)]
    certificates: Vec<Text>,
    #[serde(default)]
    permissions: BTreeMap<Text, Vec<Text>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RedirectUris {
    #[serde(default)]
    spa: Vec<Text>,
    #[serde(default)]
    web: Vec<Text>,
    #[serde(default)]
    native: Vec<Text>,
}

impl File {
    fn check(self, checks: &mut Checks<'_>, folder: &Path) -> Entries {
        self.check_names(checks);
        let index = Index::of(&self);
        Entries {
            tenants: self.tenants.iter().map(TenantEntry::to_tenant).map(Arc::new).collect(),
            groups: self.groups.iter().map(|group| group.to_group(&index, checks)).collect(),
            people: (self.people.iter())
                .map(|person| Arc::new(person.to_person(&index, checks)))
                .collect(),
            apps: (self.apps.iter())
                .map(|app| Arc::new(app.to_app(&index, checks, folder)))
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

/// What a reference can mean: the id or the name of a thing.
struct Index<'a> {
    tenants: Vec<(&'a str, &'a str)>,
    groups: Vec<(&'a str, &'a str)>,
    apps: Vec<(&'a str, &'a str)>,
    roles: BTreeMap<&'a str, &'a [Text]>,
}

impl<'a> Index<'a> {
    fn of(file: &'a File) -> Self {
        fn pair<'a>(id: &'a Text, name: &'a Text) -> (&'a str, &'a str) {
            (id.as_ref(), name.as_ref())
        }
        Self {
            tenants: file.tenants.iter().map(|tenant| pair(&tenant.id, &tenant.name)).collect(),
            groups: file.groups.iter().map(|group| pair(&group.id, &group.name)).collect(),
            apps: file.apps.iter().map(|app| pair(&app.client_id, &app.name)).collect(),
            roles: (file.apps.iter())
                .map(|app| (app.client_id.as_ref().as_str(), app.app_roles.as_slice()))
                .collect(),
        }
    }

    /// The client ids of apps, each with app roles that it declares.
    fn assignments(
        &self,
        checks: &mut Checks<'_>,
        entries: &BTreeMap<Text, Vec<Text>>,
    ) -> BTreeMap<String, Vec<String>> {
        let mut assignments = BTreeMap::new();
        for (app, roles) in entries {
            let client_id = refer(checks, "app", &self.apps, app);
            let declared = self.roles.get(client_id.as_str()).copied().unwrap_or_default();
            for role in roles {
                if !declared.iter().any(|known| known.as_ref() == role.as_ref()) {
                    let text =
                        format!("{:?} declares no app role {:?}", app.as_ref(), role.as_ref());
                    checks.note(role.span(), text);
                }
            }
            assignments.insert(client_id, strings(roles));
        }
        assignments
    }
}

/// The id of what is called so.
fn refer(checks: &mut Checks<'_>, kind: &str, known: &[(&str, &str)], name: &Text) -> String {
    let found = known.iter().find(|(id, title)| id == name.as_ref() || title == name.as_ref());
    match found {
        Some((id, _)) => (*id).to_owned(),
        None => {
            checks.note(name.span(), format!("there is no {kind} {:?}", name.as_ref()));
            String::new()
        }
    }
}

fn strings(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.as_ref().clone()).collect()
}

impl TenantEntry {
    fn to_tenant(&self) -> Tenant {
        Tenant {
            id: self.id.as_ref().clone(),
            name: self.name.as_ref().clone(),
            domains: strings(&self.domains),
            personal: self.personal,
        }
    }
}

impl GroupEntry {
    fn to_group(&self, index: &Index<'_>, checks: &mut Checks<'_>) -> Group {
        Group {
            id: self.id.as_ref().clone(),
            name: self.name.as_ref().clone(),
            tenant: refer(checks, "tenant", &index.tenants, &self.tenant),
        }
    }
}

impl PersonEntry {
    fn to_person(&self, index: &Index<'_>, checks: &mut Checks<'_>) -> Person {
        let sign_in_name = self.sign_in_name.as_ref().clone();
        Person {
            name: self.name.as_ref().clone(),
            display_name: self.display_name.clone(),
            email: self.email.clone().unwrap_or_else(|| sign_in_name.clone()),
            sign_in_name,
            oid: self.oid.as_ref().clone(),
            tenant: refer(checks, "tenant", &index.tenants, &self.tenant),
            guest: self.guest,
            administrator: self.administrator,
            groups: (self.groups.iter())
                .map(|group| refer(checks, "group", &index.groups, group))
                .collect(),
            assignments: index.assignments(checks, &self.roles),
        }
    }
}

impl AppEntry {
    fn to_app(&self, index: &Index<'_>, checks: &mut Checks<'_>, folder: &Path) -> App {
        let version = self.access_token_version.as_ref();
        if let Some(version) = version.filter(|version| !matches!(version.as_ref(), 1 | 2)) {
            checks.note(version.span(), "the version of access tokens is 1 or 2");
        }
        let client_id = self.client_id.as_ref().clone();
        let scope =
            |admin_consent| move |name: &Text| Scope { name: name.as_ref().clone(), admin_consent };
        App {
            name: self.name.as_ref().clone(),
            tenant: refer(checks, "tenant", &index.tenants, &self.tenant),
            single_tenant: self.single_tenant,
            app_id_uri: self.app_id_uri(checks),
            access_token_version: version.map_or(2, |version| *version.as_ref()),
            scopes: (self.scopes.iter().map(scope(false)))
                .chain(self.admin_scopes.iter().map(scope(true)))
                .collect(),
            optional_claims: self.optional_claims.clone(),
            assignment_required: self.assignment_required,
            consent_required: self.consent_required,
            id_token_issuance: self.id_token_issuance,
            public_client: self.public_client,
            redirect_uris: self.redirect_uris.check(checks),
            secrets: self.secrets.clone(),
            expired_secrets: self.expired_secrets.clone(),
            certificates: (self.certificates.iter())
                .filter_map(|certificate| certificate_in(certificate, checks, folder))
                .collect(),
            permissions: index.assignments(checks, &self.permissions),
            client_id,
        }
    }

    fn app_id_uri(&self, checks: &mut Checks<'_>) -> String {
        match &self.app_id_uri {
            None => format!("api://{}", self.client_id.as_ref()),
            Some(uri) => {
                let absolute = url::Url::parse(uri.as_ref()).is_ok();
                if !absolute || uri.as_ref().contains(char::is_whitespace) {
                    checks.note(uri.span(), "an app id URI is absolute: api://..., https://...");
                }
                uri.as_ref().trim_end_matches('/').to_owned()
            }
        }
    }
}

impl RedirectUris {
    fn check(&self, checks: &mut Checks<'_>) -> Vec<(Platform, String)> {
        let platforms = [
            (Platform::SinglePage, &self.spa),
            (Platform::Web, &self.web),
            (Platform::Native, &self.native),
        ];
        let mut checked = Vec::new();
        for (platform, uris) in platforms {
            for uri in uris {
                if origin(uri.as_ref()).is_none() {
                    let text = "a redirect URI is absolute, http or https, ASCII, no fragment";
                    checks.note(uri.span(), text);
                }
                checked.push((platform, uri.as_ref().clone()));
            }
        }
        checked
    }
}

/// The certificate in this text, or in the file that it names.
fn certificate_in(
    certificate: &Text,
    checks: &mut Checks<'_>,
    folder: &Path,
) -> Option<AppCertificate> {
    let text = certificate.as_ref();
    let pem = if text.starts_with("-----BEGIN") {
        text.clone().into_bytes()
    } else {
        match fs::read(folder.join(text)) {
            Ok(pem) => pem,
            Err(error) => {
                checks.note(certificate.span(), format!("failed to read {text:?}: {error}"));
                return None;
            }
        }
    };
    let parsed = AppCertificate::from_pem(&pem);
    if parsed.is_none() {
        checks.note(certificate.span(), "this is no X.509 certificate in PEM");
    }
    parsed
}
