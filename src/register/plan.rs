//! Compares what the registrations must contain with what they contain.

use super::{
    declared::{self, OPTIONAL_CLAIMS},
    merge,
    resources::{ApiChange, Application, ApplicationChange, PermissionScope, Spa},
    state::State,
    step::Step,
    wanted::{Audience, Wanted, Which},
};

/// The client id of the Azure CLI.
pub(super) const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

/// The version of the tokens. Personal accounts require it, for clients too.
const TOKEN_VERSION: u8 = 2;

/// The next change. `None` if the registrations contain everything that they must.
///
/// The order follows from what a request names: a client is pre-authorized for scopes that exist,
/// and a role is assigned in the tenant's application.
pub fn next_step(wanted: &Wanted, state: &State) -> Option<Step> {
    let api = match &state.api.application {
        Some(api) => api,
        None => return Some(create(wanted, Which::Api, new_audience(wanted))),
    };
    let change = change(wanted, Which::Api, api, api_properties(wanted, api));
    if let Some(step) = change.or_else(|| create_service_principal(state, Which::Api, api)) {
        return Some(step);
    }
    let client = match &state.swagger_ui.application {
        Some(client) => client,
        None => return Some(create(wanted, Which::SwaggerUi, api.sign_in_audience.clone())),
    };
    self::change(wanted, Which::SwaggerUi, client, client_properties(wanted, client, api))
        .or_else(|| create_service_principal(state, Which::SwaggerUi, client))
        .or_else(|| self::change(wanted, Which::Api, api, clients_of(wanted, api, client)))
        .or_else(|| consent(wanted, state, api))
        .or_else(|| assign(wanted, state, api))
}

fn new_audience(wanted: &Wanted) -> String {
    wanted.audience.unwrap_or(wanted.new_audience).as_str().to_owned()
}

fn create(wanted: &Wanted, which: Which, audience: String) -> Step {
    let api =
        ApiChange { requested_access_token_version: Some(TOKEN_VERSION), ..ApiChange::default() };
    let change = ApplicationChange {
        display_name: Some(wanted.names.display(which)),
        sign_in_audience: Some(audience),
        api: Some(api),
        ..ApplicationChange::default()
    };
    Step::Create { which, unique_name: wanted.names.unique(which), change }
}

/// The properties of the API that differ, except for those that name clients.
fn api_properties(wanted: &Wanted, api: &Application) -> ApplicationChange {
    let registered = &api.api;
    let mut uris = wanted.app_id_uris_of(&api.app_id);
    if uris.is_empty() {
        uris.push(format!("api://{}", api.app_id));
    }
    let scopes: Vec<_> = declared::scopes().collect();
    let scopes = merge::entitlements(&registered.oauth2_permission_scopes, &scopes);
    let roles = merge::entitlements(&api.app_roles, &declared::roles().collect::<Vec<_>>());
    ApplicationChange {
        identifier_uris: changed(
            &api.identifier_uris,
            merge::with_all(&api.identifier_uris, &uris),
        ),
        app_roles: changed(&api.app_roles, roles),
        optional_claims: changed(
            &api.optional_claims,
            merge::optional_claims(&api.optional_claims, &OPTIONAL_CLAIMS),
        ),
        api: api_change(ApiChange {
            requested_access_token_version: token_version(api),
            oauth2_permission_scopes: changed(&registered.oauth2_permission_scopes, scopes),
            ..ApiChange::default()
        }),
        ..audience(wanted, api)
    }
}

/// The properties of the client that differ.
fn client_properties(
    wanted: &Wanted,
    client: &Application,
    api: &Application,
) -> ApplicationChange {
    let redirect_uris = merge::with_all(&client.spa.redirect_uris, &wanted.redirect_uris);
    let resources = &client.required_resource_access;
    let scopes = scope_ids(api);
    ApplicationChange {
        spa: changed(&client.spa, Spa { redirect_uris }),
        required_resource_access: changed(
            resources,
            merge::required_resources(resources, &api.app_id, &scopes),
        ),
        api: api_change(ApiChange {
            requested_access_token_version: token_version(client),
            ..ApiChange::default()
        }),
        ..audience(wanted, client)
    }
}

