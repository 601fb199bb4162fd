//! THE DECLARATION: who may do what. The checks, the security part of the OpenAPI document and its
//! description all come from here. A handler is protected by the type of its first parameter:
//!
//! - [`SignedIn`]: any signed-in user.
//! - [`TenantWriter`]: a user with an app role that grants write access to all todos of the tenant.
//! - [`ReadableTodo`], [`WritableTodo`]: load the todo that the path names, for a user who may read
//!   or write it.

mod todo_guard;

use poem_entra::{
    Policy, Principal, Rejection, Requirement, User, poem::Guard, policy::Caller, security_scheme,
};
use uuid::Uuid;

use crate::todo::{Access, Owner, Tenant};

use super::http::problem::Problem;

pub use self::todo_guard::{HasRight, Read, TodoGuard, TodoRight, Write};

security_scheme!(
    pub EntraId,
    "access_as_user" = "Read and write the todos of the signed-in user."
);

/// The short name of the scope, as in tokens.
pub const ACCESS_AS_USER: &str = "access_as_user";

/// The scopes of the scheme as they are registered, with what people read before they consent.
pub const SCOPES: &[Scope] = &[Scope {
    name: ACCESS_AS_USER,
    admin_consent_name: "Read and write todos as the user",
    admin_consent_description: "Lets the app read and write the todos of the signed-in user.",
    user_consent_name: "Read and write your todos",
    user_consent_description: "Lets the app read and write your todos.",
}];

/// A scope of the API's registration.
pub struct Scope {
    /// The value of the scope, as in tokens.
    pub name: &'static str,
    /// The title that an administrator sees.
    pub admin_consent_name: &'static str,
    /// What an administrator reads below the title.
    pub admin_consent_description: &'static str,
    /// The title that a user sees.
    pub user_consent_name: &'static str,
    /// What a user reads below the title.
    pub user_consent_description: &'static str,
}

/// What the app roles add. Every signed-in user can read and write their own todos.
const ROLES: &[Role] = &[
    Role { name: "Admin", reads: Reach::Tenant, writes: Reach::Tenant },
    Role { name: "Auditor", reads: Reach::Tenant, writes: Reach::Own },
];

/// An app role without rights. Assign it to people who have no other role, if only assigned people
/// may sign in.
const MEMBER: &str = "User";

// The response to a change contains the todo, so a role that writes a todo must also read it.
const _: () = {
    let mut row = 0;
    while row < ROLES.len() {
        let role = &ROLES[row];
        assert!(role.reaches_tenant(Right::Read) || !role.reaches_tenant(Right::Write));
        row += 1;
    }
};

struct Role {
    /// The value of the app role, as in tokens.
    name: &'static str,
    reads: Reach,
    writes: Reach,
}

/// The todos that a right applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The caller's own.
    Own,
    /// All of the caller's tenant.
    Tenant,
}

/// What a caller may do with a todo.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Right {
    Read,
    Write,
}

impl Role {
    const fn reaches_tenant(&self, right: Right) -> bool {
        matches!(
            match right {
                Right::Read => self.reads,
                Right::Write => self.writes,
            },
            Reach::Tenant
        )
    }
}

/// Any signed-in user.
pub struct AnyUser;

impl AnyUser {
    const SCOPES: &[&str] = &[ACCESS_AS_USER];
}

impl Policy for AnyUser {
    type Caller = Member;
    const REQUIRES: Requirement = Requirement::scope(Self::SCOPES);
}

/// Users with an app role that grants write access to all todos of the tenant.
pub struct WritesTenant;

impl Policy for WritesTenant {
    type Caller = Member;
    const REQUIRES: Requirement = AnyUser::REQUIRES.and_role(&TENANT_WRITERS);
}

/// A guard: any signed-in user.
pub type SignedIn = Guard<EntraId, AnyUser>;

/// A guard: users with an app role that grants write access to all todos of the tenant.
pub type TenantWriter = Guard<EntraId, WritesTenant>;

/// A guard: the todo that the path names, for a user who may read it.
pub type ReadableTodo = TodoGuard<Read>;

/// A guard: the todo that the path names, for a user who may write it.
pub type WritableTodo = TodoGuard<Write>;

