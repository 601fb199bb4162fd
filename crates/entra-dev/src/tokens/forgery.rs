//! Forged tokens, for tests of what an API does with them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    directory::{App, UnknownPerson},
    ids::{API_CLIENT_ID, SWAGGER_UI_CLIENT_ID},
    jws::UnverifiedJws,
    keys::{KeyError, SignError, SigningKey, unsigned},
};

use super::{
    access::{AccessToken, Proof, Subject},
    claims_request::ClaimsRequest,
    issuer::Issuer,
    lifetime::lifetime,
};

/// A token that no sign-in would issue, for tests of what an API does with it.
///
/// It starts as the access token of a person for an API. Then its claims and header parameters are
/// replaced, or removed by `null`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Forgery {
    /// The person: a short name, a sign-in name or an `oid`. Default: the first person of the
    /// directory.
    pub person: Option<String>,
    /// The client id or name of the client. Default: Swagger UI.
    pub client: Option<String>,
    /// The client id, app id URI or name of the API. Default: the Todo API.
    pub resource: Option<String>,
    /// Claims to replace, add or, with `null`, remove.
    pub claims: Map<String, Value>,
    /// Whether the token has only the claims in `claims`.
    pub only_these_claims: bool,
    /// Header parameters to replace, add or, with `null`, remove.
    pub header: Map<String, Value>,
    /// Seconds from now to `exp`; negative for an expired token. The `iat` and `nbf` of an expired
    /// token are earlier than its `exp`, unless `valid_in` or `claims` set them.
    pub expires_in: Option<i64>,
    /// Seconds from now to `nbf`; positive for a token that is not valid yet. The `exp` of such a
    /// token is later than its `nbf`, unless `expires_in` or `claims` set it.
    pub valid_in: Option<i64>,
    /// The key that signs the token.
    pub signed_with: SignedWith,
}

/// The key that signs a forged token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignedWith {
    /// The key that signs a real token: that of the API, if it has its own, otherwise that for the
    /// person's tenant. With `only_these_claims`, the key for work and school accounts.
    #[default]
    Current,
    /// The published key that does not sign yet.
    Next,
    /// The key for personal accounts.
    Personal,
    /// An unpublished key, with the key id of the current one.
    Stranger,
    /// No key: `alg` is `none` and the signature is empty (RFC 7519, section 6).
    Nothing,
}

impl Forgery {
    /// A token with exactly these claims. A value that is not a JSON object means no claims.
    pub fn exactly(claims: Value) -> Self {
        let claims = match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        };
        Self { claims, only_these_claims: true, ..Self::default() }
    }

    /// The token of this person for the Todo API and the client Swagger UI, to be modified.
    pub fn of(person: &str) -> Self {
        Self { person: Some(person.to_owned()), ..Self::default() }
    }

    /// Replaces this claim, or removes it if the value is `null`.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Replaces this header parameter, or removes it if the value is `null`.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Signs with another key.
    #[must_use]
    pub fn signed_with(mut self, key: SignedWith) -> Self {
        self.signed_with = key;
        self
    }

    /// Sets the seconds from now to `exp`; negative for an expired token.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.expires_in = Some(seconds);
        self
    }

    /// Sets the seconds from now to `nbf`.
    #[must_use]
    pub fn valid_in(mut self, seconds: i64) -> Self {
        self.valid_in = Some(seconds);
        self
    }

    /// Sets the requested times. If only one is requested and makes the token invalid now, the
    /// other times move with it, so that `nbf` stays earlier than `exp`. Otherwise, a faulty
    /// validator that compares `nbf` with `exp`, but never looks at the clock, would also refuse
    /// the token, and a test would not find the mistake.
    fn set_times(&self, claims: &mut Map<String, Value>, now: u64) {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let lifetime = i64::try_from(lifetime()).unwrap_or_default();
        let mut follow = |name: &str, time: i64| {
            if let Some(claim) = claims.get_mut(name) {
                *claim = time.into();
            }
        };
        match (self.expires_in, self.valid_in) {
            (Some(seconds), None) if seconds <= 0 => {
                let issued = now.saturating_add(seconds).saturating_sub(lifetime);
                follow("iat", issued);
                follow("nbf", issued);
            }
            (None, Some(seconds)) if seconds > 0 => {
                follow("exp", now.saturating_add(seconds).saturating_add(lifetime));
            }
            _ => {}
        }
        for (name, seconds) in [("exp", self.expires_in), ("nbf", self.valid_in)] {
            if let Some(seconds) = seconds {
                claims.insert(name.to_owned(), now.saturating_add(seconds).into());
            }
        }
    }
}

