//! What the store needs to know to open a database.

use std::{fmt, path::PathBuf, time::Duration};

use url::Url;

/// Which database to open, and how to use it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database.
    pub location: Location,
    /// The largest number of connections that one server opens to PostgreSQL, 2 to 1000. SQLite
    /// ignores it.
    pub connections: usize,
    /// How long an operation waits for its turn, and how long a statement may take in PostgreSQL.
    pub timeout: Duration,
    /// The largest number of todos of one owner, at least 1.
    pub todo_limit: u32,
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

    /// The same URL with this password, unless it contains one already.
    pub fn or_password(mut self, password: Option<&str>) -> Self {
        if self.0.password().is_none() {
            // Only a URL without a host cannot have a password. It leads to a local socket.
            let _ = self.0.set_password(password);
        }
        self
    }

    /// The URL for the driver, with the password. The parameters for TLS are left out, because the
    /// driver does not know all of them.
    pub fn without_tls(&self) -> String {
        let mut url = self.0.clone();
        let is_kept = |pair: &&str| !TLS.contains(&pair.split('=').next().unwrap_or_default());
        let kept: Vec<_> = self.0.query().unwrap_or_default().split('&').filter(is_kept).collect();
        url.set_query(Some(&kept.join("&")).filter(|query| !query.is_empty()).map(String::as_str));
        url.into()
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.0.query_pairs();
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).last()
    }

    /// Scheme, host, port and database: the parts that errors and logs may show.
    pub fn without_password(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("postgres://{host}{port}{}", self.0.path())
    }

    /// The files for TLS that the URL names, each with the name of its parameter.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        let [_, files @ ..] = TLS;
        files.into_iter().filter_map(|name| Some((name, self.parameter(name)?.into())))
    }
}

/// The parameters for TLS. All but the first name a file.
const TLS: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_password())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_gets_the_url_without_the_parameters_for_tls() {
        let url = |text| PostgresUrl::parse(text).unwrap();
        let full =
            "postgres://todo@db/todo?sslmode=verify-full&options=-c%20x=1&sslrootcert=/a%20b";
        assert_eq!(url(full).without_tls(), "postgres://todo@db/todo?options=-c%20x=1");
        assert_eq!(url(full).parameter("sslrootcert").as_deref(), Some("/a b"));
        let plain = url("postgres://todo@db/todo?sslmode=require").or_password(Some("a@b"));
        assert_eq!(plain.without_tls(), "postgres://todo:a%40b@db/todo");
        let own = url("postgres://todo:own@db/todo").or_password(Some("other"));
        assert_eq!(own.without_tls(), "postgres://todo:own@db/todo");
    }

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
