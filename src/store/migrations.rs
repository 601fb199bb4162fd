//! The migrations of both databases. The files are applied in order, and never change afterwards.
//!
//! During a rolling update, servers of the previous version use the new schema, and may restart.
//! The name of a migration says whether they can: `0007_due.expand.sql` only adds something, and
//! `0008_due.contract.sql` removes or changes something. The database stores the names, so a
//! program can read what migrations do that it does not have. The first six only add something too.

use std::collections::{BTreeMap, HashMap};

use aws_lc_rs::digest::{SHA384, digest};

use super::OpenError;

/// The end of the name of a migration that only adds something to the schema.
const EXPAND: &str = ".expand.sql";

/// A file of `migrations/`. Its version is its position in the list, from 1.
pub(super) struct Migration {
    pub(super) file: &'static str,
    pub(super) sql: &'static str,
}

macro_rules! migrations {
    ($($file:literal),+ $(,)?) => {
        &[$(Migration {
            file: $file,
            sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $file)),
        }),+]
    };
}

/// The migrations of a SQLite file.
pub(super) const SQLITE: &[Migration] = migrations![
    "sqlite/0001_todos.sql",
    "sqlite/0002_versions.sql",
    "sqlite/0003_idempotency_keys.sql",
    "sqlite/0004_deletions.sql",
    "sqlite/0005_covering_index.sql",
    "sqlite/0006_probe.sql",
    "sqlite/0007_todo_counts.expand.sql",
];

/// The migrations of a PostgreSQL database.
pub(super) const POSTGRES: &[Migration] = migrations![
    "postgres/0001_todos.sql",
    "postgres/0002_versions.sql",
    "postgres/0003_idempotency_keys.sql",
    "postgres/0004_deletions.sql",
    "postgres/0005_probe.sql",
    "postgres/0006_creations.sql",
    "postgres/0007_todo_counts.expand.sql",
];

impl Migration {
    /// The SHA-384 digest of the file, which the database stores.
    pub(super) fn checksum(&self) -> Vec<u8> {
        digest(&SHA384, self.sql.as_bytes()).as_ref().to_vec()
    }
}

/// A migration that the database has, with the name and the checksum of its file.
pub(super) struct Applied {
    pub(super) file: String,
    pub(super) checksum: Vec<u8>,
}

/// Returns the migrations that are missing, each with its version. `applied` contains the others by
/// version.
///
/// # Errors
///
/// [`OpenError`] if a later version of the program has applied a migration after which this one
/// does not work, or if a migration was edited after it was applied.
pub(super) fn missing(
    all: &'static [Migration],
    applied: &HashMap<i64, Applied>,
    database: &str,
) -> Result<Vec<(i64, &'static Migration)>, OpenError> {
    let known = || (1_i64..).zip(all);
    let newer: BTreeMap<_, _> = applied
        .iter()
        .filter(|(version, _)| !known().any(|(known, _)| known == **version))
        .map(|(version, migration)| (version, migration.file.as_str()))
        .collect();
    // A name that says nothing could be of a migration that removes something.
    if let Some(file) = newer.values().find(|file| !file.ends_with(EXPAND)) {
        let (database, migration) = (database.to_owned(), (*file).to_owned());
        return Err(OpenError::Newer { database, migration });
    }
    if let Some((version, _)) = newer.last_key_value() {
        tracing::info!(
            database,
            version,
            "the schema is newer than this program, which can use it nevertheless"
        );
    }
    let edited = |(version, migration): &(i64, &Migration)| {
        applied.get(version).is_some_and(|applied| applied.checksum != migration.checksum())
    };
    if let Some((_, migration)) = known().find(edited) {
        return Err(OpenError::Migrate {
            database: database.to_owned(),
            source: format!("{} has changed since it was applied", migration.file).into(),
        });
    }
    Ok(known().filter(|(version, _)| !applied.contains_key(version)).collect())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_file_is_listed_in_the_order_of_its_number() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        for (folder, all) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
            let entries = fs::read_dir(root.join(folder)).unwrap();
            let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
            let mut files: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
            files.sort();
            let listed: Vec<_> = all.iter().map(|migration| migration.file).collect();
            assert_eq!(
                listed,
                files.iter().map(|file| format!("{folder}/{file}")).collect::<Vec<_>>()
            );
            for (version, file) in (1..).zip(&files) {
                assert!(
                    file.starts_with(&format!("{version:04}_")),
                    "{file} is not number {version}"
                );
                let says = file.ends_with(EXPAND) || file.ends_with(".contract.sql");
                assert!(says || version <= 6, "{file} is neither .expand.sql nor .contract.sql");
            }
        }
    }

    #[test]
    fn only_a_contracting_migration_takes_something_away() {
        for migration in SQLITE.iter().chain(POSTGRES) {
            let contracting = contracting(migration.sql);
            let may_contract = migration.file.ends_with(".contract.sql");
            assert!(may_contract || contracting.is_none(), "{}: {contracting:?}", migration.file);
        }
        for sql in [
            "DROP TABLE todos",
            "alter table todos\n    drop column name",
            "ALTER TABLE todos RENAME COLUMN name TO title",
            "ALTER TABLE todos ALTER COLUMN name TYPE varchar(9)",
            "ALTER TABLE todos ALTER COLUMN name SET NOT NULL",
            "ALTER TABLE todos ADD CONSTRAINT short CHECK (length(name) < 9)",
            "ALTER TABLE todos ADD COLUMN due TEXT NOT NULL",
            "CREATE UNIQUE INDEX names ON todos (name)",
            "CREATE TABLE a (b TEXT); DROP VIEW c",
        ] {
            assert!(contracting(sql).is_some(), "{sql}");
        }
        for sql in [
            "ALTER TABLE todos ADD COLUMN due TEXT NOT NULL DEFAULT ''",
            "DROP INDEX todos_by_owner; CREATE INDEX todos_by_owner ON todos (tenant)",
            "-- DROP TABLE todos\nCREATE TABLE labels (label TEXT NOT NULL UNIQUE)",
        ] {
            assert_eq!(contracting(sql), None, "{sql}");
        }
    }

    /// The first statement after which a program that does not know about it may fail.
    fn contracting(sql: &str) -> Option<String> {
        let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
        let code = code.collect::<Vec<_>>().join(" ").to_uppercase();
        let statements = code.split(';').map(|statement| {
            let words: Vec<_> = statement.split_whitespace().collect();
            words.join(" ")
        });
        let takes_away = |statement: &String| {
            let has = |text: &str| statement.contains(text);
            (has("DROP ") && !statement.starts_with("DROP INDEX"))
                || has("RENAME ")
                || has(" TYPE ")
                || has("SET NOT NULL")
                || has("ADD CONSTRAINT")
                || has("CREATE UNIQUE")
                || (has(" ADD ") && has("NOT NULL") && !has("DEFAULT"))
        };
        statements.into_iter().find(takes_away)
    }
}
