//! The operations on todos. The first parameter of each says who may call it (see
//! [`super::security`]).

use poem_openapi::{ApiResponse, OpenApi, Tags, param::Query};

use crate::{
    list::Listing,
    store::{Creation, Store},
    todo::{IdempotencyKey, Todo},
};

use super::{
    audit,
    bodies::{TodoBody, TodoChange, TodoCreation, TodoEnvelope, TodoPage},
    http::{
        headers::Field,
        json::Json,
        paging::{Cursor, Limit, Page, next_page},
        preconditions::{EntityTag, IfMatch, IfNoneMatch, NoPreconditions, Preconditions},
        problem::Problem,
    },
    security::{ReadableTodo, SignedIn, TenantWriter, WritableTodo},
};

/// The operations on todos.
pub struct TodosApi {
    /// Stores the todos.
    pub store: Store,
    /// What the paths in responses begin with: the path of the public URL, without a slash at the
    /// end.
    pub base: String,
}

#[derive(Tags)]
enum Tag {
    /// Things to do, each owned by the person who created it.
    Todos,
}

#[OpenApi(tag = "Tag::Todos")]
impl TodosApi {
    /// List todos
    ///
    /// Lists the caller's own todos, oldest first. Users with certain app roles get all todos of
    /// the tenant.
    #[oai(path = "/todoitems", method = "get", operation_id = "listTodos")]
    async fn list_todos(
        &self,
        caller: SignedIn,
        /// The page size; 100 by default.
        limit: Query<Option<Limit>>,
        /// The cursor of the page: the value of `next` in the previous page.
        after: Query<Option<Cursor>>,
        /// `ETag`s of the page: the response is 412 if none of them is current.
        #[oai(name = "If-Match")]
        expected: Field<IfMatch>,
        /// `ETag`s that the client has stored: the response is 304 if one of them is current.
        #[oai(name = "If-None-Match")]
        known: Field<IfNoneMatch>,
    ) -> Result<ListTodosResponse, Problem> {
        let page = Page::parse(limit.0.as_ref(), after.0.as_ref())?;
        let preconditions = Preconditions::new(expected, known)?;
        let listing = self.store.list(&caller.reads, page.after, page.limit).await?;
        ListTodosResponse::new(&self.base, &page, listing, &preconditions)
    }

    /// Create a todo
    ///
    /// Creates a todo that the caller owns. White space around the name is removed. With an
    /// `Idempotency-Key`, the request can be retried for 24 hours: the todo is created once, and
    /// each retry gets the same response.
    #[oai(path = "/todoitems", method = "post", operation_id = "createTodo")]
    async fn create_todo(
        &self,
        caller: SignedIn,
        /// A unique name for this request, such as a UUID: 1 to 255 visible ASCII characters
        /// without quotes and backslashes. Quotes around it are ignored.
        #[oai(name = "Idempotency-Key")]
        key: Field<IdempotencyKey>,
        _conditions: NoPreconditions,
        body: Json<TodoCreation>,
    ) -> Result<CreateTodoResponse, Problem> {
        let new = body.0.item.parse()?;
        match self.store.create(&caller.owner, &new, key.0.as_ref()).await? {
            Creation::Made(todo) => Ok(CreateTodoResponse::new(&self.base, todo)),
            Creation::KeyReused => Err(Problem::idempotency_key_reused()),
            Creation::LimitReached => Err(Problem::todo_limit_reached()),
        }
    }

    /// Delete all todos
    ///
    /// Deletes all todos of the caller's tenant, regardless of owner. Their ids are never reused.
    /// With `If-Match`, nothing is deleted if the list has changed since the client read it: a todo
    /// was added, or one on the first page was changed or deleted.
    #[oai(path = "/todoitems", method = "delete", operation_id = "deleteAllTodos")]
    async fn delete_all_todos(
        &self,
        caller: TenantWriter,
        /// The `ETag` from `GET /todoitems` without query parameters: the response is 412 if it is
        /// not current.
        #[oai(name = "If-Match")]
        expected: Field<IfMatch>,
        /// `ETag`s that the list must not have: the response is 412 if one of them is current.
        #[oai(name = "If-None-Match")]
        unexpected: Field<IfNoneMatch>,
    ) -> Result<DeleteTodoResponse, Problem> {
        let condition = Preconditions::new(expected, unexpected)?.of_list();
        let outcome = self.store.delete_all(caller.owner.tenant, condition).await;
        let outcome = outcome.inspect_err(|_| audit::record_failure(&caller, "deleteAllTodos"));
        let todos = outcome?.ok_or_else(Problem::precondition_failed)?;
        audit::record(&caller, "deleteAllTodos", todos);
        Ok(DeleteTodoResponse::Deleted)
    }

