//! The guard of operations on one todo. It loads the todo, because the right depends on its owner.

use std::{marker::PhantomData, ops::Deref};

use poem::{Request, RequestBody, Result};
use poem_entra::{
    Policy, Requirement,
    poem::{SecurityScheme, authorize},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef, Registry},
};

use crate::{
    api::http::problem::Problem,
    store::Store,
    todo::{Todo, TodoId},
};

use super::{AnyUser, EntraId, Member, Right, in_words};

/// Loads the todo that the path names, for a user who has the required right.
pub struct TodoGuard<R> {
    /// The todo as the guard found it.
    pub todo: Todo,
    /// The user.
    pub caller: Member,
    right: PhantomData<R>,
}

/// The right to read a todo.
pub struct Read;

/// The right to change or delete a todo.
pub struct Write;

/// A right that a guard requires.
pub trait TodoRight: Send + Sync + 'static {
    #[doc(hidden)]
    const RIGHT: Right;
}

impl TodoRight for Read {
    const RIGHT: Right = Right::Read;
}

impl TodoRight for Write {
    const RIGHT: Right = Right::Write;
}

/// Users with the required right to the todo that the path names.
pub struct HasRight<R>(PhantomData<R>);

impl<R: TodoRight> Policy for HasRight<R> {
    type Caller = Member;
    const REQUIRES: Requirement = AnyUser::REQUIRES;

    fn note() -> Option<String> {
        Some(format!("only the todo's owner, or {}", in_words(R::RIGHT)))
    }
}

impl<R> Deref for TodoGuard<R> {
    type Target = Todo;

    fn deref(&self) -> &Todo {
        &self.todo
    }
}

/// The name that poem-openapi gives to the first parameter of a path.
const FIRST_PATH_PARAMETER: &str = "param0";

/// The guard is both the parameter of the path and the security requirement.
impl<'a, R: TodoRight> ApiExtractor<'a> for TodoGuard<R> {
    const TYPES: &'static [ApiExtractorType] =
        &[ApiExtractorType::Parameter, ApiExtractorType::SecurityScheme];
    const PARAM_IS_REQUIRED: bool = true;

    type ParamType = i64;
    type ParamRawType = i64;

    fn register(registry: &mut Registry) {
        EntraId::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        EntraId::with_policy::<HasRight<R>>()
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
        let caller = authorize::<HasRight<R>>(request).await?;
        // There is no value if the path is not valid UTF-8 after decoding.
        let id = request.raw_path_param(FIRST_PATH_PARAMETER).and_then(TodoId::parse);
        let id = id.ok_or_else(Problem::invalid_id)?;
        let store = request
            .data::<Store>()
            .ok_or_else(|| Problem::internal("no store in the endpoint's data"))?;
        let found = store.find(caller.owner.tenant, id).await.map_err(Problem::from)?;
        let todo = found.ok_or_else(Problem::no_such_todo)?;
        if !caller.access(R::RIGHT).reaches(&todo.owner) {
            return Err(Problem::not_owner().into());
        }
        Ok(Self { todo, caller, right: PhantomData })
    }
}
