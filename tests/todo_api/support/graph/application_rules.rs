//! What Graph requires of an application beyond the types.

use std::collections::HashSet;

use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{identifier_uris, refusal::Refusal};

/// What the rules need to know about the tenant.
pub(super) struct Surroundings {
    pub(super) verified_domains: Vec<String>,
    /// The identifier URIs of other applications.
    pub(super) taken_uris: HashSet<String>,
    pub(super) client_ids: HashSet<String>,
}

/// Clients of Microsoft that every tenant knows: the Azure CLI and Azure PowerShell.
const MICROSOFTS_CLIENTS: [&str; 2] =
    ["04b07795-8ddb-461a-bbee-02f9e1bf7b46", "1950a258-227b-4e31-a9cf-717495945fc2"];

impl Surroundings {
    /// Checks a new or changed application, and adds the defaults of roles, scopes and claims.
    /// `visible` is the version that a replica has.
    pub(super) fn check(
        &self,
        before: Option<&Value>,
        visible: Option<&Value>,
        after: &mut Value,
    ) -> Result<(), Refusal> {
        if after["displayName"].as_str().is_none_or(|name| name.is_empty() || name.len() > 256) {
            return Err(Refusal::invalid_value("displayName", "is invalid."));
        }
        check_audience(after)?;
        check_roles(&mut after["appRoles"])?;
        check_scopes(&mut after["api"]["oauth2PermissionScopes"])?;
        for (property, path) in ENTITLEMENTS {
            let before = before.and_then(|before| before.pointer(path));
            check_removed(property, before, after.pointer(path).unwrap())?;
        }
        self.check_pre_authorized(before.and(visible), after)?;
        self.check_known_clients(after)?;
        self.check_uris(before, after)?;
        check_redirect_uris(after)?;
        check_required_access(&after["requiredResourceAccess"])?;
        check_optional_claims(&mut after["optionalClaims"])
    }

    /// A pre-authorized scope must exist before the request that pre-authorizes it: a request
    /// cannot add both. <https://learn.microsoft.com/graph/api/resources/preauthorizedapplication>
    fn check_pre_authorized(&self, visible: Option<&Value>, after: &Value) -> Result<(), Refusal> {
        const IDS: &str = "api.preAuthorizedApplications.delegatedPermissionIds";
        const UNKNOWN: &str =
            "has a Permission Id that cannot be found in the AppPermissions sets.";
        let scopes = |application: &Value| -> HashSet<Value> {
            let scopes = list(&application["api"]["oauth2PermissionScopes"]);
            scopes.iter().map(|scope| scope["id"].clone()).collect()
        };
        let (before, now) = (visible.map(scopes).unwrap_or_default(), scopes(after));
        let clients = list(&after["api"]["preAuthorizedApplications"]);
        unique("api.preAuthorizedApplications.appId", clients.iter().map(|it| &it["appId"]))?;
        for client in clients {
            self.check_exists("api.preAuthorizedApplications.appId", &client["appId"])?;
            let ids = list(&client["delegatedPermissionIds"]);
            let is_known = |id: &Value| before.contains(id) && now.contains(id);
            if ids.is_empty() || !ids.iter().all(is_known) {
                return Err(Refusal::invalid_value(IDS, UNKNOWN).with_details("InvalidValue", IDS));
            }
        }
        Ok(())
    }

    /// The documentation does not say whether the client must exist.
    fn check_known_clients(&self, after: &Value) -> Result<(), Refusal> {
        const PROPERTY: &str = "api.knownClientApplications";
        let clients = list(&after["api"]["knownClientApplications"]);
        unique(PROPERTY, clients.iter())?;
        clients.iter().try_for_each(|client| self.check_exists(PROPERTY, client))
    }

    fn check_exists(&self, property: &str, client: &Value) -> Result<(), Refusal> {
        let id = client.as_str().unwrap_or_default();
        match self.client_ids.contains(id) || MICROSOFTS_CLIENTS.contains(&id) {
            true => Ok(()),
            false => Err(Refusal::invalid_value(property, "references an unknown application.")),
        }
    }

