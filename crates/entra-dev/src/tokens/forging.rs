//! Makes forged tokens.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    directory::{App, Directory, Person},
    jws::UnverifiedJws,
    keys::{SigningKey, unsigned},
    random,
    scope::Scopes,
};

use super::{
    access::{AccessToken, Proof, Subject},
    claims_request::ClaimsRequest,
    forgery::{ForgeError, Forgery, SignedWith, TokenKind},
    id::IdToken,
    issuer::Issuer,
    jwe,
    lifetime::lifetime,
};

/// The parts of a token before they are changed.
struct BaseToken {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// The key that has signed it.
    key: Arc<SigningKey>,
}

impl Issuer {
    /// Forges a token.
    pub(crate) fn forge(&self, forgery: &Forgery) -> Result<String, ForgeError> {
        let BaseToken { mut header, mut claims, key } = match forgery.only_these_claims {
            false => self.base_token(forgery)?,
            true => {
                let key = self.keys.now().general;
                BaseToken { header: Map::new(), claims: Map::new(), key }
            }
        };
        forgery.set_times(&mut claims, self.now());
        replace(&mut claims, &forgery.claims);
        let token = self.sign_forged(forgery, &key, &mut header, &claims)?;
        match forgery.encrypted {
            true => jwe::encrypt(&token, &*self.keys.stranger()?).ok_or(ForgeError::Sign),
            false => Ok(token),
        }
    }

    /// Signs the claims as requested. `key` is the key that would sign a real token.
    fn sign_forged(
        &self,
        forgery: &Forgery,
        key: &SigningKey,
        header: &mut Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, ForgeError> {
        let keys = self.keys.now();
        let (named, algorithm) = match forgery.signed_with {
            SignedWith::Next => (&*keys.next, "RS256"),
            SignedWith::Personal => (&*keys.personal, "RS256"),
            SignedWith::Current | SignedWith::Stranger => (key, "RS256"),
            SignedWith::Pss => (key, "PS256"),
            SignedWith::Hmac => (key, "HS256"),
            SignedWith::Nothing => (key, "none"),
        };
        header.extend(named.header());
        header.insert("alg".to_owned(), algorithm.into());
        replace(header, &forgery.header);
        Ok(match forgery.signed_with {
            SignedWith::Stranger => self.keys.stranger()?.sign(header, claims)?,
            SignedWith::Pss => named.sign_pss(header, claims)?,
            SignedWith::Hmac => named.authenticate(header, claims)?,
            SignedWith::Nothing => format!("{}.", unsigned(header, claims)?),
            _ => named.sign(header, claims)?,
        })
    }

    /// The real token with which the forgery starts.
    fn base_token(&self, forgery: &Forgery) -> Result<BaseToken, ForgeError> {
        let directory = &self.directory.now();
        let person = match &forgery.person {
            Some(name) => directory.person(name)?,
            None => directory.people().first().ok_or(ForgeError::Nobody)?,
        };
        let client = forgery.client.as_ref().unwrap_or(&self.defaults.client);
        let client = match directory.app(client) {
            Some(app) => app,
            None => app_named(directory, "client", client)?,
        };
        let resource = forgery.resource.as_ref().unwrap_or(&self.defaults.resource);
        let resource = match directory.resource(resource) {
            Some(app) => app,
            None => app_named(directory, "resource", resource)?,
        };
        let resource = with_version(resource, forgery.version)?;
        let (token, key) = match forgery.kind {
            TokenKind::Access => {
                let names = resource.default_scopes().map(|scope| scope.name.as_str());
                let scopes = names.collect::<Vec<_>>().join(" ");
                let subject = Subject::Person { person, scopes };
                let token = self.base_access_token(client, &resource, Proof::None, subject)?;
                (token, self.key_for(&resource, &person.tenant))
            }
            TokenKind::App => {
                let subject = Subject::App { tenant: &client.tenant, agent: None };
                let token = self.base_access_token(client, &resource, Proof::Secret, subject)?;
                (token, self.key_for(&resource, &client.tenant))
            }
            TokenKind::Id => {
                (self.base_id_token(client, person)?, self.key_for(client, &person.tenant))
            }
        };
        let UnverifiedJws { header, claims, .. } =
            UnverifiedJws::parse(&token).ok_or(ForgeError::Sign)?;
        Ok(BaseToken { header, claims, key })
    }

    fn base_access_token(
        &self,
        client: &App,
        resource: &App,
        proof: Proof,
        subject: Subject<'_>,
    ) -> Result<String, ForgeError> {
        let claims = &ClaimsRequest::default();
        let (confirmation, lifetime) = (None, lifetime());
        let token =
            AccessToken { resource, client, proof, subject, claims, confirmation, lifetime };
        Ok(self.access_token(&token)?)
    }

    fn base_id_token(&self, client: &App, person: &Person) -> Result<String, ForgeError> {
        // These scopes exist in every directory, so parsing cannot fail.
        let scopes = Scopes::parse(&self.directory.now(), &person.tenant, "openid profile email");
        Ok(self.id_token(&IdToken {
            base_url: self.base_url(client),
            app: client,
            person,
            scopes: &scopes.map_err(|_| ForgeError::Sign)?,
            nonce: Some(&random::secret()),
            code: None,
            through_browser: false,
            lifetime: lifetime(),
        })?)
    }
}

/// The app with this name.
fn app_named<'a>(
    directory: &'a Directory,
    role: &'static str,
    name: &str,
) -> Result<&'a Arc<App>, ForgeError> {
    let mut apps = directory.apps().iter().chain([directory.graph()]);
    let known = apps.clone().map(|app| app.name.as_str()).collect::<Vec<_>>().join(", ");
    apps.find(|app| app.name.eq_ignore_ascii_case(name)).ok_or_else(|| ForgeError::UnknownApp {
        role,
        name: name.to_owned(),
        known,
    })
}

/// The API, as if it accepted access tokens of this version.
fn with_version(resource: &Arc<App>, version: Option<u8>) -> Result<Arc<App>, ForgeError> {
    match version {
        None => Ok(Arc::clone(resource)),
        Some(access_token_version @ (1 | 2)) => {
            Ok(Arc::new(App { access_token_version, ..App::clone(resource) }))
        }
        Some(other) => Err(ForgeError::UnknownVersion(other)),
    }
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
