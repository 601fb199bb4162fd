//! ID tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    directory::{App, Person},
    keys::SignError,
    random,
    scope::Scopes,
};

use super::{
    claims::{Claims, pairwise_subject, routing_hint},
    issuer::Issuer,
    optional_claims::{GroupsOverage, set_personal},
};

/// The content of an ID token (OpenID Connect Core, section 2;
/// <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>).
pub(crate) struct IdToken<'a> {
    /// The URL of the listener that received the request. Clients compare it with the issuer.
    pub(crate) base_url: &'a str,
    /// The app that the token is for: the audience.
    pub(crate) app: &'a App,
    /// The person who signed in.
    pub(crate) person: &'a Person,
    /// The granted scopes.
    pub(crate) scopes: &'a Scopes,
    /// The `nonce` of the authorization request.
    pub(crate) nonce: Option<&'a str>,
    /// The code in the same authorization response.
    pub(crate) code: Option<&'a str>,
    /// Whether the browser carries the token from the authorization endpoint to the app.
    pub(crate) through_browser: bool,
    /// In seconds.
    pub(crate) lifetime: u64,
}

impl Issuer {
    /// Issues an ID token.
    pub(crate) fn id_token(&self, token: &IdToken<'_>) -> Result<String, SignError> {
        let IdToken { app, person, scopes, .. } = token;
        let issuer = format!("{}/{}/v2.0", token.base_url, person.tenant);
        let mut claims = Claims::new(&app.client_id, issuer, self.now(), token.lifetime);
        claims.set_some("c_hash", token.code.map(half_hash));
        let overage = match token.through_browser {
            true => GroupsOverage::HasGroups,
            false => GroupsOverage::At(token.base_url),
        };
        set_personal(&mut claims, app, person, overage);
        if scopes.has("email") {
            claims.set("email", person.email.as_str());
        }
        let profile = scopes.has("profile").then_some(person);
        claims.set_some("name", profile.map(|person| person.display_name.as_str()));
        claims.set_some("nonce", token.nonce);
        claims.set_some("oid", profile.map(|person| person.oid.as_str()));
        let sign_in_name = profile.map(|person| person.sign_in_name.as_str());
        claims.set_some("preferred_username", sign_in_name);
        claims.set("rh", routing_hint(&person.tenant, &person.oid));
        claims.set_any("roles", person.roles(&app.client_id));
        claims.set("sub", pairwise_subject(person, &app.client_id));
        claims.set("tid", person.tenant.as_str());
        claims.set("uti", random::short_id());
        claims.set("ver", "2.0");
        self.sign(app, &person.tenant, claims)
    }
}

/// The left half of the hash of a code: `c_hash` (OpenID Connect Core, section 3.3.2.11).
fn half_hash(code: &str) -> String {
    let hash = digest(&SHA256, code.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}
