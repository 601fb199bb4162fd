//! The SQL, once for both databases: they understand the same text, with `$1` for values. Only the
//! types of the connections differ, so the functions around it are written by a macro.
//!
//! Every statement is limited to a tenant, and to an owner where the caller is no admin.

use sqlx::{FromRow, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::todo::{Access, Change, Owner, Tenant, Todo, TodoId, TodoName};

const LIST_OWN: &str = "
    SELECT id, tenant, owner, name, is_complete FROM todos
    WHERE tenant = $1 AND owner = $2 AND id > $3 ORDER BY id LIMIT $4";

const LIST_TENANT: &str = "
    SELECT id, tenant, owner, name, is_complete FROM todos
    WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";

const FIND: &str = "
    SELECT id, tenant, owner, name, is_complete FROM todos WHERE tenant = $1 AND id = $2";

const CREATE: &str = "
    INSERT INTO todos (tenant, owner, name) VALUES ($1, $2, $3)
    RETURNING id, tenant, owner, name, is_complete";

const UPDATE: &str = "
    UPDATE todos SET name = coalesce($4, name), is_complete = coalesce($5, is_complete)
    WHERE id = $1 AND tenant = $2 AND ($3 IS NULL OR owner = $3)
    RETURNING id, tenant, owner, name, is_complete";

const DELETE: &str = "
    DELETE FROM todos WHERE id = $1 AND tenant = $2 AND ($3 IS NULL OR owner = $3)";

const DELETE_ALL: &str = "DELETE FROM todos WHERE tenant = $1";

const CHECK: &str = "SELECT id FROM todos LIMIT 1";

macro_rules! queries {
    ($module:ident, $connection:ty) => {
        pub(super) mod $module {
            use super::*;

            pub(in crate::store) async fn list(
                connection: &mut $connection,
                access: &Access,
                after: Option<TodoId>,
                limit: u16,
            ) -> sqlx::Result<Vec<Todo>> {
                let query = match access {
                    Access::Own(owner) => {
                        sqlx::query_as(LIST_OWN).bind(owner.tenant.0).bind(owner.object_id)
                    }
                    Access::Tenant(tenant) => sqlx::query_as(LIST_TENANT).bind(tenant.0),
                };
                let query = query.bind(after.map_or(0, TodoId::get)).bind(i64::from(limit));
                let rows: Vec<Row> = query.fetch_all(connection).await?;
                Ok(rows.into_iter().map(Todo::from).collect())
            }

            pub(in crate::store) async fn find(
                connection: &mut $connection,
                tenant: Tenant,
                id: TodoId,
            ) -> sqlx::Result<Option<Todo>> {
                let query = sqlx::query_as(FIND).bind(tenant.0).bind(id.get());
                let row: Option<Row> = query.fetch_optional(connection).await?;
                Ok(row.map(Todo::from))
            }

            pub(in crate::store) async fn create(
                connection: &mut $connection,
                owner: &Owner,
                name: &TodoName,
            ) -> sqlx::Result<Todo> {
                let query = sqlx::query_as(CREATE).bind(owner.tenant.0).bind(owner.object_id);
                let row: Row = query.bind(name.as_str()).fetch_one(connection).await?;
                Ok(row.into())
            }

            pub(in crate::store) async fn update(
                connection: &mut $connection,
                access: &Access,
                id: TodoId,
                change: &Change,
            ) -> sqlx::Result<Option<Todo>> {
                let query = sqlx::query_as(UPDATE)
                    .bind(id.get())
                    .bind(access.tenant().0)
                    .bind(only_owner(access))
                    .bind(change.name.as_ref().map(TodoName::as_str))
                    .bind(change.is_complete);
                let row: Option<Row> = query.fetch_optional(connection).await?;
                Ok(row.map(Todo::from))
            }

            pub(in crate::store) async fn delete(
                connection: &mut $connection,
                access: &Access,
                id: TodoId,
            ) -> sqlx::Result<bool> {
                let query = sqlx::query(DELETE)
                    .bind(id.get())
                    .bind(access.tenant().0)
                    .bind(only_owner(access));
                Ok(query.execute(connection).await?.rows_affected() > 0)
            }

            pub(in crate::store) async fn delete_all(
                connection: &mut $connection,
                tenant: Tenant,
            ) -> sqlx::Result<()> {
                sqlx::query(DELETE_ALL).bind(tenant.0).execute(connection).await?;
                Ok(())
            }

            pub(in crate::store) async fn check(connection: &mut $connection) -> sqlx::Result<()> {
                sqlx::query(CHECK).fetch_optional(connection).await?;
                Ok(())
            }
        }
    };
}

queries!(sqlite, SqliteConnection);
queries!(postgres, PgConnection);

/// The owner a query is limited to; `None` for all of the tenant.
fn only_owner(access: &Access) -> Option<Uuid> {
    match access {
        Access::Own(owner) => Some(owner.object_id),
        Access::Tenant(_) => None,
    }
}

#[derive(FromRow)]
struct Row {
    id: i64,
    tenant: Uuid,
    owner: Uuid,
    name: String,
    is_complete: bool,
}

impl From<Row> for Todo {
    fn from(row: Row) -> Self {
        Self {
            id: TodoId::from_stored(row.id),
            name: TodoName::from_stored(row.name),
            owner: Owner { tenant: Tenant(row.tenant), object_id: row.owner },
            is_complete: row.is_complete,
        }
    }
}
