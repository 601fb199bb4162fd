//! The operations. Each states in its signature who may call it (see [`super::security`]).

use poem_openapi::{ApiResponse, Object, OpenApi, Tags, param::Query, types::Example};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    list::Listing,
    store::{Creation, Store},
    todo::{Change, IdempotencyKey, Todo, TodoId, TodoName},
};

use super::{
    audit,
    conditions::{EntityTag, EntityTags, Preconditions},
    header::Field,
    json::Json,
    paging::{Limit, Page, next_page, write_cursor},
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
        /// `ETag`s of copies that the caller has: 304 where one of them is still true.
        #[oai(name = "If-None-Match")]
        known: Field<EntityTags>,
    ) -> Result<ListTodosResponse, Problem> {
        let page = Page::parse(limit.0.as_ref(), after.0.as_deref())?;
        let listing = self.store.list(&caller.access, page.after, page.limit).await?;
        Ok(ListTodosResponse::new(&page, listing, &known))
    }

    /// Create a todo
    ///
    /// The caller becomes its owner. The name is trimmed. With an `Idempotency-Key` the request can
    /// be repeated, for 24 hours: the todo is made once, and each repeat gets the same answer.
    #[oai(path = "/todoitems", method = "post", operation_id = "create_todo")]
    async fn create_todo(
        &self,
        caller: SignedIn,
        /// Any name for this request that the caller uses for no other one, such as a UUID: 1 to
        /// 255 visible ASCII characters without quotes and backslashes; quotes around them do not
        /// count.
        #[oai(name = "Idempotency-Key")]
        key: Field<IdempotencyKey>,
        body: Json<NewTodo>,
    ) -> Result<CreateTodoResponse, Problem> {
        let name = body.0.item.parse()?;
        match self.store.create(&caller.owner, &name, key.0.as_ref()).await? {
            Creation::Made(todo) => Ok(CreateTodoResponse::new(todo)),
            Creation::KeyReused => Err(Problem::idempotency_key_reused()),
        }
    }

    /// Delete all todos
    ///
    /// Every todo of the caller's tenant, whoever owns it. Their ids are never used again. With
    /// `If-Match`, nothing is deleted if the list has changed since the caller read it.
    #[oai(path = "/todoitems", method = "delete", operation_id = "delete_all_todos")]
    async fn delete_all_todos(
        &self,
        admin: AdminOnly,
        /// The `ETag` of the list without parameters as the caller knows it: 412 if the list has
        /// another one by now.
        #[oai(name = "If-Match")]
        expected: Field<EntityTags>,
        /// `ETag`s that the list must not have: 412 if it has one of them.
        #[oai(name = "If-None-Match")]
        unexpected: Field<EntityTags>,
    ) -> Result<DeleteTodoResponse, Problem> {
        let condition = Preconditions::new(expected, unexpected).of_list();
        let deleted = self.store.delete_all(admin.owner.tenant, condition).await?;
        let todos = deleted.ok_or_else(Problem::precondition_failed)?;
        audit::record(&admin, "delete_all_todos", todos);
        Ok(DeleteTodoResponse::Deleted)
    }

    /// Get a todo
    #[oai(path = "/todoitems/:id", method = "get", operation_id = "get_todo")]
    async fn get_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        owned: OwnedTodo,
        /// `ETag`s of copies that the caller has: 304 where one of them is still true.
        #[oai(name = "If-None-Match")]
        known: Field<EntityTags>,
    ) -> Result<GetTodoResponse, Problem> {
        Ok(GetTodoResponse::new(owned.todo, &known))
    }

    /// Change a todo
    ///
    /// What is not given stays as it is. With `If-Match`, nothing is changed that somebody else has
    /// changed in the meantime.
    #[oai(path = "/todoitems/:id", method = "patch", operation_id = "update_todo")]
    async fn update_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        owned: OwnedTodo,
        /// The `ETag` of the todo as the caller knows it: 412 where it is another one by now.
        #[oai(name = "If-Match")]
        expected: Field<EntityTags>,
        /// `ETag`s that the todo must not have: 412 if it has one of them.
        #[oai(name = "If-None-Match")]
        unexpected: Field<EntityTags>,
        body: Json<TodoChange>,
    ) -> Result<UpdateTodoResponse, Problem> {
        let change = body.0.item.parse()?;
        let condition = Preconditions::new(expected, unexpected).of_todo(&owned)?;
        let (store, access) = (&self.store, &owned.caller.access);
        let changed = store.update(access, owned.id, condition.version(), &change).await?;
        let todo = changed.ok_or_else(|| condition.problem())?;
        if todo.version != owned.version {
            audit::record_one(&owned, "update_todo");
        }
        Ok(UpdateTodoResponse::new(todo))
    }

    /// Delete a todo
    #[oai(path = "/todoitems/:id", method = "delete", operation_id = "delete_todo")]
    async fn delete_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        owned: OwnedTodo,
        /// The `ETag` of the todo as the caller knows it: 412 where it is another one by now.
        #[oai(name = "If-Match")]
        expected: Field<EntityTags>,
        /// `ETag`s that the todo must not have: 412 if it has one of them.
        #[oai(name = "If-None-Match")]
        unexpected: Field<EntityTags>,
    ) -> Result<DeleteTodoResponse, Problem> {
        let condition = Preconditions::new(expected, unexpected).of_todo(&owned)?;
        let (store, access) = (&self.store, &owned.caller.access);
        if !store.delete(access, owned.id, condition.version()).await? {
            return Err(condition.problem());
        }
        audit::record_one(&owned, "delete_todo");
        Ok(DeleteTodoResponse::Deleted)
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
        /// Entity tag of this page (RFC 9110, section 8.8.3): it changes when a todo on the page
        /// changes, and when one is added after it.
        #[oai(header = "ETag")]
        String,
    ),
    /// The caller has it already.
    #[oai(status = 304)]
    NotModified(
        /// Entity tag of this page.
        #[oai(header = "ETag")]
        String,
    ),
}

