//! The SQL for PostgreSQL.
//!
//! Every statement for a caller is limited to a tenant, and to an owner unless the caller may
//! access the whole tenant. Todos with an id up to the one in the tenant's row in `deletions` are
//! deleted, even if their rows still exist.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Row, types::ToSql};
use uuid::Uuid;

use crate::{
    list::{DEFAULT_LIMIT, Listing, Rest},
    store::{Creation, KEY_LIFETIME, ListCondition, SWEEP_LIMIT},
    todo::{
        Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, TodoName, Version,
    },
};

use super::session::Session;

/// The columns that [`todo`] reads.
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
///
/// If the owner's count is below the limit `$4`, the statement increases it, and holds the lock of
/// its row until it commits. So an owner's todos are created one after another, and each sees the
/// count that the one before has left.
const CREATE: &str = concat!(
    "WITH turn AS (SELECT pg_advisory_xact_lock_shared(uuid_hash_extended($1, 0))),
    claimed AS (
        INSERT INTO todo_counts (tenant, owner, number) SELECT $1, $2::uuid, 1 FROM turn
        ON CONFLICT (tenant, owner) DO UPDATE SET number = todo_counts.number + 1
        WHERE todo_counts.number < $4
        RETURNING number
    ),
    counted AS (
        INSERT INTO creations (tenant, shard, number)
        SELECT $1, pg_backend_pid() % 64, 1 FROM claimed
        ON CONFLICT (tenant, shard) DO UPDATE SET number = creations.number + 1
        RETURNING number
    )
    INSERT INTO todos (tenant, owner, name) SELECT $1, $2::uuid, $3::text FROM counted
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
    SELECT todo, request FROM idempotency_keys
    WHERE tenant = $1 AND owner = $2 AND key = $3 AND created > $4";

/// The todo `$2` of the tenant `$1`, if the caller may change it and it has the expected version.
macro_rules! expected_todo {
    () => {
        concat!(
            "id = $2 AND tenant = $1 AND ($3::uuid IS NULL OR owner = $3)
            AND ($4::bigint IS NULL OR version = $4) AND id > ",
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

type Result<T> = std::result::Result<T, Error>;

pub(super) async fn list(
    session: &Session<'_>,
    access: &Access,
    after: Option<TodoId>,
    limit: u16,
) -> Result<Listing> {
    let after = after.map_or(0, TodoId::get);
    // One more row than fits on the page shows whether there are todos after it.
    let rows = i64::from(limit) + 1;
    let mut rows = match access {
        Access::Own(Owner { tenant, object_id }) => {
            session.rows(LIST_OWN, &[&tenant.0, object_id, &after, &rows]).await?
        }
        Access::Tenant(tenant) => session.rows(LIST_TENANT, &[&tenant.0, &after, &rows]).await?,
    };
    let more = rows.get(usize::from(limit));
    let rest = more.map(|row| row.try_get("rest").map(Rest::from_stored)).transpose()?;
    rows.truncate(limit.into());
    let todos = rows.iter().map(|row| todo(row, access.tenant())).collect::<Result<_>>()?;
    Ok(Listing { todos, rest })
}

pub(super) async fn find(
    session: &Session<'_>,
    tenant: Tenant,
    id: TodoId,
) -> Result<Option<Todo>> {
    let row = session.row_if_any(FIND, &[&tenant.0, &id.get()]).await?;
    row.map(|row| todo(&row, tenant)).transpose()
}

/// Creates a todo unless the owner has `limit` todos.
pub(super) async fn create(
    session: &Session<'_>,
    owner: &Owner,
    new: &NewTodo,
    limit: u32,
) -> Result<Option<Todo>> {
    // No `..` in the pattern, so a new field is a compile error until it is stored here.
    let NewTodo { name } = new;
    let Owner { tenant, object_id } = owner;
    let values: [&(dyn ToSql + Sync); 4] =
        [&tenant.0, object_id, &name.as_str(), &i64::from(limit)];
    let row = session.row_if_any(CREATE, &values).await?;
    row.map(|row| todo(&row, *tenant)).transpose()
}

/// Creates a todo unless the key was used in the 24 hours before `now`, in seconds since 1970.
pub(super) async fn create_once(
    client: &mut ClientWrapper,
    owner: &Owner,
    new: &NewTodo,
    limit: u32,
    key: &IdempotencyKey,
    now: i64,
) -> Result<Creation> {
    let request = new.fingerprint();
    let transaction = client.transaction().await?;
    let session = Session::from(&transaction);
    let created = create(&session, owner, new, limit).await?;
    let Owner { tenant, object_id } = owner;
    let (key, expired) = (key.as_str(), now - KEY_LIFETIME);
    if let Some(todo) = created {
        let (id, request) = (todo.id.get(), request.as_slice());
        let values: [&(dyn ToSql + Sync); 7] =
            [&tenant.0, object_id, &key, &id, &request, &now, &expired];
        if session.change(REMEMBER, &values).await? > 0 {
            transaction.commit().await?;
            return Ok(Creation::Made(todo));
        }
    }
    // An earlier request has used the key, or the owner has too many todos, or both.
    transaction.rollback().await?;
    let session = Session::from(&*client);
    let recalled = session.row_if_any(RECALL, &[&tenant.0, object_id, &key, &expired]).await?;
    let Some(row) = recalled else { return Ok(Creation::LimitReached) };
    let (id, known): (i64, &[u8]) = (row.try_get("todo")?, row.try_get("request")?);
    // If the fingerprints are equal, this request describes the todo that was created then.
    Ok(match known == request {
        true => Creation::Made(new.clone().created(TodoId::from_stored(id), *owner)),
        false => Creation::KeyReused,
    })
}

pub(super) async fn update(
    session: &Session<'_>,
    access: &Access,
    id: TodoId,
    expected: Option<Version>,
    change: &Change,
) -> Result<Option<Todo>> {
    let Change { name, is_complete } = change;
    let tenant = access.tenant();
    let (owner, expected) = (only_owner(access), expected.map(Version::get));
    let name = name.as_ref().map(TodoName::as_str);
    let row = session
        .row_if_any(UPDATE, &[&tenant.0, &id.get(), &owner, &expected, &name, is_complete])
        .await?;
    row.map(|row| todo(&row, tenant)).transpose()
}

pub(super) async fn delete(
    session: &Session<'_>,
    access: &Access,
    id: TodoId,
    expected: Option<Version>,
) -> Result<bool> {
    let (owner, expected) = (only_owner(access), expected.map(Version::get));
    let deleted =
        session.change(DELETE, &[&access.tenant().0, &id.get(), &owner, &expected]).await?;
    Ok(deleted > 0)
}

pub(super) async fn delete_all(
    session: &Session<'_>,
    tenant: Tenant,
    condition: Option<ListCondition>,
) -> Result<Option<u64>> {
    if let Some(holds) = condition {
        let first = list(session, &Access::Tenant(tenant), None, DEFAULT_LIMIT).await?;
        if !holds(&first) {
            return Ok(None);
        }
    }
    let count: i64 = session.row(COUNT_TENANT, &[&tenant.0]).await?.try_get(0)?;
    session.change(DELETE_ALL, &[&tenant.0]).await?;
    Ok(Some(count.unsigned_abs()))
}

/// Removes one batch of deleted todos and one of expired keys. Returns whether there were any.
pub(super) async fn sweep(session: &Session<'_>, now: i64) -> Result<bool> {
    let todos = session.change(SWEEP_TODOS, &[&SWEEP_LIMIT]).await?;
    let keys = session.change(SWEEP_KEYS, &[&SWEEP_LIMIT, &(now - KEY_LIFETIME)]).await?;
    Ok(todos + keys > 0)
}

pub(super) async fn check(session: &Session<'_>) -> Result<()> {
    session.row_if_any(CHECK, &[]).await.map(drop)
}

/// Returns the owner that a query is limited to. `None` for the whole tenant.
fn only_owner(access: &Access) -> Option<Uuid> {
    match access {
        Access::Own(owner) => Some(owner.object_id),
        Access::Tenant(_) => None,
    }
}

/// The todo in a row with the [`columns`] of a statement that is limited to one tenant.
fn todo(row: &Row, tenant: Tenant) -> Result<Todo> {
    Ok(Todo {
        id: TodoId::from_stored(row.try_get("id")?),
        name: TodoName::from_stored(row.try_get("name")?),
        owner: Owner { tenant, object_id: row.try_get("owner")? },
        is_complete: row.try_get("is_complete")?,
        version: Version::from_stored(row.try_get("version")?),
    })
}
