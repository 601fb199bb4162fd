//! The migrations of both databases. The files are applied in order, and never change afterwards.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA384, digest};

use super::OpenError;

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
];

/// The migrations of a PostgreSQL database.
pub(super) const POSTGRES: &[Migration] = migrations![
    "postgres/0001_todos.sql",
    "postgres/0002_versions.sql",
    "postgres/0003_idempotency_keys.sql",
    "postgres/0004_deletions.sql",
    "postgres/0005_probe.sql",
    "postgres/0006_creations.sql",
];

impl Migration {
    /// The SHA-384 digest of the file, which the database stores.
    pub(super) fn checksum(&self) -> Vec<u8> {
        digest(&SHA384, self.sql.as_bytes()).as_ref().to_vec()
    }
}

/// Returns the migrations that are missing, each with its version. `applied` contains the checksums
/// of the others by version.
///
/// # Errors
///
/// [`OpenError`] if the database has a migration that this program does not have, because a later
/// version of the program has applied it, or if a migration was edited after it was applied.
pub(super) fn missing(
    all: &'static [Migration],
    applied: &HashMap<i64, Vec<u8>>,
    database: &str,
) -> Result<Vec<(i64, &'static Migration)>, OpenError> {
    let known = || (1_i64..).zip(all);
    let database = || database.to_owned();
    let newer = applied.keys().filter(|version| !known().any(|(known, _)| known == **version));
    if let Some(&version) = newer.max() {
        return Err(OpenError::Newer { database: database(), version });
    }
    let edited = |(version, migration): &(i64, &Migration)| {
        applied.get(version).is_some_and(|checksum| *checksum != migration.checksum())
    };
    if let Some((_, migration)) = known().find(edited) {
        return Err(OpenError::Migrate {
            database: database(),
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
            }
        }
    }
}