    /// Get a todo
    ///
    /// Gets one todo by its id.
    #[oai(path = "/todoitems/:id", method = "get", operation_id = "getTodo")]
    async fn get_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        found: ReadableTodo,
        /// `ETag`s of the todo: the response is 412 if none of them is current.
        #[oai(name = "If-Match")]
        expected: Field<IfMatch>,
        /// `ETag`s that the client has stored: the response is 304 if one of them is current.
        #[oai(name = "If-None-Match")]
        known: Field<IfNoneMatch>,
    ) -> Result<GetTodoResponse, Problem> {
        GetTodoResponse::new(found.todo, &Preconditions::new(expected, known)?)
    }

    /// Change a todo
    ///
    /// Changes only the members of a todo that the request contains. With `If-Match`, nothing is
    /// changed if somebody else has changed the todo in the meantime.
    #[oai(path = "/todoitems/:id", method = "patch", operation_id = "updateTodo")]
    async fn update_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        found: WritableTodo,
        /// The `ETag` that the client has stored: the response is 412 if it is not current.
        #[oai(name = "If-Match")]
        expected: Field<IfMatch>,
        /// `ETag`s that the todo must not have: the response is 412 if one of them is current.
        #[oai(name = "If-None-Match")]
        unexpected: Field<IfNoneMatch>,
        body: Json<TodoChange>,
    ) -> Result<UpdateTodoResponse, Problem> {
        let change = body.0.item.parse()?;
        let condition = Preconditions::new(expected, unexpected)?.of_todo(&found)?;
        let (store, access) = (&self.store, &found.caller.writes);
        let changed = store.update(access, found.id, condition.version(), &change).await?;
        let todo = changed.ok_or_else(|| condition.problem())?;
        if todo.version != found.version {
            audit::record_one(&found, "updateTodo");
        }
        Ok(UpdateTodoResponse::new(todo))
    }

    /// Delete a todo
    ///
    /// Deletes one todo. Its id is never reused.
    #[oai(path = "/todoitems/:id", method = "delete", operation_id = "deleteTodo")]
    async fn delete_todo(
        &self,
        /// The todo's id.
        #[oai(name = "id")]
        found: WritableTodo,
        /// The `ETag` that the client has stored: the response is 412 if it is not current.
        #[oai(name = "If-Match")]
        expected: Field<IfMatch>,
        /// `ETag`s that the todo must not have: the response is 412 if one of them is current.
        #[oai(name = "If-None-Match")]
        unexpected: Field<IfNoneMatch>,
    ) -> Result<DeleteTodoResponse, Problem> {
        let condition = Preconditions::new(expected, unexpected)?.of_todo(&found)?;
        let (store, access) = (&self.store, &found.caller.writes);
        if !store.delete(access, found.id, condition.version()).await? {
            return Err(condition.problem());
        }
        audit::record_one(&found, "deleteTodo");
        Ok(DeleteTodoResponse::Deleted)
    }
}

#[derive(ApiResponse)]
enum ListTodosResponse {
    /// A page of todos.
    #[oai(status = 200)]
    Page(
        Json<TodoPage>,
        /// A link to the next page, with `rel="next"` (RFC 8288); absent on the last page.
        #[oai(header = "Link")]
        Option<String>,
        /// Entity tag of this page (RFC 9110, section 8.8.3). It changes when a todo on the page
        /// changes, and when a todo is added after it.
        #[oai(header = "ETag")]
        EntityTag,
    ),
    /// The client has the current state.
    #[oai(status = 304)]
    NotModified(
        /// Entity tag of this page.
        #[oai(header = "ETag")]
        EntityTag,
    ),
}

impl ListTodosResponse {
    fn new(
        base: &str,
        page: &Page,
        listing: Listing,
        preconditions: &Preconditions,
    ) -> Result<Self, Problem> {
        let next = next_page(&listing);
        let tag = EntityTag::of_page(&listing);
        if preconditions.of_read(&tag)? {
            return Ok(Self::NotModified(tag));
        }
        let link = next.as_deref().map(|next| page.link(base, next));
        let items = listing.todos.into_iter().map(TodoBody::from).collect();
        Ok(Self::Page(Json(TodoPage { items, next }), link, tag))
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
        /// Entity tag of this version of the todo, for `If-Match` (RFC 9110, section 8.8.3).
        #[oai(header = "ETag")]
        EntityTag,
    ),
}

impl CreateTodoResponse {
    fn new(base: &str, todo: Todo) -> Self {
        let location = format!("{base}/todoitems/{}", todo.id);
        let tag = EntityTag::of_todo(&todo);
        Self::Created(Json(todo.into()), location, tag)
    }
}

#[derive(ApiResponse)]
enum GetTodoResponse {
    /// The todo.
    #[oai(status = 200)]
    Found(
        Json<TodoEnvelope>,
        /// Entity tag of this version of the todo, for `If-Match` and `If-None-Match` (RFC 9110,
        /// section 8.8.3).
        #[oai(header = "ETag")]
        EntityTag,
    ),
    /// The client has the current state.
    #[oai(status = 304)]
    NotModified(
        /// Entity tag of this version of the todo.
        #[oai(header = "ETag")]
        EntityTag,
    ),
}

impl GetTodoResponse {
    fn new(todo: Todo, preconditions: &Preconditions) -> Result<Self, Problem> {
        let tag = EntityTag::of_todo(&todo);
        Ok(match preconditions.of_read(&tag)? {
            true => Self::NotModified(tag),
            false => Self::Found(Json(todo.into()), tag),
        })
    }
}

#[derive(ApiResponse)]
enum UpdateTodoResponse {
    /// The changed todo.
    #[oai(status = 200)]
    Changed(
        Json<TodoEnvelope>,
        /// Entity tag of the new version, for the next `If-Match`.
        #[oai(header = "ETag")]
        EntityTag,
    ),
}

impl UpdateTodoResponse {
    fn new(todo: Todo) -> Self {
        let tag = EntityTag::of_todo(&todo);
        Self::Changed(Json(todo.into()), tag)
    }
}

#[derive(ApiResponse)]
enum DeleteTodoResponse {
    /// Deleted.
    #[oai(status = 204)]
    Deleted,
}
