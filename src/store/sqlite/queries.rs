//! The SQL for SQLite.
//!
//! Every statement for a caller is limited to a tenant, and to an owner unless the caller may
//! access the whole tenant. Todos with an id up to the one in the tenant's row in `deletions` are
//! deleted, even if their rows still exist.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use crate::{
    list::{DEFAULT_LIMIT, Listing, Rest},
    store::{Creation, KEY_LIFETIME, ListCondition, SWEEP_LIMIT},
    todo::{
        Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, TodoName, Version,
    },
};

/// The columns that [`todo`] reads, in this order.
macro_rules! columns {
    () => {
        "id, owner, name, is_complete, version"
    };
}

/// The id up to which the todos of the tenant `?1` are deleted.
macro_rules! deleted_through {
    () => {
        "coalesce((SELECT through FROM deletions WHERE tenant = ?1), 0)"
    };
}

/// A page of the list.
macro_rules! list {
    ($list:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM todos WHERE ",
            $list,
            " AND id > max(?3, ",
            deleted_through!(),
            ") ORDER BY id LIMIT ?4"
        )
    };
}

/// Only one transaction writes at a time, so todos are committed in order of id, and the highest id
/// of the list changes whenever a todo is added.
macro_rules! rest {
    ($list:literal) => {
        concat!("SELECT coalesce(max(id), 0) FROM todos WHERE ", $list)
    };
}

pub(super) const LIST_OWN: &str = list!("tenant = ?1 AND owner = ?2");
const REST_OF_OWN: &str = rest!("tenant = ?1 AND owner = ?2");

/// `?2` is not used, so that both lists have the same parameters.
const LIST_TENANT: &str = list!("tenant = ?1");
const REST_OF_TENANT: &str = rest!("tenant = ?1 AND ?2 IS NULL");

const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM todos WHERE id = ?2 AND tenant = ?1 AND id > ",
    deleted_through!()
);

/// Triggers keep the numbers in `todo_counts`. There is no `RETURNING`, because SQLite would create
/// a temporary table for it, which takes a quarter of the time of the statement.
const CREATE: &str = "
    INSERT INTO todos (tenant, owner, name) SELECT ?1, ?2, ?3
    WHERE NOT EXISTS (
        SELECT 1 FROM todo_counts WHERE tenant = ?1 AND owner = ?2 AND number >= ?4
    )";

const RECALL: &str = "
    SELECT todo, request FROM idempotency_keys
    WHERE tenant = ?1 AND owner = ?2 AND key = ?3 AND created > ?4";

/// Replaces an expired key.
const REMEMBER: &str = "
    INSERT OR REPLACE INTO idempotency_keys (tenant, owner, key, todo, request, created)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// The todo `?2` of the tenant `?1`, if the caller may change it and it has the expected version.
macro_rules! expected_todo {
    () => {
        concat!(
            "id = ?2 AND tenant = ?1 AND (?3 IS NULL OR owner = ?3)
            AND (?4 IS NULL OR version = ?4) AND id > ",
            deleted_through!()
        )
    };
}

const UPDATE: &str = concat!(
    "UPDATE todos SET
        name = coalesce(?5, name), is_complete = coalesce(?6, is_complete),
        version = CASE
            WHEN (name, is_complete) = (coalesce(?5, name), coalesce(?6, is_complete)) THEN version
            ELSE version + 1
        END
    WHERE ",
    expected_todo!(),
    " RETURNING ",
    columns!()
);

const DELETE: &str = concat!("DELETE FROM todos WHERE ", expected_todo!());

const COUNT_TENANT: &str =
    concat!("SELECT count(*) FROM todos WHERE tenant = ?1 AND id > ", deleted_through!());

const DELETE_ALL: &str = "
    INSERT INTO deletions (tenant, through)
    SELECT tenant, id FROM todos WHERE tenant = ?1 ORDER BY id DESC LIMIT 1
    ON CONFLICT (tenant) DO UPDATE SET through = excluded.through
    WHERE deletions.through < excluded.through";

