//! Tokens that are for somebody else, or for this API in another form.

use crate::cases::Case;

use super::{Advice, Situation};

pub(super) fn of(case: Case, situation: &Situation<'_>) -> Advice {
    match case {
        Case::V1Token => v1_token(situation),
        Case::GraphToken => graph_token(situation),
        Case::IdToken => id_token(situation),
        Case::AudienceForm => audience_form(situation),
        Case::OtherScope => other_scope(situation),
        _ => other_audience(situation),
    }
}

fn v1_token(situation: &Situation<'_>) -> Advice {
    let api = situation.api();
    Advice::new(
        "This is a v1 token (its ver is 1.0), but only v2 tokens are accepted here. The registration \
         of the API decides which version its tokens have, not the client and not the address from \
         which the token was requested.",
    )
    .portal(format!(
        "App registrations, the API ({api}), Manifest: set requestedAccessTokenVersion, inside api, \
         to 2, and save. Then get a new token."
    ))
    .az(format!("az ad app update --id {api} --set api.requestedAccessTokenVersion=2"))
    .dev_token()
}

fn graph_token(situation: &Situation<'_>) -> Advice {
    Advice::new(
        "This is a token for Microsoft Graph, and only Graph can verify it. The client requested a \
         scope of Graph, such as User.Read or https://graph.microsoft.com/.default, or only scopes of \
         OpenID Connect, such as openid and profile. Each API needs its own token.",
    )
    .portal(request_scope(situation))
    .az_new_token(situation)
    .dev_token()
}

fn id_token(situation: &Situation<'_>) -> Advice {
    let roles = match situation.token.has_roles() {
        true => {
            " It has app roles because they are those of the app that it is for: if client and API \
             share one registration, an ID token looks almost like an access token."
        }
        false => " It has neither scopes nor app roles.",
    };
    Advice::new(format!(
        "This is an ID token. It tells the client who has signed in, and is never sent to an API.{roles}"
    ))
    .portal(format!(
        "In the client, send the access_token of the same response instead of the id_token. {}",
        request_scope(situation)
    ))
    .az_new_token(situation)
    .dev_token()
}

fn audience_form(situation: &Situation<'_>) -> Advice {
    let api = situation.api();
    let received = situation.token.audiences().join(" ");
    Advice::new(format!(
        "The aud is {received}, which this API does not list. A v2 token names the API by its client \
         id (a GUID), a v1 token by the App ID URI with which the scope was requested: api:// with \
         the client id, or a URI of your own. Accepted here: {}.",
        situation.expected.unwrap_or(api)
    ))
    .portal(format!(
        "App registrations, the API ({api}), Expose an API: compare the Application ID URI with {received}. \
         If it is the same, add it to the setting. Or set requestedAccessTokenVersion to 2 in the \
         Manifest: then aud is always the client id. If it is another URI, the token is for another \
         API: request the scope {}.",
        situation.scope
    ))
    .az(format!("az ad app show --id {api} --query identifierUris"))
    .az(format!("az ad app update --id {api} --set api.requestedAccessTokenVersion=2"))
    .setting(format!("APP_ID_URI={}", app_id_uris(situation, &received)))
    .dev_token()
}

/// The URIs that are accepted today, and the new one.
fn app_id_uris(situation: &Situation<'_>, received: &str) -> String {
    let default = vec![format!("api://{}", situation.api())];
    let known = &situation.settings.app_id_uris;
    let known = if known.is_empty() { &default } else { known };
    format!("{},{received}", known.join(","))
}

fn other_scope(situation: &Situation<'_>) -> Advice {
    let received = situation.token.audiences().join(" ");
    let scopes = situation.token.scopes().join(" ");
    let advice = Advice::new(format!(
        "The token is for another API: its aud is {received}, and this API is {}. Its scp ({scopes}) \
         lists scopes of {received}. Another API can have a scope of the same name as this one.",
        situation.api()
    ));
    change_settings_or_client(advice, situation)
}

fn other_audience(situation: &Situation<'_>) -> Advice {
    let received = situation.token.audiences().join(" ");
    let own = match situation.token.client() {
        Some(client) if client == received => {
            " That is the client itself: it requested its own client id as the scope, or .default \
             of itself."
        }
        _ => "",
    };
    let advice = Advice::new(format!(
        "The token is for another app: its aud is {received}, and this API is {}.{own}",
        situation.api()
    ));
    change_settings_or_client(advice, situation)
}

/// How to fix an audience that is another app. The settings come first if a client of this API
/// requested the token: then their client id is probably that of another app.
fn change_settings_or_client(advice: Advice, situation: &Situation<'_>) -> Advice {
    let advice = match intended_api(situation) {
        Some(app) => advice
            .step(format!(
                "In the settings of this API (.env): the token is for the app {app}, but this API is \
                 configured as {}. If {app} is the Application (client) ID of your API, set \
                 API_CLIENT_ID={app} and restart.",
                situation.api()
            ))
            .step(format!(
                "If API_CLIENT_ID is right, the client requested the wrong scope. {}",
                request_scope(situation)
            )),
        None => advice.portal(request_scope(situation)),
    };
    advice.az_new_token(situation).dev_token()
}

/// The app that the token is for, if that is probably this API: the token has the scope that this
/// API requires, or Swagger UI requested it. The settings for the development tenant are always
/// right.
fn intended_api<'a>(situation: &Situation<'a>) -> Option<&'a str> {
    let Situation { token, swagger_ui, short_scope, is_dev, .. } = *situation;
    let client = token.client();
    let has_scope = token.scopes().contains(&short_scope);
    let is_swagger_ui = client
        .is_some_and(|id| swagger_ui.is_some_and(|swagger_ui| swagger_ui.eq_ignore_ascii_case(id)));
    // A token for the client itself is not for an API, unless it has a scope.
    token
        .audience_app()
        .filter(|app| !is_dev && (has_scope || (is_swagger_ui && client != Some(*app))))
}

fn request_scope(situation: &Situation<'_>) -> String {
    let Situation { scope, short_scope, .. } = situation;
    let (api, client) = (situation.api(), situation.client());
    format!(
        "App registrations, the client ({client}), API permissions: choose Add a permission, My APIs, \
         the API ({api}), Delegated permissions, {short_scope}. In the client, request the scope {scope}."
    )
}
