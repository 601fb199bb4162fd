//! Tokens of other tenants, and accounts of another kind.

use crate::cases::Case;

use super::{Advice, Situation};

pub(super) fn of(case: Case, situation: &Situation<'_>) -> Advice {
    match case {
        Case::TenantNotAllowed => tenant_not_allowed(situation),
        Case::PersonalAccount => personal_account(situation),
        Case::Guest => guest(situation),
        Case::WrongIssuer => wrong_issuer(situation),
        _ => wrong_tenant(situation),
    }
}

fn wrong_tenant(situation: &Situation<'_>) -> Advice {
    let (tid, tenant) = (situation.guid("tid", "unknown"), &situation.settings.tenant);
    Advice::new(format!(
        "The token is from the tenant {tid}, but this API serves only {tenant}. The user signed in \
         with an account of another tenant. Or the user is a guest of the right tenant, but the \
         client signed in at common or organizations, which lead to the home tenant of the account."
    ))
    .portal(format!(
        "In the client, set the authority to the tenant {tenant}, and sign in with an account of this \
         tenant. To admit a person of another tenant: Users, New user, Invite external user. To admit \
         other tenants: App registrations, the API ({}), Authentication, Supported account types.",
        situation.api()
    ))
    .az_new_token(situation)
    .setting(format!(
        "Only to admit several tenants: AAD_TENANT_ID=organizations and ALLOWED_TENANTS={tenant},{tid}"
    ))
    .development("Use a person of Contoso: todo-api token --as uma")
}

fn tenant_not_allowed(situation: &Situation<'_>) -> Advice {
    let tid = situation.guid("tid", "unknown");
    let allowed = situation.settings.allowed_tenants.join(",");
    let client = situation.client();
    Advice::new(format!(
        "The token is from the tenant {tid}, which is not in the list of tenants that this API admits \
         ({allowed})."
    ))
    .portal(format!(
        "Sign in with an account of an admitted tenant. Or admit this one: add it to the setting. Then \
         an administrator of that tenant consents once: {}/{tid}/adminconsent?client_id={client}",
        situation.settings.instance.trim_end_matches('/')
    ))
    .az(format!(
        "az login --tenant {} --allow-no-subscriptions --scope {}",
        situation.settings.allowed_tenants.first().map_or("<tenant>", String::as_str),
        situation.scope
    ))
    .setting(format!("ALLOWED_TENANTS={allowed},{tid}"))
    .development("Use a person of an admitted tenant: todo-api token --as uma")
}

fn personal_account(situation: &Situation<'_>) -> Advice {
    let (api, tenant) = (situation.api(), &situation.settings.tenant);
    Advice::new(format!(
        "The user signed in with a personal Microsoft account: the tid is that of all personal \
         accounts. This API admits only work and school accounts ({tenant})."
    ))
    .portal(format!(
        "Sign in with a work or school account. To admit personal accounts: App registrations, the API \
         ({api}), Authentication, Supported account types, and the same for the client."
    ))
    .az(format!(
        "az ad app update --id {api} --sign-in-audience AzureADandPersonalMicrosoftAccount"
    ))
    .setting(
        "Only to admit personal accounts: AAD_TENANT_ID=common, and \
         9188040d-6c67-4c5b-b112-36a304b66dad in ALLOWED_TENANTS",
    )
    .development("Use a person of Contoso: todo-api token --as uma")
}

fn guest(situation: &Situation<'_>) -> Advice {
    let oid = situation.guid("oid", "<object id of the user>");
    Advice::new(
        "The user is a guest: an account of another organization that was invited to this tenant. The \
         oid is that of the guest in this tenant, and app roles count only if they are assigned here. \
         An operation for members refuses guests.",
    )
    .portal(
        "Users, the guest, Properties: User type says whether the account counts as a guest or as a \
         member. App roles: Enterprise applications, the API, Users and groups.",
    )
    .az(format!(
        "az rest --method GET --url \"https://graph.microsoft.com/v1.0/users/{oid}?\\$select=userType\""
    ))
    .az(format!(
        "az rest --method PATCH --url https://graph.microsoft.com/v1.0/users/{oid} --body \
         '{{\"userType\":\"Member\"}}'"
    ))
    .development("Use a member: todo-api token --as uma")
}

fn wrong_issuer(situation: &Situation<'_>) -> Advice {
    let iss = situation.claim("iss", "missing");
    let mut advice = Advice::new(format!(
        "The iss is {iss}, which is not the issuer of the token's tenant and version: {} is. The token \
         is from another cloud or another address of the authority, or it was changed.",
        situation.expected.unwrap_or("another one")
    ))
    .portal(format!(
        "In the client, use the authority {}/{}. It is the one that this API gets its keys from.",
        situation.settings.instance.trim_end_matches('/'),
        situation.settings.tenant
    ))
    .az_new_token(situation)
    .dev_token();
    advice.setting =
        Some("AAD_INSTANCE, if the client uses the right cloud and the API does not".into());
    advice
}