/// Not limited to a tenant: removes only rows that delete-all has deleted.
const SWEEP_TODOS: &str = "
    DELETE FROM todos WHERE id IN (
        SELECT todos.id FROM deletions
        JOIN todos ON todos.tenant = deletions.tenant AND todos.id <= deletions.through LIMIT ?1
    )";

/// Not limited to a tenant: removes only expired keys.
const SWEEP_KEYS: &str = "
    DELETE FROM idempotency_keys WHERE (tenant, owner, key) IN (
        SELECT tenant, owner, key FROM idempotency_keys WHERE created <= ?2 LIMIT ?1
    )";

/// Reads a row of the table. Without `ORDER BY id`, SQLite would read it from the index that covers
/// all columns.
const CHECK: &str = "SELECT name FROM todos ORDER BY id LIMIT 1";

/// Reads a page of the file, whatever the file contains.
const READ_SOMETHING: &str = "SELECT rootpage FROM sqlite_schema LIMIT 1";

/// Changes nothing, but still fails on a read-only file.
const CHANGE_NOTHING: &str = "DELETE FROM todos WHERE FALSE";

/// Writes as much data as a change to a todo, to find out whether the file can be written again.
const PROBE: &str = "UPDATE probe SET room = randomblob(32768)";

pub(super) fn list(
    connection: &Connection,
    access: &Access,
    after: Option<TodoId>,
    limit: u16,
) -> rusqlite::Result<Listing> {
    let (tenant, owner) = (access.tenant(), only_owner(access));
    let (page, rest) = match access {
        Access::Own(_) => (LIST_OWN, REST_OF_OWN),
        Access::Tenant(_) => (LIST_TENANT, REST_OF_TENANT),
    };
    let mut statement = connection.prepare_cached(page)?;
    // One more row than fits on the page shows whether there are todos after it.
    let rows = i64::from(limit) + 1;
    let mut rows = statement.query(params![tenant.0, owner, after.map_or(0, TodoId::get), rows])?;
    let mut todos = Vec::new();
    while todos.len() < usize::from(limit)
        && let Some(row) = rows.next()?
    {
        todos.push(todo(row, tenant)?);
    }
    if rows.next()?.is_none() {
        return Ok(Listing { todos, rest: None });
    }
    // A todo that was added since the page was read does not matter: if the page has not changed,
    // this is the number that belongs to it now.
    let mut statement = connection.prepare_cached(rest)?;
    let rest = statement.query_row(params![tenant.0, owner], |row| row.get(0))?;
    Ok(Listing { todos, rest: Some(Rest::from_stored(rest)) })
}

pub(super) fn find(
    connection: &Connection,
    tenant: Tenant,
    id: TodoId,
) -> rusqlite::Result<Option<Todo>> {
    let mut statement = connection.prepare_cached(FIND)?;
    statement.query_row(params![tenant.0, id.get()], |row| todo(row, tenant)).optional()
}

/// Creates a todo unless the owner has `limit` todos.
pub(super) fn create(
    connection: &Connection,
    owner: &Owner,
    new: NewTodo,
    limit: u32,
) -> rusqlite::Result<Option<Todo>> {
    // No `..` in the pattern, so a new field is a compile error until it is stored here.
    let NewTodo { name } = &new;
    let mut statement = connection.prepare_cached(CREATE)?;
    let values = params![owner.tenant.0, owner.object_id, name.as_str(), limit];
    if statement.execute(values)? == 0 {
        return Ok(None);
    }
    let id = TodoId::from_stored(connection.last_insert_rowid());
    Ok(Some(new.created(id, *owner)))
}

/// Creates a todo unless the key was used in the 24 hours before `now`, in seconds since 1970.
pub(super) fn create_once(
    transaction: &mut Transaction<'_>,
    owner: &Owner,
    new: NewTodo,
    limit: u32,
    key: &IdempotencyKey,
    now: i64,
) -> rusqlite::Result<Creation> {
    let request = new.fingerprint();
    if let Some((id, known)) = recall(transaction, owner, key, now)? {
        // If the fingerprints are equal, this request describes the todo that was created then.
        return Ok(match known == request {
            true => Creation::Made(new.created(id, *owner)),
            false => Creation::KeyReused,
        });
    }
    // If the key cannot be stored, the todo must not be stored either.
    let savepoint = transaction.savepoint()?;
    let Some(todo) = create(&savepoint, owner, new, limit)? else {
        return Ok(Creation::LimitReached);
    };
    let mut statement = savepoint.prepare_cached(REMEMBER)?;
    let (tenant, owner) = (owner.tenant.0, owner.object_id);
    statement.execute(params![tenant, owner, key.as_str(), todo.id.get(), request, now])?;
    drop(statement);
    savepoint.commit()?;
    Ok(Creation::Made(todo))
}

