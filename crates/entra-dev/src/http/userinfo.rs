use std::sync::Arc;

use poem::http::StatusCode;
use poem::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use poem::web::Data;
use poem::{Request, Response, handler};
use serde_json::{Map, Value};

use super::{Context, cors, json};
use crate::directory::Person;

/// `GET /oidc/userinfo` (OpenID Connect Core section 5.3): Entra's is at Microsoft Graph, and takes
/// access tokens for Graph only.
#[handler]
pub(super) fn show(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok())
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    cors::allow_any(match token.and_then(|token| information(context, token)) {
        Some(information) => json(StatusCode::OK, &information),
        None => {
            let mut response = Response::builder().status(StatusCode::UNAUTHORIZED).finish();
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        }
    })
}

/// What the scopes of this token tell about the person.
fn information(context: &Context, token: &str) -> Option<Map<String, Value>> {
    let token = context.issuer.verify(token).ok()?;
    let directory = context.directory();
    if token.claim("aud") != Some(directory.graph().app_id_uri.as_str()) {
        return None;
    }
    let scopes: Vec<_> = token.claim("scp")?.split(' ').collect();
    let person: &Person = directory.person(token.claim("oid")?).ok()?;
    let client_id = token.claim("appid")?;
    let mut information = Map::new();
    // The same subject as in the ID token: clients compare the two.
    information.insert("sub".into(), crate::tokens::subject(person, client_id).into());
    if scopes.contains(&"profile") {
        information.insert("name".into(), person.display_name.clone().into());
    }
    if scopes.contains(&"email") {
        information.insert("email".into(), person.email.clone().into());
    }
    Some(information)
}
