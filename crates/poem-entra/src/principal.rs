//! Who calls. Only the validator can make one of these, so whoever holds one knows that every
//! rule was checked.

use std::sync::Arc;

use crate::{
    claims::Claims,
    ids::{ClientId, ObjectId, TenantId},
    rejection::{Rejection, Rule},
};

/// A caller whose token was accepted. Cheap to clone.
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
    object_id: ObjectId,
    identity: Arc<Identity>,
}

/// An app that signed in as itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    identity: Arc<Identity>,
}

/// What the token says of its bearer, whichever kind it is.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    tenant: TenantId,
    object_id: Option<ObjectId>,
    subject: String,
    client: Option<ClientId>,
    scopes: Vec<String>,
    roles: Vec<String>,
    groups: Groups,
    account: Option<AccountType>,
    authentication_contexts: Vec<String>,
    client_capabilities: Vec<String>,
}

/// The groups a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// These; none when the app does not ask for groups.
    Listed(Vec<String>),
    /// More than fit: the token says only that there are some (rule V9). A policy that asks for
    /// a group refuses the caller, since nobody knows.
    Overage,
}

/// What a person is to the tenant (`acct`, an optional claim).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountType {
    /// At home here.
    Member,
    /// Invited.
    Guest,
}

impl Principal {
    /// V6 to V8 and V10: somebody consented, the caller is a user or an app, and the token is an
    /// access token that anybody who holds it may send.
    pub(crate) fn from_claims(claims: Claims) -> Result<Self, Rejection> {
        if claims.is_bound {
            return Err(bound_token());
        }
        if claims.scopes.is_empty() && claims.has_nonce {
            return Err(id_token());
        }
        if claims.scopes.is_empty() && claims.roles.is_empty() {
            return Err(no_consent());
        }
        let kind = Kind::of(&claims)?;
        let object_id = claims.oid;
        let identity = Arc::new(Identity {
            tenant: claims.tenant,
            object_id,
            subject: claims.sub,
            client: claims.client,
            // An app has no scopes, whatever its token says.
            scopes: if kind == Kind::App { Vec::new() } else { claims.scopes },
            roles: claims.roles,
            groups: claims.groups,
            account: claims.account,
            authentication_contexts: claims.acrs,
            client_capabilities: claims.xms_cc,
        });
        if kind == Kind::App {
            return Ok(Self::App(App { identity }));
        }
        let object_id = object_id
            .ok_or_else(|| Rejection::invalid_token(Rule::V7, "The token of a user has no oid."))?;
        Ok(Self::User(User { object_id, identity }))
    }

    /// The directory that issued the token (`tid`).
    pub fn tenant(&self) -> TenantId {
        self.identity().tenant
    }

    /// Whose id it is in that directory (`oid`): the person's, or the app's service principal's,
    /// which not every app token names.
    pub fn object_id(&self) -> Option<ObjectId> {
        self.identity().object_id
    }

    /// The id for this API alone (`sub`); another API sees another one.
    pub fn subject(&self) -> &str {
        &self.identity().subject
    }

    /// The app that sends the request (`azp`, in v1 tokens `appid`).
    pub fn client(&self) -> Option<ClientId> {
        self.identity().client
    }

    /// The scopes the user consented to (`scp`); an app has none.
    pub fn scopes(&self) -> &[String] {
        &self.identity().scopes
    }

    /// The app roles assigned to the caller (`roles`).
    pub fn roles(&self) -> &[String] {
        &self.identity().roles
    }