/// Why a token cannot be forged.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The directory has no people.
    #[error("the directory has no people")]
    Nobody,
    /// The directory has no such app.
    #[error("there is no {role} {name:?}; choose one of: {known}")]
    UnknownApp {
        /// `client` or `resource`.
        role: &'static str,
        /// The requested name.
        name: String,
        /// The names of all apps, separated by commas.
        known: String,
    },
    /// There is no such person.
    #[error(transparent)]
    UnknownPerson(#[from] UnknownPerson),
    /// The unpublished key could not be generated.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Signing failed, which should not happen on a working machine.
    #[error("failed to sign the token")]
    Sign,
}

impl From<SignError> for ForgeError {
    fn from(_: SignError) -> Self {
        Self::Sign
    }
}

impl Issuer {
    /// Forges a token.
    pub(crate) fn forge(&self, forgery: &Forgery) -> Result<String, ForgeError> {
        let keys = self.keys.now();
        let BaseToken { mut header, mut claims, key: current } = match forgery.only_these_claims {
            false => self.base_token(forgery)?,
            true => {
                BaseToken { header: Map::new(), claims: Map::new(), key: Arc::clone(&keys.general) }
            }
        };
        forgery.set_times(&mut claims, self.now());
        replace(&mut claims, &forgery.claims);

        let (key, key_header) = match forgery.signed_with {
            SignedWith::Current => (Some(Arc::clone(&current)), current.header()),
            SignedWith::Next => (Some(Arc::clone(&keys.next)), keys.next.header()),
            SignedWith::Personal => (Some(Arc::clone(&keys.personal)), keys.personal.header()),
            SignedWith::Stranger => (Some(self.keys.stranger()?), current.header()),
            SignedWith::Nothing => (None, current.header()),
        };
        header.extend(key_header);
        if key.is_none() {
            header.insert("alg".to_owned(), "none".into());
        }
        replace(&mut header, &forgery.header);
        Ok(match key {
            Some(key) => key.sign(&header, &claims)?,
            None => format!("{}.", unsigned(&header, &claims)?),
        })
    }

    /// The token that a sign-in would issue.
    fn base_token(&self, forgery: &Forgery) -> Result<BaseToken, ForgeError> {
        let person = match &forgery.person {
            Some(name) => self.directory.person(name)?,
            None => self.directory.people().first().ok_or(ForgeError::Nobody)?,
        };
        let client = forgery.client.as_deref().unwrap_or(SWAGGER_UI_CLIENT_ID);
        let client = match self.directory.app(client) {
            Some(app) => app,
            None => self.app_named("client", client)?,
        };
        let resource = forgery.resource.as_deref().unwrap_or(API_CLIENT_ID);
        let resource = match self.directory.resource(resource) {
            Some(app) => app,
            None => self.app_named("resource", resource)?,
        };
        let scopes: Vec<_> = resource.scopes.iter().map(|scope| scope.name.as_str()).collect();
        let token = self.access_token(&AccessToken {
            resource,
            client,
            proof: Proof::None,
            subject: Subject::Person { person, scopes: scopes.join(" ") },
            claims: &ClaimsRequest::default(),
            confirmation: None,
            lifetime: lifetime(),
        })?;
        let UnverifiedJws { header, claims, .. } =
            UnverifiedJws::parse(&token).ok_or(ForgeError::Sign)?;
        let key = self.key_for(resource, &person.tenant);
        Ok(BaseToken { header, claims, key })
    }

    /// The app with this name.
    fn app_named(&self, role: &'static str, name: &str) -> Result<&Arc<App>, ForgeError> {
        let mut apps = self.directory.apps().iter().chain([self.directory.graph()]);
        let known = apps.clone().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ");
        apps.find(|app| app.name.eq_ignore_ascii_case(name)).ok_or_else(|| ForgeError::UnknownApp {
            role,
            name: name.to_owned(),
            known,
        })
    }
}

/// The parts of a token before they are changed.
struct BaseToken {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// The key that has signed it.
    key: Arc<SigningKey>,
}

fn replace(members: &mut Map<String, Value>, others: &Map<String, Value>) {
    for (name, value) in others {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}
