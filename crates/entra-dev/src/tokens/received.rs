//! Access tokens that the tenant receives as the API that they are for: at Microsoft Graph, and as
//! client assertions of agents.

use crate::{directory::App, jws::UnverifiedJws};

use super::issuer::{Issuer, VerifyError};

/// Why an API refuses an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccessTokenError {
    /// It is not a JWT.
    Malformed,
    /// No published key has signed it.
    Signature,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for this other audience.
    Audience(String),
    /// It has this other issuer.
    Issuer(String),
    /// It is bound to a key, so it is not valid as a bearer token.
    Bound,
}

impl Issuer {
    /// Verifies an access token for this API.
    pub(crate) fn verify_access_token<'a>(
        &self,
        api: &App,
        token: &'a str,
    ) -> Result<UnverifiedJws<'a>, AccessTokenError> {
        let jws = self.verify(token).map_err(|error| match error {
            VerifyError::Malformed => AccessTokenError::Malformed,
            VerifyError::Signature => AccessTokenError::Signature,
            VerifyError::Time if self.is_in_future(token) => AccessTokenError::NotYetValid,
            VerifyError::Time => AccessTokenError::Expired,
        })?;
        let claim = |name| jws.claim(name).unwrap_or_default();
        if !api.is_named(claim("aud")) {
            return Err(AccessTokenError::Audience(claim("aud").to_owned()));
        }
        if claim("iss") != self.issuer_of(api, claim("tid")) {
            return Err(AccessTokenError::Issuer(claim("iss").to_owned()));
        }
        if jws.claims.contains_key("cnf") {
            return Err(AccessTokenError::Bound);
        }
        Ok(jws)
    }

    /// The issuer of access tokens for this API in the tenant with this id.
    pub(super) fn issuer_of(&self, api: &App, tenant: &str) -> String {
        let base_url = self.base_url(api);
        match api.access_token_version {
            1 => format!("{base_url}/{tenant}/"),
            _ => format!("{base_url}/{tenant}/v2.0"),
        }
    }

    fn is_in_future(&self, token: &str) -> bool {
        let nbf = UnverifiedJws::parse(token).and_then(|jws| jws.time("nbf"));
        nbf.is_some_and(|nbf| self.now() < nbf)
    }
}