    /// Only URIs that a request adds are checked:
    /// <https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions>.
    fn check_uris(&self, before: Option<&Value>, after: &Value) -> Result<(), Refusal> {
        let uris = list(&after["identifierUris"]);
        unique("identifierUris", uris.iter())?;
        let kept = before.map_or(&[][..], |before| list(&before["identifierUris"]));
        for uri in uris.iter().filter(|uri| !kept.contains(uri)) {
            let uri = uri.as_str().unwrap();
            if self.taken_uris.contains(uri) {
                return Err(Refusal::conflict("identifierUris"));
            }
            let client = after["appId"].as_str().unwrap();
            // A new application cannot contain its own id, which the client does not know yet.
            let client = before.map_or("", |_| client);
            identifier_uris::check(uri, client, &self.verified_domains)?;
        }
        Ok(())
    }
}

const ENTITLEMENTS: [(&str, &str); 2] =
    [("appRoles", "/appRoles"), ("api.oauth2PermissionScopes", "/api/oauth2PermissionScopes")];

/// <https://learn.microsoft.com/entra/identity-platform/supported-accounts-validation> and
/// <https://learn.microsoft.com/graph/api/resources/apiapplication>
fn check_audience(application: &Value) -> Result<(), Refusal> {
    let audience = application["signInAudience"].as_str().unwrap_or_default();
    let version = &application["api"]["requestedAccessTokenVersion"];
    if !version.is_null() && *version != 1 && *version != 2 {
        return Err(Refusal::invalid_value("api.requestedAccessTokenVersion", "is invalid."));
    }
    match audience {
        "AzureADMyOrg" | "AzureADMultipleOrgs" => Ok(()),
        "AzureADandPersonalMicrosoftAccount" | "PersonalMicrosoftAccount" if *version == 2 => {
            Ok(())
        }
        "AzureADandPersonalMicrosoftAccount" | "PersonalMicrosoftAccount" => {
            let property = "api.requestedAccessTokenVersion";
            Err(Refusal::invalid_value(property, "is invalid. It must be 2 for this audience."))
        }
        _ => Err(Refusal::invalid_value("signInAudience", "has an invalid value.")),
    }
}

/// <https://learn.microsoft.com/graph/api/resources/approle>
fn check_roles(roles: &mut Value) -> Result<(), Refusal> {
    for role in roles.as_array_mut().into_iter().flatten() {
        add_default(role, "isEnabled", json!(true));
        // Read-only; it must not be in a request.
        add_default(role, "origin", json!("Application"));
        check_entitlement("appRoles", role, &["displayName", "description"])?;
        let types = list(&role["allowedMemberTypes"]);
        if types.is_empty() || !types.iter().all(|it| *it == "User" || *it == "Application") {
            return Err(Refusal::invalid_value("appRoles.allowedMemberTypes", "is invalid."));
        }
    }
    unique("appRoles.id", list(roles).iter().map(|role| &role["id"]))?;
    unique("appRoles.value", list(roles).iter().map(|role| &role["value"]))
}

/// <https://learn.microsoft.com/graph/api/resources/permissionscope>
fn check_scopes(scopes: &mut Value) -> Result<(), Refusal> {
    const TEXTS: &[&str] = &["adminConsentDisplayName", "adminConsentDescription"];
    for scope in scopes.as_array_mut().into_iter().flatten() {
        add_default(scope, "isEnabled", json!(true));
        add_default(scope, "userConsentDisplayName", Value::Null);
        add_default(scope, "userConsentDescription", Value::Null);
        check_entitlement("api.oauth2PermissionScopes", scope, TEXTS)?;
        if scope["value"].is_null() || (scope["type"] != "User" && scope["type"] != "Admin") {
            return Err(Refusal::invalid_value("api.oauth2PermissionScopes", "is invalid."));
        }
    }
    unique("api.oauth2PermissionScopes.id", list(scopes).iter().map(|scope| &scope["id"]))?;
    unique("api.oauth2PermissionScopes.value", list(scopes).iter().map(|scope| &scope["value"]))
}

/// The id, the value and the texts of a role or scope.
fn check_entitlement(property: &str, it: &Value, texts: &[&str]) -> Result<(), Refusal> {
    check_guid(&format!("{property}.id"), &it["id"])?;
    let has_text = |name: &&str| it[*name].as_str().is_some_and(|text| !text.is_empty());
    if !texts.iter().all(has_text) {
        return Err(Refusal::invalid_value(property, "lacks a required text."));
    }
    let is_allowed = |character: char| {
        character.is_ascii_alphanumeric() || ":!#$%&'()*+,-./;=?@[]^_{}~".contains(character)
    };
    let is_value = |value: &str| {
        (1..=120).contains(&value.len()) && !value.starts_with('.') && value.chars().all(is_allowed)
    };
    match it["value"].as_str().is_none_or(is_value) {
        true => Ok(()),
        false => Err(Refusal::invalid_value(&format!("{property}.value"), "is invalid.")),
    }
}

