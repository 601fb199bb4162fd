//! The settings that follow from the registrations.

use crate::{
    config::registration::RegistrationConfig,
    register::{Application, Audience, State, Wanted},
};

/// The settings that the command may write to `.env`, besides a secret.
pub(super) const SETTINGS: &[&str] =
    &["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "AAD_TENANT_ID", "ALLOWED_TENANTS", "APP_ID_URI"];

/// What to write to `.env`, in the order of `.env.sample`. `tenant` is the id of the tenant.
pub(super) fn settings(
    config: &RegistrationConfig,
    wanted: &Wanted,
    state: &State,
    tenant: &str,
) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    let id = |application: &Option<Application>| application.as_ref().map(|it| it.app_id.clone());
    let (api, client) = (id(&state.api.application), id(&state.swagger_ui.application));
    if let Some(client_id) = api.clone() {
        settings.push(("API_CLIENT_ID", client_id));
    }
    if let Some(client_id) = client {
        settings.push(("SWAGGER_UI_CLIENT_ID", client_id));
    }
    // A person chose an audience that the command does not know, and the settings for it.
    if let Some(audience) = state.api.application.as_ref().and_then(Application::audience) {
        let authority = tenant_setting(config, wanted, audience, tenant);
        // Without a list, the API does not start. The tenant's own people are a safe beginning.
        let several = names_several(&authority);
        let allowed = (several && config.allowed_tenants.is_empty()).then(|| tenant.to_owned());
        settings.push(("AAD_TENANT_ID", authority));
        settings.extend(allowed.map(|tenant| ("ALLOWED_TENANTS", tenant)));
        // A single tenant admits no list.
        if !several && !config.allowed_tenants.is_empty() {
            settings.push(("ALLOWED_TENANTS", String::new()));
        }
    }
    let client_id = api.unwrap_or_default();
    let uris = wanted.app_id_uris_of(&client_id);
    if !uris.is_empty() && uris != [format!("api://{client_id}")] {
        settings.push(("APP_ID_URI", uris.join(",")));
    }
    settings
}

/// Whether `AAD_TENANT_ID` is a word for several tenants, such as `organizations`.
pub(super) fn names_several(tenant: &str) -> bool {
    audience_of(tenant) != Audience::MyOrganization
}

/// The audience that fits `AAD_TENANT_ID`.
pub(super) fn audience_of(tenant: &str) -> Audience {
    match tenant.to_ascii_lowercase().as_str() {
        "organizations" => Audience::AnyOrganization,
        "common" | "consumers" => Audience::AnyOrganizationAndPersonal,
        _ => Audience::MyOrganization,
    }
}

/// `AAD_TENANT_ID`. What a person wrote stays, unless it does not fit the registration or another
/// audience was asked for.
fn tenant_setting(
    config: &RegistrationConfig,
    wanted: &Wanted,
    audience: Audience,
    tenant: &str,
) -> String {
    let value = match audience {
        Audience::MyOrganization => tenant,
        Audience::AnyOrganization => "organizations",
        Audience::AnyOrganizationAndPersonal => "common",
    };
    let fits = |configured: &&str| match configured.to_ascii_lowercase().as_str() {
        "organizations" => audience >= Audience::AnyOrganization,
        "common" | "consumers" => audience == Audience::AnyOrganizationAndPersonal,
        // The caller has checked that this is the tenant. It is narrower than any audience.
        _ => wanted.audience.is_none_or(|wanted| wanted == Audience::MyOrganization),
    };
    config.tenant.as_deref().filter(fits).unwrap_or(value).to_owned()
}
