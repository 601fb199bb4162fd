//! Databases for tests: a new, empty one for each, on SQLite or on PostgreSQL.

use std::{fs, path::PathBuf, sync::Arc, time::Instant};

use aws_lc_rs::digest::{SHA384, digest};
use entra_dev::ids::{CONTOSO, FABRIKAM};
use tempfile::TempDir;

use super::{GIVE_UP_AFTER, Postgres, Tool, postgres, require};

/// Runs each of these tests twice: on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name($crate::support::Database::sqlite()).await;
                }
            )+
        }

        mod on_postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    let name = concat!(module_path!(), "::", stringify!($name));
                    if let Some(database) = $crate::support::Database::postgres(name).await {
                        super::$name(database).await;
                    }
                }
            )+
        }
    };
}

pub(crate) use on_both;

/// The database of a test. Clones are the same database.
#[derive(Clone)]
pub(crate) enum Database {
    /// The temporary folder of the file.
    Sqlite(Arc<TempDir>),
    /// The URL of a database on the server that the tests start.
    Postgres(String),
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// A path in an existing folder, where the file does not exist yet.
    pub(crate) fn sqlite_without_file() -> Self {
        let database = Self::sqlite();
        fs::create_dir_all(database.file().parent().unwrap()).unwrap();
        database
    }

    /// A file with these migrations. Until the store had its own migrations for SQLite, sqlx ran
    /// them. It created this table and stored the SHA-384 digests of the files.
    pub(crate) fn migrated_by_sqlx(migrations: &[PathBuf]) -> Self {
        let database = Self::sqlite_without_file();
        let file = rusqlite::Connection::open(database.file()).unwrap();
        let table = "
            CREATE TABLE _sqlx_migrations (
                version BIGINT PRIMARY KEY,
                description TEXT NOT NULL,
                installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
                success BOOLEAN NOT NULL,
                checksum BLOB NOT NULL,
                execution_time BIGINT NOT NULL
            )";
        file.execute_batch(table).unwrap();
        for (path, version) in migrations.iter().zip(1..) {
            let sql = fs::read_to_string(path).unwrap();
            file.execute_batch(&sql).unwrap();
            let insert = "INSERT INTO _sqlx_migrations
                          VALUES (?1, 'x', CURRENT_TIMESTAMP, TRUE, ?2, 9)";
            let checksum = digest(&SHA384, sql.as_bytes());
            file.execute(insert, (version, checksum.as_ref())).unwrap();
        }
        database
    }

    /// `None` if PostgreSQL is not installed and `test` may be skipped.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        let [programs] = require(test, [Tool::Postgres])?;
        Some(Self::Postgres(Postgres::shared(&programs).create_database().await))
    }

    /// The value of `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(_) => format!("sqlite://{}", self.file().display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// The SQLite file.
    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("data").join("todo.db"),
            Self::Postgres(url) => panic!("{url} is not a file"),
        }
    }

    /// A connection to the SQLite file, which must exist.
    pub(crate) fn open(&self) -> rusqlite::Connection {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = rusqlite::Connection::open_with_flags(self.file(), flags).unwrap();
        connection.busy_timeout(GIVE_UP_AFTER).unwrap();
        connection
    }

    /// Runs SQL statements, past the API.
    pub(crate) async fn execute(&self, sql: impl Into<String>) {
        let sql = sql.into();
        match self {
            Self::Sqlite(_) => self.open().execute_batch(&sql).unwrap(),
            Self::Postgres(url) => {
                postgres::connect(url).await.batch_execute(&sql).await.unwrap();
            }
        }
    }

    /// The number that this query returns.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        match self {
            Self::Sqlite(_) => self.open().query_row(sql, [], |row| row.get(0)).unwrap(),
            Self::Postgres(url) => {
                postgres::connect(url).await.query_one(sql, &[]).await.unwrap().get(0)
            }
        }
    }

    /// The text that this query returns. Only for PostgreSQL.
    pub(crate) async fn text(&self, sql: &str) -> String {
        postgres::connect(&self.url()).await.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Repeats the query until it returns this number, for as long as a slow machine needs.
    pub(crate) async fn wait_for(&self, sql: &'static str, number: i64) {
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while self.number(sql).await != number {
            assert!(Instant::now() < deadline, "it never became {number}: {sql}");
            // The server may run on this thread.
            tokio::task::yield_now().await;
        }
    }

    /// Adds todos of Uma in Contoso with the name `old`.
    pub(crate) async fn fill(&self, todos: usize) {
        self.insert(CONTOSO, "old", todos).await;
    }

    /// Adds a todo in Fabrikam whose owner has Uma's object id.
    pub(crate) async fn fill_fabrikam(&self, name: &str) {
        self.insert(FABRIKAM, name, 1).await;
    }

    async fn insert(&self, tenant: &str, name: &str, todos: usize) {
        let sql = match self {
            Self::Sqlite(_) => {
                let [tenant, owner] = [tenant, UMA].map(|id| id.replace('-', ""));
                format!(
                    "INSERT INTO todos (tenant, owner, name)
                     WITH RECURSIVE numbers (n) AS (
                         SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {todos}
                     )
                     SELECT x'{tenant}', x'{owner}', '{name}' FROM numbers WHERE {todos} > 0"
                )
            }
            Self::Postgres(_) => format!(
                "INSERT INTO todos (tenant, owner, name)
                 SELECT '{tenant}', '{UMA}', '{name}' FROM generate_series(1, {todos})"
            ),
        };
        self.execute(sql).await;
    }
}

/// Uma's object id.
const UMA: &str = "0a000000-0000-4000-8000-000000000002";

/// The files of the migrations for SQLite, in order.
pub(crate) fn sqlite_migrations() -> Vec<PathBuf> {
    let entries = fs::read_dir("migrations/sqlite").unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
