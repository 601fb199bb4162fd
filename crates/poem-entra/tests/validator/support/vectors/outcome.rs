//! Compares an outcome with the expected outcome.

use std::collections::HashMap;

use http::header;
use poem_entra::{Principal, Rejection, Validator};

use super::{
    case::{Accepted, Refused},
    equal,
    runner::RESOURCE_METADATA,
};

impl Accepted {
    pub(super) fn check(&self, principal: &Principal) -> Result<(), String> {
        let kind = match principal {
            Principal::User(_) => "user",
            Principal::App(_) => "app",
        };
        equal("kind", &kind, &self.kind.as_str())?;
        equal("tenant", &principal.tenant().to_string(), &self.tenant)?;
        equal("oid", &principal.object_id().map(|oid| oid.to_string()), &self.oid)?;
        if let Some(client) = &self.client {
            equal("client", &principal.client().map(|id| id.to_string()).as_ref(), &Some(client))?;
        }
        let actor = principal.actor();
        if let Some(agent) = self.agent {
            equal("agent", &actor.is_agent(), &Some(agent))?;
        }
        if let Some(agent) = self.agent_user {
            equal("agent_user", &actor.has_agent_user(), &Some(agent))?;
        }
        if let Some(id) = &self.blueprint {
            equal("blueprint", &actor.blueprint().map(|id| id.to_string()).as_ref(), &Some(id))?;
        }
        if let Some(scopes) = &self.scopes {
            equal("scopes", &principal.scopes(), &scopes.as_slice())?;
        }
        match &self.roles {
            Some(roles) => equal("roles", &principal.roles(), &roles.as_slice()),
            None => Ok(()),
        }
    }
}

impl Refused {
    pub(super) fn check(&self, rejection: &Rejection, validator: &Validator) -> Result<(), String> {
        let found = (rejection.rule().to_string(), rejection.code(), rejection.status().as_u16());
        let expected = (self.rule.clone(), self.code.as_str(), self.status);
        equal(&format!("refusal ({rejection})"), &found, &expected)?;
        let headers = rejection.headers(validator.challenge());
        if self.code == "keys_unavailable" {
            let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            equal("whether Retry-After is a number", &seconds.is_some_and(is_a_number), &true)?;
            return equal(
                "whether there is a challenge",
                &headers.contains_key(header::WWW_AUTHENTICATE),
                &false,
            );
        }
        let header = headers.get(header::WWW_AUTHENTICATE).ok_or("there is no challenge")?;
        let parameters = parameters(header.to_str().unwrap())?;
        let parameter = |name: &str| parameters.get(name).map(String::as_str);
        equal("resource_metadata", &parameter("resource_metadata"), &Some(RESOURCE_METADATA))?;
        let error = match self.code.as_str() {
            "missing_token" => None,
            "insufficient_role" | "access_denied" => Some("insufficient_scope"),
            code => Some(code),
        };
        equal("error", &parameter("error"), &error)?;
        // The validator's texts contain nothing that must be replaced in a challenge.
        let description = error.is_some().then(|| rejection.detail());
        equal("error_description", &parameter("error_description"), &description)?;
        for (name, value) in &self.challenge {
            equal(name, &parameter(name), &value.as_deref())?;
        }
        Ok(())
    }
}

pub(super) fn is_a_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parameters of a challenge such as `Bearer name="value", name="value"`. They are parsed as
/// Microsoft's published parser does it: it splits at every comma and equals sign, even between
/// quotes (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
pub(super) fn parameters(challenge: &str) -> Result<HashMap<String, String>, String> {
    let malformed = || format!("{challenge} is malformed");
    let mut parameters = HashMap::new();
    for parameter in challenge.strip_prefix("Bearer ").ok_or_else(malformed)?.split(',') {
        let [name, value] = *parameter.trim().split('=').collect::<Vec<_>>() else {
            return Err(malformed());
        };
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = value.filter(|value| !value.contains('"')).ok_or_else(malformed)?;
        if parameters.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(malformed());
        }
    }
    Ok(parameters)
}
