//! Managed identities: service principals whose credentials the platform keeps.

use serde::{Deserialize, Serialize};

use super::{app::App, check::Checks, entries::AppEntry};

/// A managed identity of the Azure resource that the tenant represents
/// (<https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManagedIdentity {
    pub(crate) kind: IdentityKind,
    /// The Azure resource: the claim `xms_mirid`.
    pub(crate) resource_id: String,
}

/// To what a managed identity belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum IdentityKind {
    /// It belongs to one resource.
    SystemAssigned,
    /// It is a resource of its own.
    UserAssigned,
}

impl IdentityKind {
    /// The word in directory files and on pages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SystemAssigned => "system-assigned",
            Self::UserAssigned => "user-assigned",
        }
    }

    /// The resource of an identity with this name whose entry names none.
    fn default_resource_id(self, name: &str) -> String {
        let resource_type = match self {
            Self::SystemAssigned => "Microsoft.Web/sites",
            Self::UserAssigned => "Microsoft.ManagedIdentity/userAssignedIdentities",
        };
        // Names of resources have no spaces.
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        let name = name.replace(|letter| !allowed(letter), "-");
        format!(
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/development\
             /providers/{resource_type}/{name}"
        )
    }
}

impl TryFrom<String> for IdentityKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut kinds = [Self::SystemAssigned, Self::UserAssigned].into_iter();
        kinds.find(|kind| kind.name() == text).ok_or_else(|| {
            format!(
                "{text:?} is not a managed identity: write \"system-assigned\" or \"user-assigned\""
            )
        })
    }
}

impl From<IdentityKind> for String {
    fn from(kind: IdentityKind) -> Self {
        kind.name().to_owned()
    }
}

impl AppEntry {
    /// The managed identity that this app is, if it is one.
    pub(super) fn to_managed_identity(&self, checks: &mut Checks) -> Option<ManagedIdentity> {
        let Some(kind) = &self.managed_identity else {
            if let Some(resource_id) = &self.resource_id {
                let text = "only a managed identity has a resource_id";
                checks.report(resource_id.span(), text);
            }
            return None;
        };
        for field in self.fields_of_registrations() {
            checks.report(kind.span(), format!("a managed identity cannot have {field}"));
        }
        let kind = *kind.as_ref();
        if kind == IdentityKind::SystemAssigned
            && let Some(credential) = self.federated_credentials.first()
        {
            let text = "a system-assigned identity cannot have federated credentials";
            checks.report(credential.issuer.span(), text);
        }
        let resource_id = match &self.resource_id {
            None => kind.default_resource_id(self.name.as_ref()),
            Some(given) => {
                let id: &String = given.as_ref();
                if !id.starts_with("/subscriptions/") || id.contains(char::is_whitespace) {
                    let text = "a resource_id begins with /subscriptions/ and has no spaces";
                    checks.report(given.span(), text);
                }
                id.clone()
            }
        };
        Some(ManagedIdentity { kind, resource_id })
    }

    /// The fields that the entry has and that only app registrations can have.
    fn fields_of_registrations(&self) -> impl Iterator<Item = &'static str> {
        let redirect_uris = &self.redirect_uris;
        let has_redirect_uris = !(redirect_uris.spa.is_empty()
            && redirect_uris.web.is_empty()
            && redirect_uris.native.is_empty());
        let fields = [
            ("access_token_version", self.access_token_version.is_some()),
            ("added_to", !self.added_to.is_empty()),
            ("admin_scopes", !self.admin_scopes.is_empty()),
            ("agent_blueprint", self.agent_blueprint.is_some()),
            ("app_id_uri", self.app_id_uri.is_some()),
            ("app_roles", !self.app_roles.is_empty()),
            ("assignment_required", self.assignment_required),
            ("certificates", !self.certificates.is_empty()),
            ("consent_required", self.consent_required),
            ("expired_secrets", !self.expired_secrets.is_empty()),
            ("id_token_issuance", self.id_token_issuance),
            ("inheritable_permissions", !self.inheritable_permissions.is_empty()),
            ("optional_claims", !self.optional_claims.is_empty()),
            ("own_signing_key", self.own_signing_key),
            ("public_client", self.public_client),
            ("redirect_uris", has_redirect_uris),
            ("scopes", !self.scopes.is_empty()),
            ("secrets", !self.secrets.is_empty()),
            ("token_issuer", self.token_issuer.is_some()),
            ("trusted_managed_identities", !self.trusted_managed_identities.is_empty()),
        ];
        fields.into_iter().filter(|(_, set)| *set).map(|(field, _)| field)
    }
}

/// Checks that each tenant has at most one system-assigned identity, because it represents one
/// resource, and that no two identities have the same resource.
pub(super) fn check_managed_identities<'a>(
    checks: &mut Checks,
    apps: impl Iterator<Item = (&'a AppEntry, &'a App)>,
) {
    let mut seen: Vec<(&App, &ManagedIdentity)> = Vec::new();
    for (entry, app) in apps {
        let Some(identity) = &app.managed_identity else { continue };
        let is_system = |identity: &ManagedIdentity| identity.kind == IdentityKind::SystemAssigned;
        let same_place = |(other, known): &(&App, &ManagedIdentity)| {
            is_system(known) && other.tenant == app.tenant
        };
        if is_system(identity) && seen.iter().any(same_place) {
            let text = "there is another system-assigned identity in this tenant";
            checks.report(entry.client_id.span(), text);
        }
        let same_resource = |(_, known): &(&App, &ManagedIdentity)| {
            known.resource_id.eq_ignore_ascii_case(&identity.resource_id)
        };
        if seen.iter().any(same_resource) {
            let text = format!("there is another resource_id {:?}", identity.resource_id);
            checks.report(entry.name.span(), text);
        }
        seen.push((app, identity));
    }
}