/// An enabled role or scope must be disabled by an earlier request before it is removed.
fn check_removed(property: &str, before: Option<&Value>, after: &Value) -> Result<(), Refusal> {
    let is_kept = |it: &Value| list(after).iter().any(|other| other["id"] == it["id"]);
    let mut removed = before.map_or(&[][..], list).iter().filter(|it| !is_kept(it));
    match removed.any(|it| it["isEnabled"] == true) {
        true => Err(Refusal::new(
            400,
            "CannotDeleteOrUpdateEnabledEntitlement",
            format!(
                "Property {property}: Permission (scope or role) cannot be deleted or updated \
                 unless disabled first."
            ),
        )),
        false => Ok(()),
    }
}

/// <https://learn.microsoft.com/entra/identity-platform/reply-url>
fn check_redirect_uris(application: &Value) -> Result<(), Refusal> {
    let platforms = ["spa", "web", "publicClient"];
    let uris = platforms.map(|platform| list(&application[platform]["redirectUris"]));
    unique("redirectUris", uris.iter().copied().flatten())?;
    for uri in uris[0].iter().chain(uris[1]) {
        let text = uri.as_str().unwrap();
        let is_valid = Url::parse(text).is_ok_and(|url| {
            let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
            let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_local);
            is_secure && url.fragment().is_none()
        });
        if !is_valid || text.len() > 256 || text.contains('*') {
            return Err(Refusal::invalid_value("redirectUris", "has an invalid value."));
        }
    }
    Ok(())
}

/// <https://learn.microsoft.com/graph/api/resources/requiredresourceaccess>
fn check_required_access(access: &Value) -> Result<(), Refusal> {
    const PROPERTY: &str = "requiredResourceAccess";
    unique(PROPERTY, list(access).iter().map(|it| &it["resourceAppId"]))?;
    for resource in list(access) {
        check_guid(PROPERTY, &resource["resourceAppId"])?;
        let permissions = list(&resource["resourceAccess"]);
        unique(PROPERTY, permissions.iter().map(|it| &it["id"]))?;
        for permission in permissions {
            check_guid(PROPERTY, &permission["id"])?;
            if permission["type"] != "Scope" && permission["type"] != "Role" {
                return Err(Refusal::invalid_value(PROPERTY, "has an invalid type."));
            }
        }
    }
    Ok(())
}

/// <https://learn.microsoft.com/graph/api/resources/optionalclaims>
fn check_optional_claims(claims: &mut Value) -> Result<(), Refusal> {
    if claims.is_null() {
        return Ok(());
    }
    for token in ["accessToken", "idToken", "saml2Token"] {
        add_default(claims, token, json!([]));
        for claim in claims[token].as_array_mut().into_iter().flatten() {
            if claim["name"].as_str().is_none_or(str::is_empty) {
                return Err(Refusal::invalid_value(
                    "optionalClaims",
                    "has a claim without a name.",
                ));
            }
            add_default(claim, "source", Value::Null);
            add_default(claim, "essential", json!(false));
            add_default(claim, "additionalProperties", json!([]));
        }
        unique("optionalClaims", list(&claims[token]).iter().map(|claim| &claim["name"]))?;
    }
    Ok(())
}

fn check_guid(property: &str, id: &Value) -> Result<(), Refusal> {
    match id.as_str().is_some_and(|id| Uuid::parse_str(id).is_ok()) {
        true => Ok(()),
        false => Err(Refusal::invalid_value(property, "is not a GUID.")),
    }
}

fn unique<'a>(property: &str, values: impl Iterator<Item = &'a Value>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    let mut given = values.filter(|value| !value.is_null());
    match given.all(|value| seen.insert(value)) {
        true => Ok(()),
        false => Err(Refusal::invalid_value(property, "has a duplicate value.")),
    }
}

fn add_default(object: &mut Value, name: &str, value: Value) {
    if object[name].is_null() {
        object[name] = value;
    }
}

/// The entries of a list; none if there is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
