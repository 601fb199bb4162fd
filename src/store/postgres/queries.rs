//! The SQL for PostgreSQL.
//!
//! Every statement for a caller is limited to a tenant, and to an owner unless the caller may
//! access the whole tenant. Todos with an id up to the one in the tenant's row in `deletions` are
//! deleted, even if their rows still exist.

use sqlx::{Connection, FromRow, PgConnection, Row as _};
use uuid::Uuid;

use crate::{
    list::{DEFAULT_LIMIT, Listing, Rest},
    store::{Creation, KEY_LIFETIME, ListCondition, SWEEP_LIMIT},
    todo::{
        Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, TodoName, Version,
    },
};

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "id, owner, name, is_complete, version"
    };
}

/// The id up to which the todos of the tenant `$1` are deleted.
macro_rules! deleted_through {
    () => {
        "coalesce((SELECT through FROM deletions WHERE tenant = $1), 0)"
    };
}

const LIST_OWN: &str = concat!(
    "SELECT ",
    columns!(),
    ", (SELECT max(id) FROM todos WHERE tenant = $1 AND owner = $2) AS rest
    FROM todos WHERE tenant = $1 AND owner = $2 AND id > greatest($3, ",
    deleted_through!(),
    ") ORDER BY id LIMIT $4"
);

/// A todo may be committed after one with a higher id, so `creations` counts the todos.
const LIST_TENANT: &str = concat!(
    "SELECT ",
    columns!(),
    ", (SELECT CAST(coalesce(sum(number), 0) AS BIGINT) FROM creations WHERE tenant = $1) AS rest
    FROM todos WHERE tenant = $1 AND id > greatest($2, ",
    deleted_through!(),
    ") ORDER BY id LIMIT $3"
);

const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM todos WHERE id = $2 AND tenant = $1 AND id > ",
    deleted_through!()
);

/// The statement takes the id from the sequence while it holds the lock (see the parent module).
/// Otherwise, delete-all could record a higher id first, and the new todo would be invisible.
const CREATE: &str = concat!(
    "WITH turn AS (SELECT pg_advisory_xact_lock_shared(uuid_hash_extended($1, 0))),
    counted AS (
        INSERT INTO creations (tenant, shard, number)
        SELECT $1, pg_backend_pid() % 64, 1 FROM turn
        ON CONFLICT (tenant, shard) DO UPDATE SET number = creations.number + 1
        RETURNING number
    )
    INSERT INTO todos (tenant, owner, name) SELECT $1, $2, $3 FROM counted
    RETURNING ",
    columns!()
);

/// Changes nothing, but still fails on a standby, and on a server that was set to read-only.
pub(super) const CHANGE_NOTHING: &str = "DELETE FROM todos WHERE FALSE";

/// If two requests use the same key at once, the second waits for the first and then changes no
/// row. An expired key is replaced.
const REMEMBER: &str = "
    INSERT INTO idempotency_keys (tenant, owner, key, todo, request, created)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (tenant, owner, key) DO UPDATE
    SET todo = excluded.todo, request = excluded.request, created = excluded.created
    WHERE idempotency_keys.created <= $7";

const RECALL: &str = "
    SELECT todo, request FROM idempotency_keys WHERE tenant = $1 AND owner = $2 AND key = $3";

/// The todo `$2` of the tenant `$1`, if the caller may change it and it has the expected version.
macro_rules! expected_todo {
    () => {
        concat!(
            "id = $2 AND tenant = $1 AND ($3 IS NULL OR owner = $3)
            AND ($4 IS NULL OR version = $4) AND id > ",
            deleted_through!()
        )
    };
}

const UPDATE: &str = concat!(
    "UPDATE todos SET
        name = coalesce($5, name), is_complete = coalesce($6, is_complete),
        version = CASE
            WHEN (name, is_complete) = (coalesce($5, name), coalesce($6, is_complete)) THEN version
            ELSE version + 1
        END
    WHERE ",
    expected_todo!(),
    " RETURNING ",
    columns!()
);

const DELETE: &str = concat!("DELETE FROM todos WHERE ", expected_todo!());

const COUNT_TENANT: &str =
    concat!("SELECT count(*) FROM todos WHERE tenant = $1 AND id > ", deleted_through!());

const DELETE_ALL: &str = "
    INSERT INTO deletions (tenant, through)
    SELECT tenant, id FROM todos WHERE tenant = $1 ORDER BY id DESC LIMIT 1
    ON CONFLICT (tenant) DO UPDATE SET through = excluded.through
    WHERE deletions.through < excluded.through";

/// Not limited to a tenant: removes only rows that delete-all has deleted.
const SWEEP_TODOS: &str = "
    DELETE FROM todos WHERE id IN (
        SELECT todos.id FROM deletions
        JOIN todos ON todos.tenant = deletions.tenant AND todos.id <= deletions.through LIMIT $1
    )";

/// Not limited to a tenant: removes only expired keys.
const SWEEP_KEYS: &str = "
    DELETE FROM idempotency_keys WHERE created <= $2 AND (tenant, owner, key) IN (
        SELECT tenant, owner, key FROM idempotency_keys WHERE created <= $2 LIMIT $1
    )";

const CHECK: &str = "SELECT name FROM todos ORDER BY id LIMIT 1";

pub(super) async fn list(
    connection: &mut PgConnection,
    access: &Access,
    after: Option<TodoId>,
    limit: u16,
) -> sqlx::Result<Listing> {
    let query = match access {
        Access::Own(owner) => sqlx::query(LIST_OWN).bind(owner.tenant.0).bind(owner.object_id),
        Access::Tenant(tenant) => sqlx::query(LIST_TENANT).bind(tenant.0),
    };
    // One more row than fits on the page shows whether there are todos after it.
    let query = query.bind(after.map_or(0, TodoId::get)).bind(i64::from(limit) + 1);
    let mut rows = query.fetch_all(connection).await?;
    let more = rows.get(usize::from(limit));
    let rest = more.map(|row| row.try_get("rest").map(Rest::from_stored)).transpose()?;
    rows.truncate(limit.into());
    let todo = |row| Ok(Row::from_row(row)?.into_todo(access.tenant()));
    let todos = rows.iter().map(todo).collect::<sqlx::Result<_>>()?;
    Ok(Listing { todos, rest })
}

pub(super) async fn find(
    connection: &mut PgConnection,
    tenant: Tenant,
    id: TodoId,
) -> sqlx::Result<Option<Todo>> {
    let query = sqlx::query_as(FIND).bind(tenant.0).bind(id.get());
    let row: Option<Row> = query.fetch_optional(connection).await?;
    Ok(row.map(|row| row.into_todo(tenant)))
}

pub(super) async fn create(
    connection: &mut PgConnection,
    owner: &Owner,
    new: &NewTodo,
) -> sqlx::Result<Todo> {
    // No `..` in the pattern, so a new field is a compile error until it is stored
    // here.
    let NewTodo { name } = new;
    let query = sqlx::query_as(CREATE).bind(owner.tenant.0).bind(owner.object_id);
    let row: Row = query.bind(name.as_str()).fetch_one(connection).await?;
    Ok(row.into_todo(owner.tenant))
}

/// Creates a todo unless the key was used in the 24 hours before `now`, in seconds
/// since 1970.
pub(super) async fn create_once(
    connection: &mut PgConnection,
    owner: &Owner,
    new: &NewTodo,
    key: &IdempotencyKey,
    now: i64,
) -> sqlx::Result<Creation> {
    let request = new.fingerprint();
    let mut transaction = connection.begin().await?;
    let todo = create(&mut transaction, owner, new).await?;
    let remember = sqlx::query(REMEMBER)
        .bind(owner.tenant.0)
        .bind(owner.object_id)
        .bind(key.as_str())
        .bind(todo.id.get())
        .bind(request.as_slice())
        .bind(now)
        .bind(now - KEY_LIFETIME);
    if remember.execute(&mut *transaction).await?.rows_affected() > 0 {
        transaction.commit().await?;
        return Ok(Creation::Made(todo));
    }
    transaction.rollback().await?;
    let recall =
        sqlx::query_as(RECALL).bind(owner.tenant.0).bind(owner.object_id).bind(key.as_str());
    let (id, known): (i64, Vec<u8>) = recall.fetch_one(connection).await?;
    // If the fingerprints are equal, this request describes the todo that was created
    // then.
    Ok(match known == request {
        true => Creation::Made(new.clone().created(TodoId::from_stored(id), *owner)),
        false => Creation::KeyReused,
    })
}

pub(super) async fn update(
    connection: &mut PgConnection,
    access: &Access,
    id: TodoId,
    expected: Option<Version>,
    change: &Change,
) -> sqlx::Result<Option<Todo>> {
    let Change { name, is_complete } = change;
    let query = sqlx::query_as(UPDATE)
        .bind(access.tenant().0)
        .bind(id.get())
        .bind(only_owner(access))
        .bind(expected.map(Version::get))
        .bind(name.as_ref().map(TodoName::as_str))
        .bind(*is_complete);
    let row: Option<Row> = query.fetch_optional(connection).await?;
    Ok(row.map(|row| row.into_todo(access.tenant())))
}

pub(super) async fn delete(
    connection: &mut PgConnection,
    access: &Access,
    id: TodoId,
    expected: Option<Version>,
) -> sqlx::Result<bool> {
    let query = sqlx::query(DELETE)
        .bind(access.tenant().0)
        .bind(id.get())
        .bind(only_owner(access))
        .bind(expected.map(Version::get));
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

pub(super) async fn delete_all(
    connection: &mut PgConnection,
    tenant: Tenant,
    condition: Option<ListCondition>,
) -> sqlx::Result<Option<u64>> {
    if let Some(holds) = condition {
        let tenants = Access::Tenant(tenant);
        let first = list(&mut *connection, &tenants, None, DEFAULT_LIMIT).await?;
        if !holds(&first) {
            return Ok(None);
        }
    }
    let count = sqlx::query_scalar(COUNT_TENANT).bind(tenant.0);
    let count: i64 = count.fetch_one(&mut *connection).await?;
    sqlx::query(DELETE_ALL).bind(tenant.0).execute(connection).await?;
    Ok(Some(count.unsigned_abs()))
}

/// Removes one batch of deleted todos and one of expired keys. Returns whether there
/// were any.
pub(super) async fn sweep(connection: &mut PgConnection, now: i64) -> sqlx::Result<bool> {
    let todos = sqlx::query(SWEEP_TODOS).bind(SWEEP_LIMIT);
    let todos = todos.execute(&mut *connection).await?.rows_affected();
    let keys = sqlx::query(SWEEP_KEYS).bind(SWEEP_LIMIT).bind(now - KEY_LIFETIME);
    let keys = keys.execute(connection).await?.rows_affected();
    Ok(todos + keys > 0)
}

pub(super) async fn check(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(CHECK).fetch_optional(connection).await?;
    Ok(())
}

/// Returns the owner that a query is limited to. `None` for the whole tenant.
fn only_owner(access: &Access) -> Option<Uuid> {
    match access {
        Access::Own(owner) => Some(owner.object_id),
        Access::Tenant(_) => None,
    }
}

/// A row of a statement that is limited to one tenant.
#[derive(FromRow)]
struct Row {
    id: i64,
    owner: Uuid,
    name: String,
    is_complete: bool,
    version: i64,
}

impl Row {
    fn into_todo(self, tenant: Tenant) -> Todo {
        Todo {
            id: TodoId::from_stored(self.id),
            name: TodoName::from_stored(self.name),
            owner: Owner { tenant, object_id: self.owner },
            is_complete: self.is_complete,
            version: Version::from_stored(self.version),
        }
    }
}