impl ListTodosResponse {
    fn new(page: &Page, listing: Listing, known: &Field<EntityTags>) -> Self {
        let next = next_page(&listing);
        let tag = EntityTag::of_page(&listing);
        if known.knows(&tag) {
            return Self::NotModified(tag.to_string());
        }
        let link = next.as_deref().map(|next| page.link(next));
        let items = listing.todos.into_iter().map(TodoBody::from).collect();
        Self::Page(Json(TodoPage { items, next }), link, tag.to_string())
    }
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
        /// Names this version of the todo, for `If-Match` (RFC 9110, section 8.8.3).
        #[oai(header = "ETag")]
        String,
    ),
}

impl CreateTodoResponse {
    fn new(todo: Todo) -> Self {
        let (location, tag) = (format!("/todoitems/{}", todo.id), EntityTag::of_todo(&todo));
        Self::Created(Json(todo.into()), location, tag.to_string())
    }
}

#[derive(ApiResponse)]
enum GetTodoResponse {
    /// The todo.
    #[oai(status = 200)]
    Found(
        Json<TodoEnvelope>,
        /// Names this version of the todo, for `If-Match` and `If-None-Match` (RFC 9110, section
        /// 8.8.3).
        #[oai(header = "ETag")]
        String,
    ),
    /// The caller has it already.
    #[oai(status = 304)]
    NotModified(
        /// Names this version of the todo.
        #[oai(header = "ETag")]
        String,
    ),
}

impl GetTodoResponse {
    fn new(todo: Todo, known: &Field<EntityTags>) -> Self {
        let tag = EntityTag::of_todo(&todo);
        match known.knows(&tag) {
            true => Self::NotModified(tag.to_string()),
            false => Self::Found(Json(todo.into()), tag.to_string()),
        }
    }
}

#[derive(ApiResponse)]
enum UpdateTodoResponse {
    /// The todo as it is now.
    #[oai(status = 200)]
    Changed(
        Json<TodoEnvelope>,
        /// Names this version of the todo, for the next `If-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

impl UpdateTodoResponse {
    fn new(todo: Todo) -> Self {
        let tag = EntityTag::of_todo(&todo);
        Self::Changed(Json(todo.into()), tag.to_string())
    }
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
#[serde(deny_unknown_fields, expecting = "an object")]
#[oai(deny_unknown_fields, example)]
struct NewTodo {
    item: NewTodoItem,
}

/// What a new todo is made of.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[oai(deny_unknown_fields, example)]
struct NewTodoItem {
    /// What is to be done: 1 to 200 characters once trimmed, no control characters.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
}

/// A todo to be changed.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[oai(deny_unknown_fields, example)]
struct TodoChange {
    item: TodoChangeItem,
}

/// What is to be changed.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, expecting = "an object")]
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

impl From<Todo> for TodoBody {
    fn from(todo: Todo) -> Self {
        Self {
            id: todo.id.get(),
            name: todo.name.into_string(),
            owner_id: todo.owner.object_id,
            is_complete: todo.is_complete,
        }
    }
}

impl From<Todo> for TodoEnvelope {
    fn from(todo: Todo) -> Self {
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