/// The properties of the API that name clients. Graph accepts a scope in them only if it is
/// registered already.
fn clients_of(wanted: &Wanted, api: &Application, client: &Application) -> ApplicationChange {
    let (registered, scopes) = (&api.api, scope_ids(api));
    let authorized = &registered.pre_authorized_applications;
    let mut pre_authorized = merge::pre_authorized(authorized, &client.app_id, &scopes);
    if wanted.allow_azure_cli {
        pre_authorized = merge::pre_authorized(&pre_authorized, AZURE_CLI, &scopes);
    }
    // With this list, the consent of another tenant covers both registrations.
    let known = &registered.known_client_applications;
    let only_mine = api.sign_in_audience == Audience::MyOrganization.as_str();
    let added = if only_mine { &[][..] } else { std::slice::from_ref(&client.app_id) };
    ApplicationChange {
        api: api_change(ApiChange {
            pre_authorized_applications: changed(authorized, pre_authorized),
            known_client_applications: changed(known, merge::with_all(known, added)),
            ..ApiChange::default()
        }),
        ..ApplicationChange::default()
    }
}

fn consent(wanted: &Wanted, state: &State, api: &Application) -> Option<Step> {
    let client = &state.swagger_ui.service_principal.as_ref()?.id;
    let resource = &state.api.service_principal.as_ref()?.id;
    if !wanted.admin_consent {
        return None;
    }
    let existing = state.grants.iter().find(|grant| grant.is_for_all(client, resource));
    let granted = existing.map(|grant| grant.scope.as_str()).unwrap_or_default();
    let granted: Vec<_> = granted.split_whitespace().map(str::to_owned).collect();
    let scopes: Vec<_> = declared_scopes(api).map(|scope| scope.value.clone()).collect();
    let scope = changed(&granted, merge::with_all(&granted, &scopes))?.join(" ");
    Some(Step::Consent {
        grant: existing.map(|grant| grant.id.clone()),
        client: client.clone(),
        api: resource.clone(),
        scope,
    })
}

fn assign(wanted: &Wanted, state: &State, api: &Application) -> Option<Step> {
    let resource = &state.api.service_principal.as_ref()?.id;
    wanted.assignments.iter().find_map(|(name, role)| {
        let principal = &state.user(name)?.id;
        let is_it = |entry: &&super::resources::AppRole| entry.value.as_ref() == Some(role);
        let role_id = &api.app_roles.iter().find(is_it)?.id;
        let is_assigned = state.assignments.iter().any(|assignment| {
            assignment.principal_id == *principal && assignment.app_role_id == *role_id
        });
        (!is_assigned).then(|| Step::Assign {
            user: name.clone(),
            role: role.clone(),
            principal: principal.clone(),
            api: resource.clone(),
            role_id: role_id.clone(),
        })
    })
}

fn create_service_principal(
    state: &State,
    which: Which,
    application: &Application,
) -> Option<Step> {
    let name = application.display_name.clone();
    let app_id = application.app_id.clone();
    let exists = state.registration(which).service_principal.is_some();
    (!exists).then_some(Step::CreateServicePrincipal { which, name, app_id })
}

/// The step, if anything changes.
fn change(
    wanted: &Wanted,
    which: Which,
    application: &Application,
    change: ApplicationChange,
) -> Option<Step> {
    let name = match application.display_name.as_str() {
        "" => wanted.names.display(which),
        name => name.to_owned(),
    };
    let id = application.id.clone();
    (change != ApplicationChange::default()).then_some(Step::Change { which, name, id, change })
}

fn audience(wanted: &Wanted, application: &Application) -> ApplicationChange {
    let wanted = wanted.audience.map(|audience| audience.as_str().to_owned());
    ApplicationChange {
        sign_in_audience: wanted.filter(|wanted| *wanted != application.sign_in_audience),
        ..ApplicationChange::default()
    }
}

fn token_version(application: &Application) -> Option<u8> {
    let registered = application.api.requested_access_token_version;
    (registered != Some(TOKEN_VERSION)).then_some(TOKEN_VERSION)
}

fn declared_scopes(api: &Application) -> impl Iterator<Item = &PermissionScope> {
    let is_declared = |value: &str| declared::scopes().any(|scope| scope.value == value);
    let registered = api.api.oauth2_permission_scopes.iter();
    registered.filter(move |scope| is_declared(&scope.value))
}

