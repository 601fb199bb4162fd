//! Tokens that are accepted but do not allow enough, and callers of another kind.

use crate::{cases::Case, cli::explain::times};

use super::{Advice, Situation};

pub(super) fn of(case: Case, situation: &Situation<'_>) -> Advice {
    match case {
        Case::MissingScope => missing_scope(situation),
        Case::NoConsent => no_consent(situation),
        Case::AppOnlyToken => app_only_token(situation),
        Case::MissingRole => missing_role(situation),
        Case::Agent => agent(situation),
        Case::DeviceToken => device_token(situation),
        Case::GroupsOverage => groups_overage(situation),
        Case::Revoked => revoked(situation),
        Case::StepUp => step_up(situation),
        _ => denied(situation),
    }
}

fn missing_scope(situation: &Situation<'_>) -> Advice {
    let (api, client) = (situation.api(), situation.client());
    let required = situation.required.unwrap_or(situation.short_scope);
    Advice::new(format!(
        "The token is for this API, but its scp ({}) does not contain {required}. The client requested \
         another scope of this API, the scope has another name in the API's registration, or the user \
         consented before the scope was added.",
        situation.token.scopes().join(" ")
    ))
    .portal(format!(
        "App registrations, {api}: if this is not the registration of your API, do not change it, \
         because API_CLIENT_ID is wrong. Otherwise Expose an API: there must be a scope {required}, \
         and it must be enabled; if there is none, add it. The client ({client}), API permissions: \
         add the scope, and grant admin consent. In the client, request {}.",
        situation.scope
    ))
    .az(format!("az ad app show --id {api} --query \"api.oauth2PermissionScopes[].value\""))
    .az(format!("az ad app permission grant --id {client} --api {api} --scope {required}"))
    .dev_token()
}

fn no_consent(situation: &Situation<'_>) -> Advice {
    let (api, client) = (situation.api(), situation.client());
    let is_app = situation.token.text("idtyp") == Some("app")
        || situation.token.text("oid").is_some_and(|oid| situation.token.text("sub") == Some(oid));
    let advice = Advice::new(
        "The token has neither scopes (scp) nor app roles (roles). With .default, a token has what \
         somebody has consented to before, and nobody has: Entra issues the token all the same. Any \
         app of any tenant can get such a token, so it proves nothing.",
    );
    let advice = match is_app {
        true => advice
            .portal(format!(
                "For an app that acts for itself: App registrations, the client ({client}), API \
                 permissions, Add a permission, My APIs, the API ({api}), Application permissions, \
                 then Grant admin consent. This API has only operations for users, though."
            ))
            .az(format!("az ad app permission admin-consent --id {client}")),
        false => advice
            .portal(format!(
                "App registrations, the client ({client}), API permissions: add the delegated \
                 permission {} of the API ({api}), then choose Grant admin consent. Or request {} \
                 instead of .default, so that the user is asked.",
                situation.short_scope, situation.scope
            ))
            .az(format!(
                "az ad app permission grant --id {client} --api {api} --scope {}",
                situation.short_scope
            )),
    };
    advice.dev_token()
}

fn app_only_token(situation: &Situation<'_>) -> Advice {
    Advice::new(format!(
        "The token belongs to an app that acts for itself (client credentials), here {}. It names no \
         user, so it has no scope, and the operation is for signed-in users. App roles of the app do \
         not change that.",
        situation.client()
    ))
    .portal(format!(
        "In the client, sign a user in: with the authorization code flow or the device code flow, or \
         with on-behalf-of in a server that has a user's token. Request the scope {}. For it, App \
         registrations, the client, Authentication needs a redirect URI, or Allow public client flows \
         for device codes.",
        situation.scope
    ))
    .az_new_token(situation)
    .dev_token()
}

/// The age in seconds below which a token is hardly older than an assignment.
const NEW: u64 = 60;

