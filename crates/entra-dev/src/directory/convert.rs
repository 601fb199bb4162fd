//! Converts the entries of a directory file, reporting every fault in them.

use std::{collections::HashSet, sync::Arc};

use super::{
    app::{App, Platform, Scope},
    app_id_uri,
    certificate::AppCertificate,
    check::Checks,
    contents::Contents,
    entries::{
        AppEntry, DirectoryFile, GroupEntry, PersonEntry, RedirectUris, TenantEntry, Text, strings,
    },
    managed_identity::check_managed_identities,
    microsoft,
    person::Person,
    redirect_uri::origin,
    references::References,
    tenant::{Group, Tenant},
};

/// The contents of the directory. Certificates are in PEM already.
pub(super) fn convert(file: DirectoryFile, checks: &mut Checks) -> Contents {
    let references = References::new(&file);
    let contents = Contents {
        tenants: file.tenants.iter().map(TenantEntry::to_tenant).map(Arc::new).collect(),
        groups: file.groups.iter().map(|group| group.to_group(&references, checks)).collect(),
        people: (file.people.iter())
            .map(|person| Arc::new(person.to_person(&references, checks)))
            .collect(),
        apps: (file.apps.iter()).map(|app| Arc::new(app.to_app(&references, checks))).collect(),
        graph: Arc::new(microsoft::graph()),
        token_exchange: Arc::new(microsoft::token_exchange()),
        file: DirectoryFile::default(),
    };
    check_user_accounts(&file, &contents.people, checks);
    let apps = contents.apps.iter().map(Arc::as_ref);
    check_managed_identities(checks, file.apps.iter().zip(apps));
    Contents { file, ..contents }
}

/// Checks that no agent has two user accounts.
fn check_user_accounts(file: &DirectoryFile, people: &[Arc<Person>], checks: &mut Checks) {
    let mut seen = HashSet::new();
    for (entry, person) in file.people.iter().zip(people) {
        if let (Some(name), Some(agent)) = (&entry.agent_identity, &person.agent_identity)
            && !seen.insert(agent)
        {
            let text = format!("{:?} has another user account already", name.as_ref());
            checks.report(name.span(), text);
        }
    }
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
    fn to_group(&self, references: &References<'_>, checks: &mut Checks) -> Group {
        Group {
            id: self.id.as_ref().clone(),
            name: self.name.as_ref().clone(),
            tenant: references.tenant(checks, &self.tenant),
        }
    }
}

impl PersonEntry {
    fn to_person(&self, references: &References<'_>, checks: &mut Checks) -> Person {
        let sign_in_name = self.sign_in_name.as_ref().clone();
        references.check_roles_of_person(checks, &self.roles);
        let tenant = references.tenant(checks, &self.tenant);
        Person {
            name: self.name.as_ref().clone(),
            display_name: self.display_name.as_ref().clone(),
            email: self.email.as_ref().map_or(&sign_in_name, Text::as_ref).clone(),
            sign_in_name,
            oid: self.oid.as_ref().clone(),
            guest: self.guest,
            administrator: self.administrator,
            agent_identity: (self.agent_identity.as_ref())
                .map(|name| references.agent(checks, name, &tenant)),
            groups: references.groups(checks, &self.groups),
            assignments: references.assignments(checks, &self.roles, Some(&tenant)),
            tenant,
        }
    }
}