fn scope_ids(api: &Application) -> Vec<String> {
    declared_scopes(api).map(|scope| scope.id.clone()).collect()
}

/// The new value, if it differs from the registered one.
fn changed<T: PartialEq>(registered: &T, value: T) -> Option<T> {
    (*registered != value).then_some(value)
}

fn api_change(change: ApiChange) -> Option<ApiChange> {
    (change != ApiChange::default()).then_some(change)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::register::{ClientIds, Names, preview, resources};

    fn wanted() -> Wanted {
        Wanted {
            names: Names::new("Todo API").unwrap(),
            client_ids: ClientIds::default(),
            audience: None,
            new_audience: Audience::MyOrganization,
            app_id_uris: Vec::new(),
            redirect_uris: vec!["http://localhost:8000/oauth2-redirect".to_owned()],
            allow_azure_cli: false,
            admin_consent: false,
            assignments: Vec::new(),
        }
    }

    /// The complete registrations, with this entry added to the API's roles or scopes.
    fn complete_with(role: Option<Value>, scope: Option<Value>) -> State {
        let (_, mut state) = preview(&wanted(), State::default());
        let api = state.api.application.as_mut().unwrap();
        api.app_roles.extend(role.map(|role| resources::read(role).unwrap()));
        let scopes = &mut api.api.oauth2_permission_scopes;
        scopes.extend(scope.map(|scope| resources::read(scope).unwrap()));
        state
    }

    fn body(step: Option<Step>) -> Value {
        step.unwrap().call().body.unwrap()
    }

    #[test]
    fn complete_registrations_need_no_step() {
        assert_eq!(next_step(&wanted(), &complete_with(None, None)), None);
    }

    #[test]
    fn a_role_that_register_created_and_nobody_declares_is_disabled_and_kept() {
        let renamed = json!({
            "id": declared::role_id("Reader"), "value": "Reader", "displayName": "Reader",
            "description": "Reads.", "allowedMemberTypes": ["User"], "isEnabled": true,
            "origin": "Application",
        });
        let roles = body(next_step(&wanted(), &complete_with(Some(renamed), None)));
        let reader = roles["appRoles"].as_array().unwrap().last().unwrap();
        assert_eq!((&reader["value"], &reader["isEnabled"]), (&json!("Reader"), &json!(false)));
        assert!(reader.get("origin").is_none(), "Graph does not accept it in requests");
    }

    #[test]
    fn what_a_person_added_needs_no_step() {
        let role = json!({
            "id": "0e4a1c5e-0000-4000-8000-000000000001", "value": "Reader", "isEnabled": true,
        });
        let scope = json!({
            "id": "0e4a1c5e-0000-4000-8000-000000000002", "value": "read", "isEnabled": true,
        });
        assert_eq!(next_step(&wanted(), &complete_with(Some(role), Some(scope))), None);
    }

    #[test]
    fn a_changed_text_is_updated_and_the_id_and_unknown_members_stay() {
        let mut state = complete_with(None, None);
        let api = state.api.application.as_mut().unwrap();
        let scope = &mut api.api.oauth2_permission_scopes[0];
        scope.id = "0e4a1c5e-0000-4000-8000-000000000003".to_owned();
        scope.admin_consent_description = "Old.".to_owned();
        scope.r#type = "Admin".to_owned();
        scope.others.insert("future".to_owned(), json!(1));
        let api = body(next_step(&wanted(), &state));
        let scope = &api["api"]["oauth2PermissionScopes"][0];
        assert_ne!(scope["adminConsentDescription"], "Old.");
        assert_eq!(scope["id"], "0e4a1c5e-0000-4000-8000-000000000003");
        assert_eq!((&scope["type"], &scope["future"]), (&json!("Admin"), &json!(1)));
    }

    #[test]
    fn a_client_is_authorized_after_the_scope_exists() {
        let (steps, _) = preview(&wanted(), State::default());
        let bodies: Vec<_> = steps.iter().map(|step| step.call().body.unwrap()).collect();
        let first = |member: &str| {
            let position = bodies.iter().position(|body| body["api"].get(member).is_some());
            position.unwrap()
        };
        assert!(
            first("oauth2PermissionScopes") < first("preAuthorizedApplications"),
            "{bodies:#?}"
        );
    }
}
