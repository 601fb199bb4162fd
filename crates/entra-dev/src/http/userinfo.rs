//! `/oidc/userinfo`: the user information endpoint (OpenID Connect Core, section 5.3).

use poem::{
    Response,
    http::{
        StatusCode,
        header::{HeaderValue, WWW_AUTHENTICATE},
    },
};
use serde_json::{Map, Value};

use crate::{directory::Person, refusal::Refusal};

use super::{
    bearer::bearer_token,
    operation::Operation,
    request::{Answer, TenantRequest},
    response::json,
};

/// GET and POST. As in Entra, where the endpoint is at Microsoft Graph, it accepts only access
/// tokens for Graph.
pub(super) const USER_INFO: Operation = Operation::public(handle);

/// Where Microsoft Graph serves the picture of the caller. It leads nowhere from here.
const PICTURE: &str = "https://graph.microsoft.com/v1.0/me/photo/$value";

fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let response = match bearer_token(request.http).and_then(|token| user_info(request, token)) {
        Some(user_info) => json(StatusCode::OK, &user_info),
        None => {
            let mut response = Response::builder().status(StatusCode::UNAUTHORIZED).finish();
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        }
    };
    Ok(Answer::granted(response))
}

/// What the scopes of this token allow the client to know about the person.
fn user_info(request: &TenantRequest<'_>, token: &str) -> Option<Map<String, Value>> {
    let token = request.context.issuer.verify(token).ok()?;
    // A token that is bound to a key is not valid as a bearer token.
    if token.claims.contains_key("cnf") {
        return None;
    }
    let directory = request.directory();
    if token.claim("aud") != Some(directory.graph().app_id_uri()) {
        return None;
    }
    let scopes: Vec<_> = token.claim("scp")?.split(' ').collect();
    let person: &Person = directory.person(token.claim("oid")?).ok()?;
    let client_id = token.claim("appid")?;
    let mut user_info = Map::new();
    // The same subject as in the ID token: clients compare the two.
    user_info.insert("sub".into(), crate::tokens::pairwise_subject(person, client_id).into());
    if scopes.contains(&"profile") {
        user_info.insert("name".into(), person.display_name.clone().into());
        if let Some(name) = person.family_name() {
            user_info.insert("family_name".into(), name.into());
        }
        user_info.insert("given_name".into(), person.given_name().into());
        user_info.insert("picture".into(), PICTURE.into());
    }
    if scopes.contains(&"email") {
        user_info.insert("email".into(), person.email.clone().into());
    }
    Some(user_info)
}
