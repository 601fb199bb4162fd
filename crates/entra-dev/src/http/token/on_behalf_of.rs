use std::sync::Arc;

use super::{Issued, TokenRequest};
use crate::directory::{Person, Platform};
use crate::grants::Grant;
use crate::http::authorization_request::claims;
use crate::refusal::Refusal;
use crate::scope::Scopes;
use crate::tokens::Unverified;

/// Lets an API call another one for the person who has called it ("OAuth 2.0 On-Behalf-Of flow").
pub(super) fn redeem(mut request: TokenRequest<'_>) -> Result<Issued, Refusal> {
    request.client = request.client.confidential()?;
    let TokenRequest { context, tenant, parameters, client, .. } = &request;
    if parameters.optional("requested_token_use")? != Some("on_behalf_of") {
        return Err(Refusal::requested_token_use());
    }
    let person = caller(&request, parameters.required("assertion")?)?;
    let scopes = Scopes::parse(context.directory(), tenant, parameters.required("scope")?)?;
    scopes.only_resource()?;
    let grant = Grant {
        app: Arc::clone(&client.app),
        person,
        authority: request.authority.clone(),
        platform: Platform::Web,
        scopes: scopes.clone(),
        claims: claims(parameters)?.unwrap_or_default(),
        nonce: None,
    };
    request.issue(&grant, &scopes, || context.refresh_tokens.issue(grant.clone(), context.now()))
}

/// The person who has called the API with this access token.
fn caller(request: &TokenRequest<'_>, assertion: &str) -> Result<Arc<Person>, Refusal> {
    let TokenRequest { context, client, authority, .. } = request;
    let app = &client.app;
    let token = context.issuer.verify(assertion).map_err(|unverified| match unverified {
        Unverified::Malformed => Refusal::jwt_malformed(),
        Unverified::Key => Refusal::on_behalf_of_assertion("its signature is not this tenant's"),
        Unverified::Time => Refusal::on_behalf_of_assertion_expired(),
    })?;
    // Only an access token names the app that has asked for it.
    if token.claim("azp").or(token.claim("appid")).is_none() {
        return Err(Refusal::id_token_assertion());
    }
    let audience = token.claim("aud").unwrap_or_default();
    if !app.is_resource(audience) {
        return Err(Refusal::on_behalf_of_assertion_audience(audience, &app.client_id));
    }
    if !token.claims.contains_key("scp") {
        return Err(Refusal::app_only_assertion(&app.client_id));
    }
    let directory = context.directory();
    token
        .claim("oid")
        .and_then(|oid| directory.person(oid).ok())
        .filter(|person| token.claim("tid") == Some(person.tenant.as_str()))
        .filter(|person| authority.admits(directory, person))
        .cloned()
        .ok_or_else(|| Refusal::on_behalf_of_assertion("its user is not in this tenant"))
}