impl AppEntry {
    fn to_app(&self, references: &References<'_>, checks: &mut Checks) -> App {
        let version = self.access_token_version.as_ref();
        if let Some(version) = version.filter(|version| !matches!(version.as_ref(), 1 | 2)) {
            checks.report(version.span(), "the version of access tokens must be 1 or 2");
        }
        if let Some(tenant) = self.added_to.first().filter(|_| self.single_tenant) {
            checks.report(tenant.span(), "a single-tenant app cannot be added to other tenants");
        }
        let client_id = self.client_id.as_ref().clone();
        let tenant = references.tenant(checks, &self.tenant);
        self.check_agent(checks);
        // Agents and managed identities are in one tenant only.
        let single_tenant =
            self.single_tenant || self.agent_blueprint.is_some() || self.managed_identity.is_some();
        let only_tenant = single_tenant.then_some(tenant.as_str());
        let scope =
            |admin_consent| move |name: &Text| Scope { name: name.as_ref().clone(), admin_consent };
        App {
            name: self.name.as_ref().clone(),
            single_tenant,
            added_to: (self.added_to.iter())
                .map(|tenant| references.tenant(checks, tenant))
                .collect(),
            app_id_uris: self.app_id_uris(checks),
            access_token_version: version.map_or(2, |version| *version.as_ref()),
            token_issuer: self.token_issuer.clone(),
            own_signing_key: self.own_signing_key,
            scopes: (self.scopes.iter().map(scope(false)))
                .chain(self.admin_scopes.iter().map(scope(true)))
                .collect(),
            app_roles: strings(&self.app_roles),
            optional_claims: self.optional_claims.clone(),
            agent_blueprint: (self.agent_blueprint.as_ref())
                .map(|name| references.blueprint(checks, name, &tenant)),
            inheritable_permissions: (self.inheritable_permissions.iter())
                .map(|name| references.api(checks, name))
                .collect(),
            assignment_required: self.assignment_required,
            consent_required: self.consent_required,
            id_token_issuance: self.id_token_issuance,
            public_client: self.public_client,
            redirect_uris: self.redirect_uris.check(checks),
            secrets: strings(&self.secrets),
            expired_secrets: strings(&self.expired_secrets),
            certificates: (self.certificates.iter())
                .filter_map(|certificate| AppCertificate::from_pem(certificate.as_ref().as_bytes()))
                .collect(),
            federated_credentials: self.to_federated_credentials(checks),
            trusted_managed_identities: (self.trusted_managed_identities.iter())
                .map(|name| references.managed_identity(checks, name, &tenant))
                .collect(),
            managed_identity: self.to_managed_identity(checks),
            permissions: references.assignments(checks, &self.permissions, only_tenant),
            client_id,
            tenant,
        }
    }

    /// Checks that an agent has nothing that only other apps can have.
    fn check_agent(&self, checks: &mut Checks) {
        let Some(blueprint) = &self.agent_blueprint else { return };
        let RedirectUris { spa, web, native } = &self.redirect_uris;
        let has_credentials = !(self.secrets.is_empty()
            && self.expired_secrets.is_empty()
            && self.certificates.is_empty()
            && self.federated_credentials.is_empty()
            && self.trusted_managed_identities.is_empty()
            && self.managed_identity.is_none());
        for (is_wrong, text) in [
            (has_credentials, "an agent has no credentials: its blueprint authenticates for it"),
            (
                self.public_client || ![spa, web, native].iter().all(|uris| uris.is_empty()),
                "nobody signs in to an agent: it has no redirect URIs and is not a public client",
            ),
            (!self.added_to.is_empty(), "an agent is in one tenant only: it has no added_to"),
            (
                !self.inheritable_permissions.is_empty(),
                "an agent has no agents that could inherit permissions: its blueprint has \
                 inheritable_permissions",
            ),
        ] {
            if is_wrong {
                checks.report(blueprint.span(), text);
            }
        }
    }

    fn app_id_uris(&self, checks: &mut Checks) -> Vec<String> {
        let Some(registered) = &self.app_id_uri else {
            if self.managed_identity.is_some() {
                return Vec::new();
            }
            return vec![format!("api://{}", self.client_id.as_ref())];
        };
        let uris = registered.as_ref().as_slice();
        if uris.is_empty() {
            checks.report(registered.span(), "an API needs at least one app id URI");
        }
        if !uris.iter().all(|uri| app_id_uri::is_valid(uri)) {
            let text = "an app id URI must be absolute, such as api://... or https://...";
            checks.report(registered.span(), text);
        }
        uris.to_vec()
    }
}

impl RedirectUris {
    fn check(&self, checks: &mut Checks) -> Vec<(Platform, String)> {
        let platforms = [
            (Platform::SinglePage, &self.spa),
            (Platform::Web, &self.web),
            (Platform::Native, &self.native),
        ];
        let mut checked = Vec::new();
        for (platform, uris) in platforms {
            for uri in uris {
                if origin(uri.as_ref()).is_none() {
                    let text = "a redirect URI must be absolute, with http or https, in ASCII and \
                                without a fragment";
                    checks.report(uri.span(), text);
                }
                checked.push((platform, uri.as_ref().clone()));
            }
        }
        checked
    }
}
