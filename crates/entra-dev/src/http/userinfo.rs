//! `/oidc/userinfo`: the user information endpoint (OpenID Connect Core, section 5.3).

use poem::{
    Response,
    http::{
        StatusCode,
        header::{HeaderValue, WWW_AUTHENTICATE},
    },
};
use serde_json::{Map, Value};

use crate::{audit::Outcome, directory::Person, refusal::Refusal};

use super::{
    bearer::bearer_token,
    graph::problem_of_token,
    operation::Operation,
    recorded::entry_with_token,
    request::{Answer, TenantRequest},
    response::json,
};

/// GET and POST. As in Entra, where the endpoint is at Microsoft Graph, it accepts only access
/// tokens for Graph.
pub(super) const USER_INFO: Operation = Operation::public(handle);

/// Where Microsoft Graph serves the picture of the caller. It leads nowhere from here.
const PICTURE: &str = "https://graph.microsoft.com/v1.0/me/photo/$value";

fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let (response, outcome) = match user_info(request) {
        Ok(user_info) => (json(StatusCode::OK, &user_info), Outcome::Granted),
        Err(reason) => {
            let mut response = Response::builder().status(StatusCode::UNAUTHORIZED).finish();
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            (response, Outcome::Refused { aadsts: 0, reason })
        }
    };
    let id = request.correlation.id();
    let entry = entry_with_token("userinfo", request.http, &id, request.directory(), outcome);
    request.context.record(entry);
    Ok(Answer::granted(response))
}

/// What the scopes of the token allow the client to know about the person. The error says why the
/// token is refused.
fn user_info(request: &TenantRequest<'_>) -> Result<Map<String, Value>, String> {
    let directory = request.directory();
    let token = bearer_token(request.http).ok_or("the request has no bearer token, or several")?;
    let token = request.context.issuer.verify_access_token(directory.graph(), token);
    let token = token.map_err(|error| problem_of_token(&error))?;
    let claim = |name| token.claim(name).ok_or_else(|| format!("the token has no {name}"));
    let scopes: Vec<_> = claim("scp")?.split(' ').collect();
    let person = directory.person_with_oid(claim("oid")?);
    let person: &Person = person.ok_or("the person of the token is not in the directory")?;
    let client_id = claim("appid")?;
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
    Ok(user_info)
}
