//! Who calls. Only the validator can make one of these, so whoever holds one knows that every
//! rule was checked.

use crate::{
    claims::Claims,
    ids::{ClientId, ObjectId, TenantId},
    rejection::{Rejection, Rule},
};

/// A caller whose token was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person, through an app that acts for them (a delegated token).
    User(User),
    /// An app that acts for itself (client credentials).
    App(App),
}

/// A person. The key of whatever belongs to them is ([`tenant`](User::tenant),
/// [`object_id`](User::object_id)), never an address or a name, which change hands
/// (<https://learn.microsoft.com/entra/identity-platform/claims-validation>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    tenant: TenantId,
    object_id: ObjectId,
    subject: String,
    client: Option<ClientId>,
    scopes: Vec<String>,
    roles: Vec<String>,
}

/// An app that signed in as itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    tenant: TenantId,
    object_id: Option<ObjectId>,
    subject: String,
    client: Option<ClientId>,
    roles: Vec<String>,
}

impl Principal {
    /// V6 and V7: consent was given for something, and it is either a user or an app.
    pub(crate) fn from_claims(claims: Claims) -> Result<Self, Rejection> {
        if claims.scopes.as_ref().is_none_or(Vec::is_empty) && claims.roles.is_empty() {
            return Err(Rejection::invalid_token(
                Rule::V6,
                "The token has neither scp nor roles: nobody consented to its use here.",
            ));
        }
        let is_app = match claims.idtyp.as_deref() {
            Some(idtyp) => idtyp == "app",
            None => claims.scopes.is_none(),
        };
        let Claims { tenant, oid, sub: subject, client, roles, scopes, .. } = claims;
        if is_app {
            return Ok(Self::App(App { tenant, object_id: oid, subject, client, roles }));
        }
        let object_id = oid
            .ok_or_else(|| Rejection::invalid_token(Rule::V7, "The token of a user has no oid."))?;
        let scopes = scopes.unwrap_or_default();
        Ok(Self::User(User { tenant, object_id, subject, client, scopes, roles }))
    }

    /// The directory that issued the token (`tid`).
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::User(user) => user.tenant,
            Self::App(app) => app.tenant,
        }
    }

    /// The app roles assigned to the caller (`roles`).
    pub fn roles(&self) -> &[String] {
        match self {
            Self::User(user) => &user.roles,
            Self::App(app) => &app.roles,
        }
    }

    /// The scopes the user consented to (`scp`); an app has none.
    pub fn scopes(&self) -> &[String] {
        match self {
            Self::User(user) => &user.scopes,
            Self::App(_) => &[],
        }
    }
}

impl User {
    /// The directory that issued the token (`tid`).
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The person's id in that directory (`oid`).
    pub fn object_id(&self) -> ObjectId {
        self.object_id
    }

    /// The person's id for this API alone (`sub`); another API sees another one.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The app the person uses (`azp`, in v1 tokens `appid`).
    pub fn client(&self) -> Option<ClientId> {
        self.client
    }

    /// Whether the person was assigned an app role. Exact, case-sensitive.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|assigned| assigned == role)
    }
}

impl App {
    /// The directory that issued the token (`tid`).
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The app's service principal in that directory (`oid`), where the token names it.
    pub fn object_id(&self) -> Option<ObjectId> {
        self.object_id
    }

    /// The app's id for this API alone (`sub`).
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The app itself (`azp`, in v1 tokens `appid`).
    pub fn client(&self) -> Option<ClientId> {
        self.client
    }

    /// Whether the app was granted an app role. Exact, case-sensitive.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|granted| granted == role)
    }
}
