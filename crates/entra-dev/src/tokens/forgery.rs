use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{AccessToken, ClaimsRequest, Issuer, Proof, Subject, lifetime};
use crate::directory::{App, UnknownPerson};
use crate::ids::{API_CLIENT_ID, SWAGGER_UI_CLIENT_ID};
use crate::jws::UnverifiedJws;
use crate::keys::{KeyError, SignError, unsigned};

/// A token that no sign-in would give, for tests of what an API does with it.
///
/// It starts as the access token that a person gets for an API. Then members of its claims and
/// header are replaced; those given as `null` are left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Forgery {
    /// Whose token it starts as: a short name, a sign-in name or an `oid`. Default: the first
    /// person of the directory.
    pub person: Option<String>,
    /// The client id or name of the app that asks. Default: Swagger UI.
    pub client: Option<String>,
    /// The client id, app id URI or name of the API. Default: the Todo API.
    pub resource: Option<String>,
    /// Claims to be replaced, added or, with `null`, left out.
    pub claims: Map<String, Value>,
    /// Whether `claims` are all there is.
    pub only_these_claims: bool,
    /// Members of the header to be replaced, added or, with `null`, left out.
    pub header: Map<String, Value>,
    /// Seconds from now to `exp`; negative for a token that has expired. Such a token counted once:
    /// its `iat` and `nbf` lie before `exp`, unless `valid_in` or `claims` say otherwise.
    pub expires_in: Option<i64>,
    /// Seconds from now to `nbf`; positive for a token that does not count yet. Such a token will
    /// count one day: its `exp` lies behind `nbf`, unless `expires_in` or `claims` say otherwise.
    pub valid_in: Option<i64>,
    /// What it is signed with.
    pub signed_with: SignedWith,
}

/// What a forged token is signed with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignedWith {
    /// The key that vouches for the person's tenant; where only the given claims count, the one
    /// for work and school accounts.
    #[default]
    Current,
    /// The published key that signs nothing yet.
    Next,
    /// The key that vouches for personal accounts only.
    Personal,
    /// A key that is not published, under the id of the current one.
    Stranger,
    /// Nothing: `alg` is `none` and the signature is empty (RFC 7515 section 6).
    Nothing,
}

impl Forgery {
    /// A token with exactly these claims; whatever is no JSON object has none.
    pub fn exactly(claims: Value) -> Self {
        let claims = match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        };
        Self { claims, only_these_claims: true, ..Self::default() }
    }

    /// The token this person gets for the Todo API through Swagger UI, to be changed.
    pub fn of(person: &str) -> Self {
        Self { person: Some(person.to_owned()), ..Self::default() }
    }

    /// The same with this claim replaced, or left out where it is `null`.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// The same with this member of the header replaced, or left out where it is `null`.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// The same with another signature.
    #[must_use]
    pub fn signed_with(mut self, key: SignedWith) -> Self {
        self.signed_with = key;
        self
    }

    /// The same, expiring so many seconds from now; negative for a token that has expired.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.expires_in = Some(seconds);
        self
    }

    /// The same, counting from so many seconds from now.
    #[must_use]
    pub fn valid_in(mut self, seconds: i64) -> Self {
        self.valid_in = Some(seconds);
        self
    }

    /// Sets the times that are asked for. Where one alone is, and puts the token out of time, the
    /// others follow: its age is to be all that is wrong with it, so that a validator which
    /// compares `nbf` with `exp`, and neither with the clock, lets it in and is found out.
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

/// Why there is no forged token.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The directory has no person at all.
    #[error("there is nobody here")]
    Nobody,
    /// The directory has no such app.
    #[error("there is no {role} {name:?}; there are {known}")]
    UnknownApp {
        /// What it was to be: `client` or `resource`.
        role: &'static str,
        /// What was asked for.
        name: String,
        /// The names of all that there are, separated by commas.
        known: String,
    },
    /// There is no such person.
    #[error(transparent)]
    UnknownPerson(#[from] UnknownPerson),
    /// The key that is not published could not be made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Signing failed, which means that the machine is out of order.
    #[error("failed to sign the token")]
    Sign,
}

impl From<SignError> for ForgeError {
    fn from(_: SignError) -> Self {
        Self::Sign
    }
}

impl Issuer {
    /// The token that this describes.
    pub(crate) fn forge(&self, forgery: &Forgery) -> Result<String, ForgeError> {
        let keys = self.keys.now();
        let mut current = &keys.general;
        let (mut header, mut claims) = (Map::new(), Map::new());
        if !forgery.only_these_claims {
            let jws = self.honest(forgery)?;
            let personal = jws.header.get("kid").is_some_and(|kid| kid == keys.personal.kid());
            current = if personal { &keys.personal } else { current };
            (header, claims) = (jws.header, jws.claims);
        }
        forgery.set_times(&mut claims, self.now());
        replace(&mut claims, &forgery.claims);

        let (key, named) = match forgery.signed_with {
            SignedWith::Current => (Some(Arc::clone(current)), current.header()),
            SignedWith::Next => (Some(Arc::clone(&keys.next)), keys.next.header()),
            SignedWith::Personal => (Some(Arc::clone(&keys.personal)), keys.personal.header()),
            SignedWith::Stranger => (Some(self.keys.stranger()?), current.header()),
            SignedWith::Nothing => (None, current.header()),
        };
        header.extend(named);
        if key.is_none() {
            header.insert("alg".to_owned(), "none".into());
        }
        replace(&mut header, &forgery.header);
        Ok(match key {
            Some(key) => key.sign(&header, &claims)?,
            None => format!("{}.", unsigned(&header, &claims)?),
        })
    }

    /// The token that a sign-in would give.
    fn honest(&self, forgery: &Forgery) -> Result<Honest, ForgeError> {
        let person = match &forgery.person {
            Some(name) => self.directory.person(name)?,
            None => self.directory.people().first().ok_or(ForgeError::Nobody)?,
        };
        let client = forgery.client.as_deref().unwrap_or(SWAGGER_UI_CLIENT_ID);
        let client = match self.directory.app(client) {
            Some(app) => app,
            None => self.app_called("client", client)?,
        };
        let resource = forgery.resource.as_deref().unwrap_or(API_CLIENT_ID);
        let resource = match self.directory.resource(resource) {
            Some(app) => app,
            None => self.app_called("resource", resource)?,
        };
        let scopes: Vec<_> = resource.scopes.iter().map(|scope| scope.name.as_str()).collect();
        let token = self.access_token(&AccessToken {
            resource,
            client,
            proof: Proof::None,
            subject: Subject::Person { person, scopes: scopes.join(" ") },
            claims: &ClaimsRequest::default(),
            lifetime: lifetime(),
        })?;
        let UnverifiedJws { header, claims, .. } =
            UnverifiedJws::parse(&token).ok_or(ForgeError::Sign)?;
        Ok(Honest { header, claims })
    }

    /// For those who have the name of an app at hand, and not its id.
    fn app_called(&self, role: &'static str, name: &str) -> Result<&Arc<App>, ForgeError> {
        let mut apps = self.directory.apps().iter().chain([self.directory.graph()]);
        let known = apps.clone().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ");
        apps.find(|app| app.name.eq_ignore_ascii_case(name)).ok_or_else(|| ForgeError::UnknownApp {
            role,
            name: name.to_owned(),
            known,
        })
    }
}

struct Honest {
    header: Map<String, Value>,
    claims: Map<String, Value>,
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
