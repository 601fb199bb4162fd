//! The operations. Each states in its signature who may call it (see [`super::security`]).

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags,
    param::Query,
    registry::{MetaSchema, MetaSchemaRef},
    types::{Example, ParseFromParameter, ParseResult, Type},
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    store::Store,
    todo::{self, Change, TodoId, TodoName},
};

use super::{
    json::Json,
    problem::Problem,
    security::{AdminOnly, OwnedTodo, SignedIn},
};

/// The operations on todos.
pub struct TodosApi {
    /// Where the todos are kept.
    pub store: Store,
}

#[derive(Tags)]
enum Tag {
    /// Things to be done, each owned by the person who made it.
    Todos,
}

#[OpenApi(tag = "Tag::Todos")]
impl TodosApi {
    /// List todos
    ///
    /// The caller's own todos, oldest first; for an admin, all of their tenant.
    #[oai(path = "/todoitems", method = "get", operation_id = "list_todos")]
    async fn list_todos(
        &self,
        caller: SignedIn,
        /// How many todos at most; 100 when not given.
        limit: Query<Option<Limit>>,
        /// `next` of the page before.
        after: Query<Option<String>>,
    ) -> Result<ListTodosResponse, Problem> {
        let page = Page::parse(limit.0.as_ref(), after.0.as_deref())?;
        let todos = self.store.list(&caller.access, page.after, page.limit_and_one()).await?;
        Ok(page.respond(todos))
    }

    /// Create a todo
    ///
    /// The caller becomes its owner. The name is trimmed.
    #[oai(path = "/todoitems", method = "post", operation_id = "create_todo")]
    async fn create_todo(
        &self,
        caller: SignedIn,
        body: Json<NewTodo>,
    ) -> Result<CreateTodoResponse, Problem> {
        let name = body.0.item.parse()?;
        let todo = self.store.create(&caller.owner, &name).await?;
        let location = format!("/todoitems/{}", todo.id);
        Ok(CreateTodoResponse::Created(Json(todo.into()), location))
    }

    /// Delete all todos
    ///
    /// Every todo of the caller's tenant, whoever owns it. Their ids are never used again.
    #[oai(path = "/todoitems", method = "delete", operation_id = "delete_all_todos")]
    async fn delete_all_todos(&self, tenant: AdminOnly) -> Result<DeleteTodoResponse, Problem> {
        self.store.delete_all(*tenant).await?;
        Ok(DeleteTodoResponse::Deleted)
    }

    /// Get a todo
    #[oai(path = "/todoitems/:id", method = "get", operation_id = "get_todo")]
    async fn get_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        owned: OwnedTodo,
    ) -> Result<TodoResponse, Problem> {
        Ok(TodoResponse::Found(Json(owned.todo.into())))
    }

    /// Change a todo
    ///
    /// What is not given stays as it is.
    #[oai(path = "/todoitems/:id", method = "patch", operation_id = "update_todo")]
    async fn update_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        owned: OwnedTodo,
        body: Json<TodoChange>,
    ) -> Result<TodoResponse, Problem> {
        let change = body.0.item.parse()?;
        let changed = self.store.update(&owned.access, owned.id, &change).await?;
        let todo = changed.ok_or_else(Problem::no_such_todo)?;
        Ok(TodoResponse::Found(Json(todo.into())))
    }

    /// Delete a todo
    #[oai(path = "/todoitems/:id", method = "delete", operation_id = "delete_todo")]
    async fn delete_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        owned: OwnedTodo,
    ) -> Result<DeleteTodoResponse, Problem> {
        let deleted = self.store.delete(&owned.access, owned.id).await?;
        if deleted { Ok(DeleteTodoResponse::Deleted) } else { Err(Problem::no_such_todo()) }
    }
}

#[derive(ApiResponse)]
enum ListTodosResponse {
    /// A page of todos.
    #[oai(status = 200)]
    Page(
        Json<TodoPage>,
        /// The next page, `rel="next"` (RFC 8288); absent on the last one.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum CreateTodoResponse {
    /// The new todo.
    #[oai(status = 201)]
    Created(
        Json<TodoEnvelope>,
        /// The path of the new todo.
        #[oai(header = "Location")]
        String,
    ),
}

#[derive(ApiResponse)]
enum TodoResponse {
    /// The todo.
    #[oai(status = 200)]
    Found(Json<TodoEnvelope>),
}

#[derive(ApiResponse)]
enum DeleteTodoResponse {
    /// Gone.
    #[oai(status = 204)]
    Deleted,
}

/// A todo.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Todo", example)]
struct TodoBody {
    /// Its number; never used again.
    #[oai(validator(minimum(value = "1")))]
    id: i64,
    /// What is to be done.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    /// The owner's object id (`oid`) in the tenant.
    owner_id: uuid::Uuid,
    /// Whether it is done.
    is_complete: bool,
}

/// One todo.
#[derive(Debug, Serialize, Object)]
#[oai(example)]
struct TodoEnvelope {
    item: TodoBody,
}

/// A page of todos, oldest first.
#[derive(Debug, Serialize, Object)]
#[oai(example)]
struct TodoPage {
    items: Vec<TodoBody>,
    /// Where the next page starts, for `after`; `null` on the last page.
    #[oai(nullable)]
    next: Option<String>,
}

/// A todo to be made.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields, example)]
struct NewTodo {
    item: NewTodoItem,
}

/// What a new todo is made of.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields, example)]
struct NewTodoItem {
    /// What is to be done: 1 to 200 characters once trimmed, no control characters.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
}

/// A todo to be changed.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields, example)]
struct TodoChange {
    item: TodoChangeItem,
}

/// What is to be changed.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields)]
#[oai(deny_unknown_fields, example)]
struct TodoChangeItem {
    /// The new name: 1 to 200 characters once trimmed, no control characters.
    #[oai(validator(min_length = 1, max_length = 200), skip_serializing_if_is_none)]
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    /// Whether it is done.
    #[oai(skip_serializing_if_is_none)]
    #[serde(default, deserialize_with = "present")]
    is_complete: Option<bool>,
}

/// A member that may be left out but not be `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    member: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(member).map(Some)
}

