//! Access tokens from a tenant that runs in another process.

use serde_json::{Value, json};

use crate::{ids::API_CLIENT_ID, jws::UnverifiedJws};

use super::{access_token::TokenError, local_request::send};

/// Asks the development tenant that listens on this HTTP port of this machine for the access token
/// that a person would get by signing in to Swagger UI with the scope `access_as_user`. `None` if
/// no development tenant answers: nothing listens there, or another program does.
///
/// Unlike [`access_token`](crate::access_token), it needs neither the tenant's folder nor its
/// directory. `person` is a short name (`ada`), a sign-in name or an `oid`. Blocks for some seconds
/// if another program listens on the port but does not answer.
///
/// # Errors
///
/// The tenant knows no such person (the error lists all people), has no Todo API, or requires its
/// control token.
pub fn running_access_token(port: u16, person: &str) -> Result<Option<String>, TokenError> {
    // An error means that no development tenant answers.
    let body = json!({ "person": person }).to_string();
    let Ok(response) = send("POST", port, "/_dev/tokens", &body) else { return Ok(None) };
    let Ok(body) = serde_json::from_str::<Value>(&response.body) else { return Ok(None) };
    match response.status {
        200 => {
            let token = body.get("access_token").and_then(Value::as_str);
            Ok(token.filter(|token| is_ours(token)).map(str::to_owned))
        }
        // 401: the tenant requires its control token.
        400 | 401 => match body.get("detail").and_then(Value::as_str) {
            Some(detail) => Err(TokenError::Refused(detail.to_owned())),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Whether this is a token for the Todo API. Another program might also answer with some token.
fn is_ours(token: &str) -> bool {
    let token = UnverifiedJws::parse(token);
    token.is_some_and(|token| token.claim("aud") == Some(API_CLIENT_ID))
}
