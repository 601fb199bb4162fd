//! What the store needs to know to open a database.

use std::{fmt, path::PathBuf, time::Duration};

use url::Url;

/// Which database to open, and how to use it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database.
    pub location: Location,
    /// The largest number of connections that one server opens to PostgreSQL, at least 1. SQLite
    /// ignores it.
    pub connections: u32,
    /// How long an operation waits for its turn, and how long a statement may take in PostgreSQL.
    pub timeout: Duration,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file. It is created if it does not exist.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(PostgresUrl),
}

impl Location {
    /// Reads `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`. Returns `None` if the
    /// text is neither. The text may contain a password, so no error may show it.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split(':').next()? {
            "sqlite" => {
                let path =
                    text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"))?;
                // A database in memory is lost when its last connection closes.
                let is_file = !["", ":memory:"].contains(&path) && !path.contains(['?', '#']);
                is_file.then(|| Self::Sqlite(path.into()))
            }
            "postgres" | "postgresql" => PostgresUrl::parse(text).map(Self::Postgres),
            _ => None,
        }
    }
}

/// `postgres://user:password@host:port/database?sslmode=verify-full`. `Debug` does not show the
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Url);

impl PostgresUrl {
    /// Returns `None` if the URL is invalid or does not name a database, or if a character that is
    /// not encoded has moved a part of the password into the path or the fragment.
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_complete =
            url.path().len() > 1 && !url.path().contains('@') && url.fragment().is_none();
        is_complete.then_some(Self(url))
    }

    /// The whole URL, with the password.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host, port and database: the parts that errors and logs may show.
    pub fn without_password(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("postgres://{host}{port}{}", self.0.path())
    }

    /// The files for TLS that the URL names, each with the name of its parameter.
    pub fn files(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let parameters = self.0.query_pairs().into_owned();
        let named = |parameter: &str| ["sslrootcert", "sslcert", "sslkey"].contains(&parameter);
        parameters.filter(move |(name, _)| named(name)).map(|(name, file)| (name, file.into()))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_password())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_path_is_absolute_after_three_slashes() {
        for (text, path) in [
            ("sqlite://data/todo.db", "data/todo.db"),
            ("sqlite:data/todo.db", "data/todo.db"),
            ("sqlite:///var/lib/todo.db", "/var/lib/todo.db"),
        ] {
            assert_eq!(Location::parse(text), Some(Location::Sqlite(path.into())), "{text}");
        }
    }
}
