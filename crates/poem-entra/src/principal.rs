//! The caller of a request. Only the validator makes a [`Principal`], so code that has one knows
//! that every rule was checked.

use std::{ops::Deref, sync::Arc};

use crate::{
    actor::Actor,
    claims::{AccountType, Claims, Groups},
    ids::{ClientId, ObjectId, TenantId},
    rejection::Rejection,
    report::Observer,
    rule::Rule,
};

/// A caller whose token was accepted. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person, through an app that acts for them (a delegated token).
    User(User),
    /// An app that acts for itself (client credentials).
    App(App),
}

/// A person. Identify the owner of data by [`tenant`](Identity::tenant) and
/// [`object_id`](User::object_id), never by an address or a name, which can be reassigned
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

/// What the token says about its caller. [`Principal`], [`User`] and [`App`] deref to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    tenant: TenantId,
    object_id: Option<ObjectId>,
    issued_at: Option<u64>,
    subject: String,
    actor: Actor,
    scopes: Vec<String>,
    roles: Vec<String>,
    groups: Groups,
    account: Option<AccountType>,
    authentication_contexts: Vec<String>,
    client_capabilities: Vec<String>,
}

impl Identity {
    /// The tenant that issued the token (`tid`).
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The object id of the person or of the app's service principal in that tenant (`oid`); `None`
    /// in some app tokens.
    pub fn object_id(&self) -> Option<ObjectId> {
        self.object_id
    }

    /// When the token was issued (`iat`), in seconds since 1970, if the token says so.
    pub fn issued_at(&self) -> Option<u64> {
        self.issued_at
    }

    /// The caller's subject (`sub`). A user's is different for each API; an app's usually equals
    /// its object id.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The app that sends the request (`azp`, in v1 tokens `appid`).
    pub fn client(&self) -> Option<ClientId> {
        self.actor.client()
    }

    /// Who acts: this app, and whether it or the user is an agent.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The scopes that the user consented to (`scp`); empty for an app.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The app roles assigned to the caller (`roles`).
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Whether the caller has an app role, compared exactly.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|assigned| assigned == role)
    }

    /// The caller's groups (`groups`), if the API's registration requests them.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Member or guest (`acct`), if the API's registration requests it.
    pub fn account_type(&self) -> Option<AccountType> {
        self.account
    }

    /// The authentication contexts that the sign-in satisfied (`acrs`).
    pub fn authentication_contexts(&self) -> &[String] {
        &self.authentication_contexts
    }

    /// Whether the client handles claims challenges (`cp1` in `xms_cc`, in any capitalization, as
    /// in Microsoft's samples).
    pub fn handles_claims_challenges(&self) -> bool {
        self.client_capabilities.iter().any(|capability| capability.eq_ignore_ascii_case("cp1"))
    }

    /// The approximate size in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let groups = match &self.groups {
            Groups::Listed(listed) => listed.as_slice(),
            Groups::Overage => &[],
        };
        let lists: [&[String]; 5] = [
            &self.scopes,
            &self.roles,
            groups,
            &self.authentication_contexts,
            &self.client_capabilities,
        ];
        let texts = lists.into_iter().flatten();
        let texts: usize = texts.map(|text| size_of::<String>() + text.capacity()).sum();
        size_of::<Self>() + self.subject.capacity() + texts
    }
}

impl User {
    /// The person's object id in the tenant (`oid`).
    pub fn object_id(&self) -> ObjectId {
        self.object_id
    }
}

impl Deref for Principal {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        match self {
            Self::User(user) => user,
            Self::App(app) => app,
        }
    }
}

impl Deref for User {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
    }
}

impl Deref for App {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
    }
}

impl Principal {
    /// Decides what kind of token and caller this is. The claims are those of a verified token.
    pub(crate) fn from_claims(
        claims: Claims<'_>,
        observer: &mut impl Observer,
    ) -> Result<Self, Rejection> {
        let unbound = if claims.is_bound { Err(bound_token()) } else { Ok(()) };
        observer.checked(Rule::Unbound, unbound)?;
        if claims.scopes.is_empty() && claims.has_nonce {
            return Err(id_token());
        }
        observer.passed(Rule::AccessToken);
        if claims.scopes.is_empty() && claims.roles.is_empty() {
            return Err(no_consent());
        }
        observer.passed(Rule::Consent);
        let is_app = is_app(&claims)?;
        let object_id = claims.oid;
        let identity = Arc::new(Identity {
            tenant: claims.tenant,
            object_id,
            issued_at: claims.iat,
            subject: claims.sub.to_owned(),
            actor: claims.actor,
            // An app has no scopes, whatever its token says.
            scopes: if is_app { Vec::new() } else { claims.scopes },
            roles: claims.roles,
            groups: claims.groups,
            account: claims.account,
            authentication_contexts: claims.acrs,
            client_capabilities: claims.xms_cc,
        });
        let principal = if is_app {
            Self::App(App { identity })
        } else {
            let detail = "The token of a user has no oid.";
            let object_id =
                object_id.ok_or_else(|| Rejection::invalid_token(Rule::CallerKind, detail))?;
            Self::User(User { object_id, identity })
        };
        observer.passed(Rule::CallerKind);
        Ok(principal)
    }
}

/// Whether the token is an app's own. The optional claim `idtyp` decides. Without it, a scope means
/// a user, and an app's `oid` equals its `sub`; a user's `sub` is different for each API
/// (<https://learn.microsoft.com/entra/identity-platform/claims-validation>).
fn is_app(claims: &Claims<'_>) -> Result<bool, Rejection> {
    match claims.idtyp {
        Some("user") => Ok(false),
        Some("app") => Ok(true),
        Some(other) => {
            let detail = "The token's idtyp is neither user nor app.";
            let rejection = Rejection::invalid_token(Rule::CallerKind, detail);
            Err(rejection.compared("user or app", other))
        }
        None if !claims.scopes.is_empty() => Ok(false),
        None if claims.oid.is_some() && claims.oid == ObjectId::parse(claims.sub) => Ok(true),
        None => Err(unknown_kind()),
    }
}

fn bound_token() -> Rejection {
    let detail = "The token is bound to a key or a certificate (cnf); it is not a bearer token.";
    Rejection::invalid_token(Rule::Unbound, detail)
        .with_hint("Request a token without proof of possession (PoP) and without mTLS.")
}

fn id_token() -> Rejection {
    let detail = "This is an ID token. It is for the app that signed the user in.";
    Rejection::invalid_token(Rule::AccessToken, detail).with_hint("Send the access token instead.")
}

/// App roles alone do not make an access token: if client and API share one registration, the
/// client's ID tokens have the API's audience and the user's app roles.
fn unknown_kind() -> Rejection {
    let detail = "The token has app roles but no scope and its oid is not its sub: it is neither \
                  a user's access token nor an app's.";
    Rejection::invalid_token(Rule::CallerKind, detail).with_hint(
        "Send the access token instead of the ID token. If it is an access token, add the \
         optional claim idtyp to the API's registration.",
    )
}

fn no_consent() -> Rejection {
    let detail = "The token has neither scopes (scp) nor app roles (roles): nobody consented \
                  to its use here.";
    Rejection::invalid_token(Rule::Consent, detail)
        .with_hint("Request a scope of the API, or grant the app an app role with admin consent.")
}