/// Returns the todo that a request with this key has created, and the fingerprint of that request.
fn recall(
    connection: &Connection,
    owner: &Owner,
    key: &IdempotencyKey,
    now: i64,
) -> rusqlite::Result<Option<(TodoId, Vec<u8>)>> {
    let mut statement = connection.prepare_cached(RECALL)?;
    let values = params![owner.tenant.0, owner.object_id, key.as_str(), now - KEY_LIFETIME];
    let recalled = statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(recalled.map(|(id, request)| (TodoId::from_stored(id), request)))
}

pub(super) fn update(
    connection: &Connection,
    access: &Access,
    id: TodoId,
    expected: Option<Version>,
    change: &Change,
) -> rusqlite::Result<Option<Todo>> {
    let Change { name, is_complete } = change;
    let mut statement = connection.prepare_cached(UPDATE)?;
    let values = params![
        access.tenant().0,
        id.get(),
        only_owner(access),
        expected.map(Version::get),
        name.as_ref().map(TodoName::as_str),
        is_complete,
    ];
    statement.query_row(values, |row| todo(row, access.tenant())).optional()
}

pub(super) fn delete(
    connection: &Connection,
    access: &Access,
    id: TodoId,
    expected: Option<Version>,
) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(DELETE)?;
    let expected = expected.map(Version::get);
    let values = params![access.tenant().0, id.get(), only_owner(access), expected];
    Ok(statement.execute(values)? > 0)
}

pub(super) fn delete_all(
    connection: &Connection,
    tenant: Tenant,
    condition: Option<ListCondition>,
) -> rusqlite::Result<Option<u64>> {
    if let Some(holds) = condition {
        let first = list(connection, &Access::Tenant(tenant), None, DEFAULT_LIMIT)?;
        if !holds(&first) {
            return Ok(None);
        }
    }
    let count: i64 = connection.query_row(COUNT_TENANT, [tenant.0], |row| row.get(0))?;
    connection.execute(DELETE_ALL, [tenant.0])?;
    Ok(Some(count.unsigned_abs()))
}

/// Removes one batch of deleted todos and one of expired keys. Returns whether there were any.
pub(super) fn sweep(connection: &Connection, now: i64) -> rusqlite::Result<bool> {
    let todos = connection.execute(SWEEP_TODOS, [SWEEP_LIMIT])?;
    let keys = connection.execute(SWEEP_KEYS, [SWEEP_LIMIT, now - KEY_LIFETIME])?;
    Ok(todos + keys > 0)
}

pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row(CHECK, [], |_| Ok(())).optional().map(drop)
}

pub(super) fn read_something(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached(READ_SOMETHING)?.query_row([], |_| Ok(())).optional().map(drop)
}

pub(super) fn change_nothing(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(CHANGE_NOTHING, []).map(drop)
}

pub(super) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(PROBE, []).map(drop)
}

/// Returns the owner that a query is limited to. `None` for the whole tenant.
fn only_owner(access: &Access) -> Option<Uuid> {
    match access {
        Access::Own(owner) => Some(owner.object_id),
        Access::Tenant(_) => None,
    }
}

/// Reads a row with [`columns`], of a statement that is limited to this tenant.
fn todo(row: &Row<'_>, tenant: Tenant) -> rusqlite::Result<Todo> {
    Ok(Todo {
        id: TodoId::from_stored(row.get(0)?),
        owner: Owner { tenant, object_id: row.get(1)? },
        name: TodoName::from_stored(row.get(2)?),
        is_complete: row.get(3)?,
        version: Version::from_stored(row.get(4)?),
    })
}