impl NewTodoItem {
    fn parse(&self) -> Result<TodoName, Problem> {
        name(&self.name)
    }
}

impl TodoChangeItem {
    fn parse(&self) -> Result<Change, Problem> {
        let name = self.name.as_deref().map(name).transpose()?;
        Ok(Change { name, is_complete: self.is_complete })
    }
}

fn name(text: &str) -> Result<TodoName, Problem> {
    TodoName::parse(text).map_err(|error| Problem::invalid("#/item/name", error.to_string()))
}

/// Which part of a list is asked for.
struct Page {
    limit: u16,
    after: Option<TodoId>,
}

impl Page {
    fn parse(limit: Option<&Limit>, after: Option<&str>) -> Result<Self, Problem> {
        let limit = match limit {
            Some(limit) => limit.parse().ok_or_else(|| {
                Problem::invalid("query:limit", "must be a whole number from 1 to 1000")
            })?,
            None => Limit::DEFAULT,
        };
        let after = match after {
            Some(cursor) => Some(read_cursor(cursor).ok_or_else(|| {
                Problem::invalid("query:after", "must be the `next` of a page before")
            })?),
            None => None,
        };
        Ok(Self { limit, after })
    }

    /// One more than asked for tells whether there is a next page, without counting.
    fn limit_and_one(&self) -> u16 {
        self.limit + 1
    }

    fn respond(&self, mut todos: Vec<todo::Todo>) -> ListTodosResponse {
        let more = todos.len() > usize::from(self.limit);
        todos.truncate(self.limit.into());
        let next = todos.last().filter(|_| more).map(|last| write_cursor(last.id));
        let link = next
            .as_ref()
            .map(|next| format!("</todoitems?limit={}&after={next}>; rel=\"next\"", self.limit));
        let items = todos.into_iter().map(TodoBody::from).collect();
        ListTodosResponse::Page(Json(TodoPage { items, next }), link)
    }
}

/// The `limit` of a list as it was sent. poem-openapi's own numbers are refused in words that are
/// meant for Rust programmers.
struct Limit(String);

impl Limit {
    const DEFAULT: u16 = 100;
    const MAX: u16 = 1_000;

    fn parse(&self) -> Option<u16> {
        self.0.parse().ok().filter(|limit| (1..=Self::MAX).contains(limit))
    }
}

impl Type for Limit {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "limit".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            minimum: Some(1.0),
            maximum: Some(Self::MAX.into()),
            default: Some(Self::DEFAULT.into()),
            ..MetaSchema::new_with_format("integer", "int32")
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromParameter for Limit {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(value.to_owned()))
    }
}

/// A cursor is opaque to callers, and holds no more than the last id seen: what a page may show is
/// decided by the caller's access alone.
fn write_cursor(last: TodoId) -> String {
    URL_SAFE_NO_PAD.encode(format!("{CURSOR_VERSION}{last}"))
}

fn read_cursor(cursor: &str) -> Option<TodoId> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    TodoId::parse(text.strip_prefix(CURSOR_VERSION)?)
}

const CURSOR_VERSION: &str = "v1:";

impl From<todo::Todo> for TodoBody {
    fn from(todo: todo::Todo) -> Self {
        Self {
            id: todo.id.get(),
            name: todo.name.into_string(),
            owner_id: todo.owner.object_id,
            is_complete: todo.is_complete,
        }
    }
}

impl From<todo::Todo> for TodoEnvelope {
    fn from(todo: todo::Todo) -> Self {
        Self { item: todo.into() }
    }
}

impl Example for TodoBody {
    fn example() -> Self {
        Self {
            id: 1,
            name: "Walk the dog".into(),
            owner_id: uuid::uuid!("0a000000-0000-4000-8000-000000000002"),
            is_complete: false,
        }
    }
}

impl Example for TodoEnvelope {
    fn example() -> Self {
        Self { item: TodoBody::example() }
    }
}

impl Example for TodoPage {
    fn example() -> Self {
        Self { items: vec![TodoBody::example()], next: Some(write_cursor(TodoId::from_stored(1))) }
    }
}

impl Example for NewTodo {
    fn example() -> Self {
        Self { item: NewTodoItem::example() }
    }
}

impl Example for NewTodoItem {
    fn example() -> Self {
        Self { name: "Walk the dog".into() }
    }
}

impl Example for TodoChange {
    fn example() -> Self {
        Self { item: TodoChangeItem::example() }
    }
}

impl Example for TodoChangeItem {
    fn example() -> Self {
        Self { name: Some("Walk the dog twice".into()), is_complete: Some(true) }
    }
}
