//! Databases for tests: a new and empty one for each, of SQLite or of PostgreSQL.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::{
    postgres::Postgres,
    tools::{Tool, require},
};

/// Runs each of these tests twice, with a new database of each kind.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name($crate::databases::Database::sqlite()).await;
                }
            )+
        }

        mod on_postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    let name = concat!(module_path!(), "::", stringify!($name));
                    if let Some(database) = $crate::databases::Database::postgres(name).await {
                        super::$name(database).await;
                    }
                }
            )+
        }
    };
}

pub(crate) use on_both;

/// Where the servers of a test keep their todos. Clones are the same database.
#[derive(Clone)]
pub(crate) enum Database {
    /// A file in a folder that goes with it.
    Sqlite(Arc<TempDir>),
    /// The URL of a database on a server of the tests' own.
    Postgres(String),
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// `None` where PostgreSQL is not installed, and `test` may be left out.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        let [programs] = require(test, [Tool::Postgres])?;
        Some(Self::Postgres(Postgres::shared(&programs).create_database().await))
    }

    /// `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(_) => format!("sqlite://{}", self.file().display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// The file of SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("data").join("todo.db"),
            Self::Postgres(url) => panic!("{url} is no file"),
        }
    }

    /// Does what no caller of the API could.
    pub(crate) async fn execute(&self, sql: impl Into<String>) {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            }
        }
    }

    /// The number that this query gives.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        match self {
            Self::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
        }
    }

    /// Asks until the query gives this number, for as long as a slow machine may take.
    pub(crate) async fn wait_for(&self, sql: &'static str, number: i64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.number(sql).await != number {
            assert!(Instant::now() < deadline, "not {number}: {sql}");
        }
    }
}