/// The caller in terms of the domain.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The owner of the todos that the caller creates.
    pub owner: Owner,
    /// The todos that the caller reads.
    pub reads: Access,
    /// The todos that the caller changes and deletes.
    pub writes: Access,
    /// The app that sends the request for the caller, if the token names it.
    pub client: Option<Uuid>,
}

impl Caller for Member {
    fn from_principal(principal: Principal) -> Result<Self, Rejection> {
        let user = User::from_principal(principal)?;
        let tenant = Tenant(user.tenant().as_uuid());
        let owner = Owner { tenant, object_id: user.object_id().as_uuid() };
        let access = |right| match roles_with(right).any(|role| user.has_role(role)) {
            true => Access::Tenant(tenant),
            false => Access::Own(owner),
        };
        let client = user.client().map(|client| client.as_uuid());
        Ok(Self { owner, reads: access(Right::Read), writes: access(Right::Write), client })
    }
}

impl Member {
    fn access(&self, right: Right) -> &Access {
        match right {
            Right::Read => &self.reads,
            Right::Write => &self.writes,
        }
    }
}

/// 403: the token lacks the scope.
pub fn insufficient_scope() -> Problem {
    Problem::from(&Rejection::insufficient_scope(AnyUser::SCOPES, &["another_scope"]))
}

/// 403: the caller lacks an app role that grants write access to all todos of the tenant.
pub fn insufficient_role() -> Problem {
    Problem::from(&Rejection::insufficient_role(&TENANT_WRITERS))
}

/// What the app roles allow, for the description of the API.
pub fn roles_in_words() -> String {
    let sentences = ROLES.iter().map(|Role { name, reads, writes }| {
        let what = match (reads, writes) {
            (Reach::Tenant, Reach::Tenant) => {
                "allows reading, changing and deleting all todos of the tenant"
            }
            (Reach::Tenant, Reach::Own) => "allows reading all todos of the tenant",
            // A role that does not read the todos of others does not write them either: see above.
            (Reach::Own, _) => "adds nothing",
        };
        format!("The app role `{name}` {what}.")
    });
    sentences.collect::<Vec<_>>().join(" ")
}

/// The app roles of the API's registration, each with its description.
pub fn registered_roles() -> impl Iterator<Item = (&'static str, &'static str)> {
    let with_rights = ROLES.iter().map(|Role { name, reads, writes }| {
        let description = match (reads, writes) {
            (Reach::Tenant, Reach::Tenant) => "Sees, changes and deletes all todos of the tenant.",
            (Reach::Tenant, Reach::Own) => "Sees all todos of the tenant.",
            (Reach::Own, _) => USES_THE_API,
        };
        (*name, description)
    });
    with_rights.chain([(MEMBER, USES_THE_API)])
}

const USES_THE_API: &str = "Uses the API.";

/// Which todos a right applies to, for summaries: `own, A and B: all`, where A and B are app roles.
pub fn reach_in_words(right: Right) -> String {
    let names: Vec<_> = roles_with(right).collect();
    match names.is_empty() {
        true => "own".to_owned(),
        false => format!("own, {}: all", names.join(" and ")),
    }
}

/// `users with the app role A or B`.
fn in_words(right: Right) -> String {
    let names: Vec<_> = roles_with(right).map(|name| format!("`{name}`")).collect();
    format!("users with the app role {}", names.join(" or "))
}

/// The app roles whose right applies to all todos of the tenant.
fn roles_with(right: Right) -> impl Iterator<Item = &'static str> {
    ROLES.iter().filter(move |role| role.reaches_tenant(right)).map(|role| role.name)
}

/// The app roles that grant write access to all todos of the tenant, as a constant for a policy.
const TENANT_WRITERS: [&str; count(Right::Write)] = names(Right::Write);

const fn count(right: Right) -> usize {
    let (mut row, mut count) = (0, 0);
    while row < ROLES.len() {
        if ROLES[row].reaches_tenant(right) {
            count += 1;
        }
        row += 1;
    }
    count
}

const fn names<const COUNT: usize>(right: Right) -> [&'static str; COUNT] {
    let (mut row, mut count) = (0, 0);
    let mut names = [""; COUNT];
    while row < ROLES.len() {
        if ROLES[row].reaches_tenant(right) {
            names[count] = ROLES[row].name;
            count += 1;
        }
        row += 1;
    }
    names
}
