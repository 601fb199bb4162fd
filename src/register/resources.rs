//! Resources of Microsoft Graph v1.0, with the members that a registration needs.
//!
//! A collection is replaced as a whole by a change, so its entries keep the members that are not
//! named here. Members that are null are left out: [`without_nulls`].

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::objects::Objects;

use super::wanted::Audience;

/// An app registration
/// (<https://learn.microsoft.com/graph/api/resources/application?view=graph-rest-1.0>).
/// Serialized, it is a manifest without secrets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Application {
    /// The object id, which is in the path of changes.
    pub id: String,
    /// The client id.
    pub app_id: String,
    /// The name that people see. It need not be unique.
    pub display_name: String,
    /// The alternate key. Only registrations that were created with it have one.
    pub unique_name: Option<String>,
    pub(super) sign_in_audience: String,
    pub(super) identifier_uris: Vec<String>,
    pub(super) app_roles: Vec<AppRole>,
    pub(super) api: Api,
    pub(super) spa: Spa,
    pub(super) optional_claims: OptionalClaims,
    pub(super) required_resource_access: Vec<RequiredResource>,
    #[serde(skip_serializing)]
    pub(super) password_credentials: Vec<PasswordCredential>,
}

impl Application {
    /// Whose accounts may sign in. `None` if it is only personal accounts, which `register` never
    /// sets.
    pub fn audience(&self) -> Option<Audience> {
        Audience::parse(&self.sign_in_audience)
    }
}

/// A change of an app registration. Members that are `None` keep their value.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sign_in_audience: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identifier_uris: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<ApiChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_roles: Option<Vec<AppRole>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spa: Option<Spa>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) optional_claims: Option<OptionalClaims>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) required_resource_access: Option<Vec<RequiredResource>>,
}

/// The part of a registration that is about the tokens for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Api {
    pub(super) requested_access_token_version: Option<u8>,
    pub(super) oauth2_permission_scopes: Vec<PermissionScope>,
    pub(super) pre_authorized_applications: Vec<PreAuthorizedApplication>,
    pub(super) known_client_applications: Vec<String>,
}

/// A change of [`Api`]. Members that are `None` keep their value.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requested_access_token_version: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oauth2_permission_scopes: Option<Vec<PermissionScope>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pre_authorized_applications: Option<Vec<PreAuthorizedApplication>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) known_client_applications: Option<Vec<String>>,
}

/// A scope.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PermissionScope {
    pub(super) id: String,
    pub(super) value: String,
    /// `User` if users may consent, otherwise `Admin`.
    pub(super) r#type: String,
    pub(super) is_enabled: bool,
    pub(super) admin_consent_display_name: String,
    pub(super) admin_consent_description: String,
    pub(super) user_consent_display_name: String,
    pub(super) user_consent_description: String,
    /// Where the scope is defined. Must not be in a request.
    #[serde(skip_serializing)]
    pub(super) origin: Option<String>,
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

/// An app role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AppRole {
    pub(super) id: String,
    /// A role may have no value. It is in no token then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<String>,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) allowed_member_types: Vec<String>,
    pub(super) is_enabled: bool,
    /// Where the role is defined. Must not be in a request.
    #[serde(skip_serializing)]
    pub(super) origin: Option<String>,
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

/// A client whose users are not asked for consent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PreAuthorizedApplication {
    pub(super) app_id: String,
    pub(super) delegated_permission_ids: Vec<String>,
}

/// The part of a registration that is about single-page applications.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spa {
    pub(super) redirect_uris: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OptionalClaims {
    pub(super) access_token: Vec<OptionalClaim>,
    /// The claims in other tokens.
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OptionalClaim {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

/// The permissions of one API that a client requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RequiredResource {
    pub(super) resource_app_id: String,
    pub(super) resource_access: Vec<ResourceAccess>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ResourceAccess {
    pub(super) id: String,
    /// `Scope` or `Role`.
    pub(super) r#type: String,
}

/// A secret, without its value.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PasswordCredential {
    pub(super) key_id: String,
    pub(super) display_name: String,
}

/// An application in a tenant
/// (<https://learn.microsoft.com/graph/api/resources/serviceprincipal?view=graph-rest-1.0>).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ServicePrincipal {
    /// The object id.
    pub id: String,
}

/// The consent of an administrator
/// (<https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant?view=graph-rest-1.0>).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) client_id: String,
    /// `AllPrincipals` if it is for everybody in the tenant.
    pub(super) consent_type: String,
    pub(super) resource_id: String,
    /// The names of scopes, separated by spaces.
    pub(super) scope: String,
}

/// The type of a consent for everybody in the tenant.
pub(super) const ALL_PRINCIPALS: &str = "AllPrincipals";

impl Grant {
    /// Whether it lets this client call this API for everybody in the tenant. Both are object ids
    /// of service principals.
    pub(super) fn is_for_all(&self, client: &str, api: &str) -> bool {
        self.client_id == client && self.resource_id == api && self.consent_type == ALL_PRINCIPALS
    }
}

/// An app role that a user, group or app has
/// (<https://learn.microsoft.com/graph/api/resources/approleassignment?view=graph-rest-1.0>).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Assignment {
    pub(super) principal_id: String,
    pub(super) app_role_id: String,
}

/// A person in the tenant.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct User {
    /// The object id.
    pub id: String,
    /// The sign-in name.
    pub user_principal_name: String,
}

/// The tenant.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Organization {
    /// The tenant id.
    pub id: String,
    /// The name of the tenant.
    pub display_name: String,
    pub(super) verified_domains: Vec<VerifiedDomain>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct VerifiedDomain {
    pub(super) name: String,
}

impl Organization {
    /// Whether the tenant has this id or domain.
    pub fn is_named(&self, name: &str) -> bool {
        let mut domains = self.verified_domains.iter();
        self.id.eq_ignore_ascii_case(name)
            || domains.any(|domain| domain.name.eq_ignore_ascii_case(name))
    }

    /// A domain of the tenant.
    pub fn domain(&self) -> Option<&str> {
        self.verified_domains.first().map(|domain| domain.name.as_str())
    }
}

/// Reads a resource. Graph writes null for what is not set.
///
/// # Errors
///
/// If the value or one of its members has another type than Graph documents.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
    T::deserialize(Objects(without_nulls(value)))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let set = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(set.map(|(name, member)| (name, without_nulls(member))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
