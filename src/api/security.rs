//! THE DECLARATION. From what stands here come the routing's checks, the enforcement and the
//! security part of the OpenAPI document. A handler is protected by the type of its first
//! parameter:
//!
//! - [`SignedIn`]: any signed-in user; it gives the caller's [`Member`].
//! - [`AdminOnly`]: the app role `Admin`; it gives the caller's [`Member`] too.
//! - [`OwnedTodo`]: loads the todo of the path and lets only its owner or an admin through.

use std::ops::Deref;

use poem::{Request, RequestBody, Result};
use poem_entra::{
    Policy, Principal, Rejection, Requirement, User,
    poem::{Guard, SecurityScheme, authorize},
    policy::Caller,
    security_scheme,
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef, Registry},
};
use uuid::Uuid;

use crate::{
    store::Store,
    todo::{Access, Owner, Tenant, Todo, TodoId},
};

use super::problem::{Code, Problem};

security_scheme!(
    pub EntraId,
    "access_as_user" = "Read and write the todos of the signed-in user."
);

/// The scope as in tokens, by its short name.
pub const ACCESS_AS_USER: &str = "access_as_user";

/// The app role of people who see and delete everybody's todos.
const ADMIN: &str = "Admin";

/// Any signed-in user.
pub struct AnyUser;

impl Policy for AnyUser {
    type Caller = Member;
    const REQUIRES: Requirement = Requirement::scope(&[ACCESS_AS_USER]);
}

/// Signed-in users with the app role `Admin`.
pub struct Admins;

impl Policy for Admins {
    type Caller = Member;
    const REQUIRES: Requirement = AnyUser::REQUIRES.and_role(&[ADMIN]);
}

/// Signed-in users; which of them, the todo says.
pub struct OwnerOrAdmin;

impl Policy for OwnerOrAdmin {
    type Caller = Member;
    const REQUIRES: Requirement =
        AnyUser::REQUIRES.and_note("only the todo's owner, or the app role `Admin`");
}

/// A guard: any signed-in user.
pub type SignedIn = Guard<EntraId, AnyUser>;

/// A guard: the app role `Admin`.
pub type AdminOnly = Guard<EntraId, Admins>;

/// A guard: the todo of the path, for its owner or an admin.
pub struct OwnedTodo {
    /// The todo as it was when the guard looked.
    pub todo: Todo,
    /// Who wants to read or change it.
    pub caller: Member,
}

/// The caller in the domain's words.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Whose todos the caller makes.
    pub owner: Owner,
    /// Which todos the caller reaches; queries are limited to them.
    pub access: Access,
    /// The app through which the caller sends the request, if the token says so.
    pub client: Option<Uuid>,
}

impl Caller for Member {
    fn from_principal(principal: Principal) -> Result<Self, Rejection> {
        let client = principal.client().map(|client| client.as_uuid());
        let user = User::from_principal(principal)?;
        let tenant = Tenant(user.tenant().as_uuid());
        let owner = Owner { tenant, object_id: user.object_id().as_uuid() };
        let access = if user.has_role(ADMIN) { Access::Tenant(tenant) } else { Access::Own(owner) };
        Ok(Self { owner, access, client })
    }
}

impl Deref for OwnedTodo {
    type Target = Todo;

    fn deref(&self) -> &Todo {
        &self.todo
    }
}

/// One type is both the path's parameter and the security requirement.
impl<'a> ApiExtractor<'a> for OwnedTodo {
    const TYPES: &'static [ApiExtractorType] =
        &[ApiExtractorType::Parameter, ApiExtractorType::SecurityScheme];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = i64;
    type ParamRawType = i64;

    fn register(registry: &mut Registry) {
        SignedIn::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        EntraId::with_policy::<OwnerOrAdmin>()
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let id = MetaSchema::new_with_format("integer", "int64");
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema { minimum: Some(1.0), ..id })))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<i64>,
    ) -> Result<Self> {
        let caller = authorize::<OwnerOrAdmin>(request).await?;
        let id = request.path_params::<String>().ok().as_deref().and_then(TodoId::parse);
        let id = id.ok_or_else(|| {
            Problem::invalid("path:id", "must be a whole number from 1 to 9223372036854775807")
        })?;
        let store = request
            .data::<Store>()
            .ok_or_else(|| Problem::internal("no store in the endpoint's data"))?;
        let found = store.find(caller.access.tenant(), id).await.map_err(Problem::from)?;
        let todo = found.ok_or_else(Problem::no_such_todo)?;
        if !caller.access.reaches(&todo.owner) {
            return Err(Problem::new(Code::NotOwner, "The todo belongs to somebody else.").into());
        }
        Ok(Self { todo, caller })
    }
}