/// The causes in the order in which they are checked: from the most common to the rarest.
fn missing_role(situation: &Situation<'_>) -> Advice {
    let api = situation.api();
    let role = situation.required.unwrap_or("the app role");
    let oid = situation.guid("oid", "<object id of the user>");
    let issued = match situation.token.seconds("iat") {
        None => "at an unknown time".to_owned(),
        Some(issued) if issued.saturating_add(NEW) > situation.now => format!(
            "{}, so this is unlikely, unless you assigned the role within the last minutes",
            times::in_words(issued, situation.now)
        ),
        Some(issued) => times::in_words(issued, situation.now),
    };
    let base = format!("https://graph.microsoft.com/v1.0/users/{oid}/appRoleAssignments");
    Advice::new(format!(
        "The token is accepted, but its roles do not contain {role}. There are four causes. Check them \
         in this order, each with its fix in the portal:"
    ))
    .step(format!(
        "The role is not assigned to the user. Enterprise applications, the API ({api}), Users and \
         groups, Add user/group: assign {role}."
    ))
    .step(format!(
        "The role is assigned, but the token is older than the assignment: it was issued {issued}. Sign \
         out in the client, sign in again, and get a new token."
    ))
    .step(format!(
        "The role was created on the registration of the client instead of that of the API, so it is \
         only in tokens for the client. App registrations, the API ({api}), App roles: there must be a \
         role whose value, not its display name, is {role}."
    ))
    .step(
        "The role is assigned to a group, and the user is in that group only through another one: \
         members of nested groups get no roles. Assign the role to the user, or make the user a direct \
         member of the group.",
    )
    .az(format!("az rest --method GET --url {base}"))
    .az(format!(
        "az ad sp show --id {api} --query \"{{resourceId:id,roles:appRoles[].{{value:value,id:id}}}}\""
    ))
    .az(format!(
        "az rest --method POST --url {base} --body \
         '{{\"principalId\":\"{oid}\",\"resourceId\":\"<resourceId>\",\"appRoleId\":\"<id of {role}>\"}}'"
    ))
    .development(format!(
        "Use a person who has the role {role}, such as Ada for Admin: todo-api token --as ada"
    ))
}

fn agent(situation: &Situation<'_>) -> Advice {
    let api = situation.api();
    Advice::new(
        "An agent of Microsoft Entra Agent ID acts, or the user account belongs to one (11 in \
         xms_act_fct, 13 in xms_sub_fct), or the token does not say whether this is so. An operation \
         for human users, or one that is not for agents, refuses it. The operations of this API admit \
         agents, and its log says which calls were theirs.",
    )
    .portal(format!(
        "Sign in as a person, through an app that is not an agent. If the token does not say who acts: \
         App registrations, the API ({api}), Manifest, optionalClaims, accessToken: add xms_act_fct, \
         xms_sub_fct and xms_par_app_azp."
    ))
    .az(format!(
        "az ad app update --id {api} --optional-claims '{{\"accessToken\":[{{\"name\":\"xms_act_fct\"}},\
         {{\"name\":\"xms_sub_fct\"}},{{\"name\":\"xms_par_app_azp\"}}]}}'"
    ))
    .dev_token()
}

fn device_token(situation: &Situation<'_>) -> Advice {
    Advice::new(format!(
        "The idtyp is {}: the token was issued to a device or to another kind of caller. Only users \
         and apps can call an API.",
        situation.claim("idtyp", "unknown")
    ))
    .portal(format!(
        "Nothing in the portal helps. In the client, sign a user in and request the scope {}.",
        situation.scope
    ))
    .az_new_token(situation)
    .dev_token()
}

fn groups_overage(situation: &Situation<'_>) -> Advice {
    let api = situation.api();
    Advice::new(
        "The user is in more groups than a token can list (200), so the token has a reference instead \
         of the list (_claim_names or hasgroups). An operation that requires a group refuses the user, \
         because nobody can tell which groups these are.",
    )
    .portal(format!(
        "Use app roles instead of groups: App registrations, the API ({api}), App roles. Or limit the \
         claim: Token configuration, the groups claim, Groups assigned to the application."
    ))
    .az(format!("az ad app update --id {api} --set groupMembershipClaims=ApplicationGroup"))
    .dev_token()
}

fn revoked(situation: &Situation<'_>) -> Advice {
    Advice::new("The API has revoked the caller since this token was issued.")
        .portal("Sign in again, so that the client gets a new token instead of its cached one.")
        .az_new_token(situation)
        .dev_token()
}

fn step_up(situation: &Situation<'_>) -> Advice {
    Advice::new(
        "The operation requires an authentication context, such as a second factor, which the sign-in \
         did not satisfy (acrs).",
    )
    .portal(
        "Protection, Conditional Access, Authentication contexts: publish the context, and use it in a \
         policy. The client must pass the claims of the challenge on, as MSAL does.",
    )
    .az(
        "az rest --method GET --url \
         https://graph.microsoft.com/v1.0/identity/conditionalAccess/authenticationContextClassReferences",
    )
    .az_new_token(situation)
}

fn denied(situation: &Situation<'_>) -> Advice {
    Advice::new(format!(
        "The token is accepted, but the policy of the operation does not allow the caller: {}",
        situation.detail
    ))
    .portal("Sign in with an account and a client that the operation is for.")
    .az_new_token(situation)
    .dev_token()
}
