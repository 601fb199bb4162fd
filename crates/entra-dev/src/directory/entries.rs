//! The structure of a directory file: one struct for each kind of entry.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{
    object::{object, objects},
    token_issuer::TokenIssuer,
};

use super::{
    app::OptionalClaim, federated_credential::FederatedCredentialEntry,
    managed_identity::IdentityKind,
};

/// A string with its position in the file, so that a fault in it can be reported with its line.
pub(super) type Text = Spanned<String>;

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DirectoryFile {
    #[serde(deserialize_with = "objects")]
    pub(super) tenants: Vec<TenantEntry>,
    #[serde(default, deserialize_with = "objects")]
    pub(super) groups: Vec<GroupEntry>,
    #[serde(default, deserialize_with = "objects")]
    pub(super) people: Vec<PersonEntry>,
    #[serde(default, deserialize_with = "objects")]
    pub(super) apps: Vec<AppEntry>,
}

impl fmt::Debug for DirectoryFile {
    /// The positions in the file are not of interest, and everything else is in the contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryFile").finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantEntry {
    pub(super) id: Text,
    pub(super) name: Text,
    #[serde(default)]
    pub(super) domains: Vec<Text>,
    #[serde(default)]
    pub(super) personal: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupEntry {
    pub(super) id: Text,
    pub(super) name: Text,
    pub(super) tenant: Text,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonEntry {
    pub(super) name: Text,
    pub(super) display_name: Text,
    pub(super) sign_in_name: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<Text>,
    pub(super) oid: Text,
    pub(super) tenant: Text,
    #[serde(default)]
    pub(super) guest: bool,
    #[serde(default)]
    pub(super) administrator: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent_identity: Option<Text>,
    #[serde(default)]
    pub(super) groups: Vec<Text>,
    #[serde(default)]
    pub(super) roles: BTreeMap<Text, Vec<Text>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppEntry {
    pub(super) client_id: Text,
    pub(super) name: Text,
    pub(super) tenant: Text,
    #[serde(default)]
    pub(super) single_tenant: bool,
    #[serde(default)]
    pub(super) added_to: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_id_uri: Option<Spanned<AppIdUris>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_token_version: Option<Spanned<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_issuer: Option<TokenIssuer>,
    #[serde(default)]
    pub(super) own_signing_key: bool,
    #[serde(default)]
    pub(super) scopes: Vec<Text>,
    #[serde(default)]
    pub(super) admin_scopes: Vec<Text>,
    #[serde(default)]
    pub(super) app_roles: Vec<Text>,
    #[serde(default)]
    pub(super) optional_claims: Vec<OptionalClaim>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent_blueprint: Option<Text>,
    #[serde(default)]
    pub(super) inheritable_permissions: Vec<Text>,
    #[serde(default)]
    pub(super) assignment_required: bool,
    #[serde(default)]
    pub(super) consent_required: bool,
    #[serde(default)]
    pub(super) id_token_issuance: bool,
    #[serde(default)]
    pub(super) public_client: bool,
    #[serde(default, deserialize_with = "object")]
    pub(super) redirect_uris: RedirectUris,
    #[serde(default)]
    pub(super) secrets: Vec<Text>,
    #[serde(default)]
    pub(super) expired_secrets: Vec<Text>,
    #[serde(default)]
    pub(super) certificates: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) managed_identity: Option<Spanned<IdentityKind>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource_id: Option<Text>,
    #[serde(default)]
    pub(super) trusted_managed_identities: Vec<Text>,
    #[serde(default, deserialize_with = "objects")]
    pub(super) federated_credentials: Vec<FederatedCredentialEntry>,
    #[serde(default)]
    pub(super) permissions: BTreeMap<Text, Vec<Text>>,
}

/// Most APIs have one App ID URI.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged, expecting = "an app id URI, or a list of them")]
pub(super) enum AppIdUris {
    One(String),
    Several(Vec<String>),
}

impl AppIdUris {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(uri) => std::slice::from_ref(uri),
            Self::Several(uris) => uris,
        }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedirectUris {
    #[serde(default)]
    pub(super) spa: Vec<Text>,
    #[serde(default)]
    pub(super) web: Vec<Text>,
    #[serde(default)]
    pub(super) native: Vec<Text>,
}

/// The strings without their positions.
pub(super) fn strings(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.as_ref().clone()).collect()
}
