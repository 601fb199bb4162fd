//! Keys that are unknown, belong to somebody else, or cannot be fetched.

use poem_entra::TenantId;
use url::Url;

use crate::cases::Case;

use super::{Advice, Situation};

pub(super) fn of(case: Case, situation: &Situation<'_>) -> Advice {
    let iss = situation.claim("iss", "missing");
    let authority = format!(
        "{}/{}",
        situation.settings.instance.trim_end_matches('/'),
        situation.settings.tenant
    );
    let api = situation.api();
    let kid = situation.token.header.get("kid").and_then(|kid| kid.as_str()).unwrap_or("missing");
    match case {
        Case::RotatedKey => Advice::new(format!(
            "The token names this authority as its issuer, but the authority does not publish the key \
             {kid} any more: it has rotated its keys. Tokens live for an hour or more, and Entra \
             publishes an old key for longer than that, so the token is probably an old one."
        ))
        .portal("Nothing in the portal helps. Get a new token.")
        .az_new_token(situation)
        .development(
            "The tenant has other keys than those that signed the token, because it was restarted, \
             its keys were rotated, or the token was made in another folder. Get a new one: todo-api \
             token --as uma",
        )
        .own_keys_setting(situation),
        Case::OtherCloudKey => Advice::new(format!(
            "The token is from another cloud: its iss is {iss}, and this API gets its keys from \
             {authority}. Each cloud has its own accounts, registrations and keys."
        ))
        .portal(format!(
            "In the client, use the authority {authority}. The registrations of the client and of the \
             API must be in the same cloud."
        ))
        .az("az cloud list --query \"[].{name:name,active:isActive}\"")
        .az("az cloud set --name <AzureCloud, AzureUSGovernment or AzureChinaCloud>")
        .az_new_token(situation)
        .setting("AAD_INSTANCE, if the API is in the cloud of the token")
        .dev_token(),
        Case::ExternalIdKey => Advice::new(format!(
            "The token is from a tenant of External ID, for customers: its iss is {iss}. Each such \
             tenant has its own address and its own keys, and this API gets its keys from {authority}."
        ))
        .portal(
            "If the API is for customers: set the setting to the address of the tenant, as its Overview \
             shows it. If it is for employees: in the client, use the authority of the other tenant.",
        )
        .az_new_token(situation)
        .setting(external_id_setting(iss))
        .dev_token(),
        Case::OwnSigningKey => Advice::new(format!(
            "The token is signed with a key of this API itself ({kid}): its registration has claims \
             from a claims mapping policy, and therefore its own signing key. The authority publishes \
             this key only if it is asked for this app."
        ))
        .portal(format!(
            "Turn the setting on. Or, if the claims are not needed: Enterprise applications, the API \
             ({api}), Single sign-on, Attributes & Claims: remove them."
        ))
        .az(format!("az ad sp show --id {api} --query preferredTokenSigningKeyThumbprint"))
        .setting("CLAIMS_MAPPING=true"),
        Case::OtherAuthorityKey => Advice::new(format!(
            "The token is from another authority: its iss is {iss}, and this API gets its keys from \
             {authority}."
        ))
        .portal(format!("In the client, use the authority {authority}."))
        .az_new_token(situation)
        .setting("AAD_INSTANCE and AAD_TENANT_ID, if the client uses the right authority")
        .dev_token(),
        Case::OtherIssuerKey => Advice::new(format!(
            "The authority binds the key that signed the token to another issuer or cloud, so the \
             token is forged. Or a gateway mixes the documents of two clouds. {}",
            situation.detail
        ))
        .portal(format!("Get the token from {authority}, unchanged."))
        .az_new_token(situation)
        .dev_token(),
        Case::NoKeys => Advice::new(format!(
            "Nobody can tell whether the token is genuine, because the keys of {authority} cannot be \
             fetched."
        ))
        .portal("Check the network, the proxy and the address of the authority.")
        .az(format!(
            "az rest --skip-authorization-header --method GET --url \
             {authority}/v2.0/.well-known/openid-configuration"
        ))
        .setting("AAD_INSTANCE and AAD_TENANT_ID; for a proxy, HTTPS_PROXY")
        .development("Start the development tenant in another terminal: todo-api serve --dev"),
        _ => Advice::new(format!(
            "The authority {authority} does not publish the key {kid}, and the token does not say where \
             it is from."
        ))
        .portal(format!("In the client, use the authority {authority}."))
        .az_new_token(situation)
        .dev_token(),
    }
}

impl Advice {
    /// Adds the setting for an API with its own signing keys. If one of those was replaced, the
    /// authority does not publish it any more, so nobody can tell whose key it was.
    fn own_keys_setting(self, situation: &Situation<'_>) -> Self {
        if situation.settings.claims_mapping || situation.is_dev {
            return self;
        }
        self.setting(
            "CLAIMS_MAPPING=true, if new tokens are refused too and the API has its own signing key, \
             as with a claims mapping policy",
        )
    }
}

/// The address of the tenant in the issuer `https://{tenant}.ciamlogin.com/{tenant}/v2.0`.
fn external_id_setting(iss: &str) -> String {
    let url = Url::parse(iss).ok();
    let origin = url.as_ref().map(|url| url.origin().ascii_serialization());
    let tenant = url.as_ref().and_then(|url| url.path_segments()?.next().and_then(TenantId::parse));
    match (origin, tenant) {
        (Some(origin), Some(tenant)) => {
            format!("AAD_INSTANCE={origin} and AAD_TENANT_ID={tenant}")
        }
        _ => "AAD_INSTANCE and AAD_TENANT_ID".to_owned(),
    }
}