    /// Whether the caller has an app role. Exact, case-sensitive.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().iter().any(|assigned| assigned == role)
    }

    /// The groups the caller is in, where the app asks for them (`groups`).
    pub fn groups(&self) -> &Groups {
        &self.identity().groups
    }

    /// Member or guest, where the app asks for it (`acct`).
    pub fn account_type(&self) -> Option<AccountType> {
        self.identity().account
    }

    /// The authentication contexts the caller has satisfied (`acrs`).
    pub fn authentication_contexts(&self) -> &[String] {
        &self.identity().authentication_contexts
    }

    /// Whether the client understands claims challenges (`cp1` in `xms_cc`).
    pub fn handles_claims_challenges(&self) -> bool {
        self.identity().client_capabilities.iter().any(|capability| capability == "cp1")
    }

    /// Bytes this takes in memory, roughly.
    pub(crate) fn size(&self) -> usize {
        let Identity { subject, scopes, roles, groups, .. } = self.identity();
        let Identity { authentication_contexts, client_capabilities, .. } = self.identity();
        let listed = match groups {
            Groups::Listed(listed) => listed.as_slice(),
            Groups::Overage => &[],
        };
        let lists = [scopes, roles, listed, authentication_contexts, client_capabilities];
        let texts = lists.into_iter().flatten();
        let texts: usize = texts.map(|text| size_of::<String>() + text.capacity()).sum();
        size_of::<Identity>() + subject.capacity() + texts
    }

    fn identity(&self) -> &Identity {
        match self {
            Self::User(user) => &user.identity,
            Self::App(app) => &app.identity,
        }
    }
}

impl User {
    /// The directory that issued the token (`tid`).
    pub fn tenant(&self) -> TenantId {
        self.identity.tenant
    }

    /// The person's id in that directory (`oid`).
    pub fn object_id(&self) -> ObjectId {
        self.object_id
    }

    /// Whether the person was assigned an app role. Exact, case-sensitive.
    pub fn has_role(&self, role: &str) -> bool {
        self.identity.roles.iter().any(|assigned| assigned == role)
    }
}

impl App {
    /// The directory that issued the token (`tid`).
    pub fn tenant(&self) -> TenantId {
        self.identity.tenant
    }

    /// The app itself (`azp`, in v1 tokens `appid`).
    pub fn client(&self) -> Option<ClientId> {
        self.identity.client
    }

    /// Whether the app was granted an app role. Exact, case-sensitive.
    pub fn has_role(&self, role: &str) -> bool {
        self.identity.roles.iter().any(|granted| granted == role)
    }
}

#[derive(PartialEq)]
enum Kind {
    User,
    App,
}

impl Kind {
    /// V7: `idtyp` decides. It is an optional claim; without it a scope means a user, and an app is
    /// recognised by its `oid`, which equals its `sub`: a user's `sub` is another one for each API
    /// (<https://learn.microsoft.com/entra/identity-platform/claims-validation>).
    fn of(claims: &Claims) -> Result<Self, Rejection> {
        match claims.idtyp.as_deref() {
            Some("user") => Ok(Self::User),
            Some("app") => Ok(Self::App),
            Some(other) => {
                let detail = "The token's idtyp is neither user nor app.";
                let rejection = Rejection::invalid_token(Rule::V7, detail);
                Err(rejection.compared("user or app", other))
            }
            None if !claims.scopes.is_empty() => Ok(Self::User),
            None if claims.oid.is_some() && claims.oid == ObjectId::parse(&claims.sub) => {
                Ok(Self::App)
            }
            None => Err(unknown_kind()),
        }
    }
}

fn bound_token() -> Rejection {
    let detail = "The token is bound to a key or a certificate (cnf), so it is not a bearer token.";
    Rejection::invalid_token(Rule::V10, detail)
        .with_hint("Ask for a token without proof of possession (PoP) and without mTLS.")
}

fn id_token() -> Rejection {
    let detail = "This is an ID token, which is for the app that signed the user in.";
    Rejection::invalid_token(Rule::V8, detail).with_hint("Send the access token instead.")
}

/// App roles alone do not make an access token: where client and API share one registration, the
/// client's ID tokens have the API's audience and the user's app roles.
fn unknown_kind() -> Rejection {
    let detail = "The token has app roles but no scope, and its oid is not its sub: it is neither \
                  a user's access token nor an app's.";
    Rejection::invalid_token(Rule::V7, detail).with_hint(
        "Send the access token instead of the ID token. If it is an access token, add the \
         optional claim idtyp to the API's registration.",
    )
}

fn no_consent() -> Rejection {
    let detail = "The token has neither scp nor roles: nobody consented to its use here.";
    Rejection::invalid_token(Rule::V6, detail)
        .with_hint("Ask for a scope of the API, or grant the app an app role with admin consent.")
}
