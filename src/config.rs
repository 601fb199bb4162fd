//! The settings: read from the environment, then from `.env`, and checked as a whole, so that
//! every fault is reported at once. Nothing else reads the environment.

use std::{
    collections::HashMap,
    env, fmt, fs, io,
    net::IpAddr,
    num::{IntErrorKind, ParseIntError},
    path::Path,
    str::FromStr,
    time::Duration,
};

use poem_entra::{Fault, InvalidSettings, Setting, Settings};

use crate::store::Location;

/// Everything the server is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose tokens are accepted, for which API.
    pub entra: Settings,
    /// The app registration with which people sign in on the docs page.
    pub swagger_ui_client_id: String,
    /// Where the server listens.
    pub server: ServerConfig,
    /// Where the todos are kept.
    pub database: DatabaseConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Where the embedded development tenant listens.
    pub dev_tenant: DevTenantConfig,
}

/// Where the embedded development tenant listens.
#[derive(Debug, Clone, Copy)]
pub struct DevTenantConfig {
    /// `DEV_TENANT_PORT`: HTTP, for browsers and the API; 0 is any free one.
    pub port: u16,
    /// `DEV_TENANT_HTTPS_PORT`: HTTPS, for clients that insist on it; 0 is any free one.
    pub https_port: u16,
}

/// Where the server listens, and how it is reached.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `HOST`: a name or an address; `localhost` means both loopback addresses.
    pub host: String,
    /// `PORT`; 0 is any free one.
    pub port: u16,
    /// `PUBLIC_URL`: how callers reach the API, without a trailing slash; `None`: as it listens.
    pub public_url: Option<String>,
    /// `CORS_ORIGINS`: origins whose pages may call the API.
    pub cors_origins: Vec<String>,
}

/// Where the todos are kept: `DATABASE_URL`, `DATABASE_CONNECTIONS` and `DATABASE_TIMEOUT`.
pub use crate::store::Options as DatabaseConfig;

impl DatabaseConfig {
    /// Reads and checks these settings alone, for commands that need no other.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] lists what is wrong with them.
    pub fn read(environment: &Environment) -> Result<Self, InvalidConfig> {
        let mut reader = Reader { environment, faults: Vec::new() };
        let database = reader.database();
        database.filter(|_| reader.faults.is_empty()).ok_or(InvalidConfig(reader.faults))
    }
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `RUST_LOG`: directives of tracing's `EnvFilter`.
    pub filter: String,
}

/// `LOG_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// A variable that the program reads. docs/CONFIGURATION.md and `.env.sample` explain each.
pub struct Variable {
    /// Its name in the environment.
    pub name: &'static str,
    /// What counts when it is not set; `None`: it must be set, or has no effect.
    pub default: Option<&'static str>,
}

/// All of them, in the order in which they are explained.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "API_CLIENT_ID", default: None },
    Variable { name: "API_CLIENT_SECRET", default: None },
    Variable { name: "SWAGGER_UI_CLIENT_ID", default: None },
    Variable { name: "AAD_TENANT_ID", default: None },
    Variable { name: "AAD_INSTANCE", default: Some("https://login.microsoftonline.com") },
    Variable { name: "API_AUDIENCE", default: None },
    Variable { name: "ALLOWED_TENANTS", default: None },
    Variable { name: "HOST", default: Some("localhost") },
    Variable { name: "PORT", default: Some("8000") },
    Variable { name: "PUBLIC_URL", default: None },
    Variable { name: "CORS_ORIGINS", default: None },
    Variable { name: "DATABASE_URL", default: Some("sqlite://data/todo.db") },
    Variable { name: "DATABASE_CONNECTIONS", default: Some("8") },
    Variable { name: "DATABASE_TIMEOUT", default: Some("5") },
    Variable { name: "TOKEN_LEEWAY", default: Some("60") },
    Variable { name: "TOKEN_CACHE_ENTRIES", default: Some("10000") },
    Variable { name: "KEY_REFRESH", default: Some("3600") },
    Variable { name: "KEY_REFRESH_FLOOR", default: Some("300") },
    Variable { name: "KEY_RETENTION", default: Some("86400") },
    Variable { name: "LOG_FORMAT", default: Some("text") },
    Variable {
        name: "RUST_LOG",
        default: Some("info,sqlx=warn,poem::listener=warn,poem::server=warn"),
    },
    Variable { name: "DEV_TENANT_PORT", default: Some("8001") },
    Variable { name: "DEV_TENANT_HTTPS_PORT", default: Some("8443") },
];

/// The values of [`VARIABLES`], from wherever they come.
#[derive(Debug, Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// The environment, and behind it the file `.env` in the working directory, if there is one.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the line of `.env`, or the variables, that cannot be read.
    pub fn load() -> Result<Self, InvalidConfig> {
        let mut values = Self::from_file(Path::new(".env"))?;
        let mut faults = Vec::new();
        for Variable { name, .. } in VARIABLES {
            #[allow(clippy::disallowed_methods)]
            match env::var(name) {
                Ok(value) if !value.trim().is_empty() => {
                    values.0.insert((*name).to_owned(), value);
                }
                Err(env::VarError::NotUnicode(_)) => faults.push(format!("{name} is not UTF-8")),
                _ => {}
            }
        }
        if faults.is_empty() { Ok(values) } else { Err(InvalidConfig(faults)) }
    }

    fn from_file(path: &Path) -> Result<Self, InvalidConfig> {
        let invalid =
            |problem: String| InvalidConfig(vec![format!("{} {problem}", path.display())]);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(invalid(format!("cannot be read: {error}"))),
        };
        // Some editors put this first, and no line break last.
        let text = format!("{}\n", text.strip_prefix('\u{feff}').unwrap_or(&text));
        let values = dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>();
        let values: HashMap<String, String> = values.map_err(|_| invalid(unreadable(&text)))?;
        // The lines that it swallows may hold secrets, and no value is to be shown with them.
        let broken = |name: &str| values.get(name).is_some_and(|value| value.contains('\n'));
        match VARIABLES.iter().find(|variable| broken(variable.name)) {
            Some(Variable { name, .. }) => {
                Err(invalid(format!("has a line break in {name}: is a quote not closed?")))
            }
            None => Ok(Self(values)),
        }
    }

    /// The same with one variable set.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The value, or the default; a variable that is set to nothing counts as not set.
    fn get(&self, name: &str) -> Option<&str> {
        let default = || VARIABLES.iter().find(|v| v.name == name).and_then(|v| v.default);
        let set = self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        set.or_else(default)
    }

    fn list(&self, name: &str) -> Vec<String> {
        let items = self.get(name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

/// Where the text of `.env` stops making sense. The text may be a secret, and so may dotenvy's
/// error, which has it: shown is a name that we know.
fn unreadable(text: &str) -> String {
    let mut ends = text.match_indices('\n').map(|(at, _)| at + 1);
    let makes_sense =
        |end: &usize| dotenvy::from_read_iter(&text.as_bytes()[..*end]).all(|s| s.is_ok());
    let end = ends.rfind(makes_sense).unwrap_or_default();
    let (before, after) = text.split_at(end);
    let line = before.lines().count() + 1;
    let name = after.split('=').next().unwrap_or_default().trim();
    let variable = VARIABLES.iter().find(|variable| variable.name == name);
    let variable = variable.map(|Variable { name, .. }| format!(" ({name})")).unwrap_or_default();
    format!(
        "has a line that cannot be read, line {line}{variable}: put a value with spaces, double \
         quotes, backslashes, $ or # into single quotes"
    )
}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] lists everything that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, InvalidConfig> {
        let mut reader = Reader { environment, faults: Vec::new() };
        let entra = reader.entra();
        let swagger_ui_client_id = reader.guid("SWAGGER_UI_CLIENT_ID");
        let server = ServerConfig {
            host: reader.host(),
            port: reader.number("PORT"),
            public_url: reader.url("PUBLIC_URL"),
            cors_origins: reader.origins("CORS_ORIGINS"),
        };
        let database = reader.database();
        let log = reader.log();
        let dev_tenant = DevTenantConfig {
            port: reader.number("DEV_TENANT_PORT"),
            https_port: reader.number("DEV_TENANT_HTTPS_PORT"),
        };
        match (database, reader.faults.as_slice()) {
            (Some(database), []) => {
                Ok(Self { entra, swagger_ui_client_id, server, database, log, dev_tenant })
            }
            _ => Err(InvalidConfig(reader.faults)),
        }
    }

    /// The settings with which the embedded development tenant is used: its own ids, whatever the
    /// environment says of another tenant.
    ///
    /// # Errors
    ///
    /// As [`Config::read`], and when `HOST` is not a loopback address: the development tenant
    /// signs anybody in.
    pub fn read_dev(environment: Environment) -> Result<Self, InvalidConfig> {
        let port = environment.get("DEV_TENANT_PORT").unwrap_or_default().to_owned();
        let host = environment.get("HOST").unwrap_or_default();
        if !is_loopback(host) {
            return Err(InvalidConfig(vec![format!(
                "HOST is {host}, but the development tenant signs anybody in: \
                 with --dev it must be localhost or another loopback address"
            )]));
        }
        let environment = environment
            .with("AAD_INSTANCE", format!("http://localhost:{port}"))
            .with("AAD_TENANT_ID", entra_dev::ids::CONTOSO)
            .with("ALLOWED_TENANTS", "")
            .with("API_AUDIENCE", "")
            .with("API_CLIENT_ID", entra_dev::ids::API_CLIENT_ID)
            .with("SWAGGER_UI_CLIENT_ID", entra_dev::ids::SWAGGER_UI_CLIENT_ID);
        Self::read(&environment)
    }
}

/// Every fault of the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidConfig(pub Vec<String>);

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        for fault in &self.0 {
            write!(f, "\n  - {fault}")?;
        }
        Ok(())
    }
}

struct Reader<'a> {
    environment: &'a Environment,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn entra(&mut self) -> Settings {
        let text = |name| self.environment.get(name).unwrap_or_default().to_owned();
        let mut settings = Settings::new(text("AAD_TENANT_ID"), text("API_CLIENT_ID"));
        settings.instance = text("AAD_INSTANCE");
        settings.audiences = self.environment.list("API_AUDIENCE");
        settings.allowed_tenants = self.environment.list("ALLOWED_TENANTS");
        settings.leeway = self.seconds("TOKEN_LEEWAY");
        settings.token_cache_entries = self.number("TOKEN_CACHE_ENTRIES");
        settings.key_refresh = self.seconds("KEY_REFRESH");
        settings.key_refresh_floor = self.seconds("KEY_REFRESH_FLOOR");
        settings.key_retention = self.seconds("KEY_RETENTION");
        if let Err(InvalidSettings(faults)) = settings.check() {
            for (variable, problem) in faults.iter().map(in_terms_of_variables) {
                // A number that cannot be read is not worth a second complaint.
                if !self.faults.iter().any(|known| known.starts_with(&format!("{variable} "))) {
                    self.faults.push(format!("{variable} {problem}"));
                }
            }
        }
        settings
    }

    fn number<T: FromStr<Err = ParseIntError> + Default>(&mut self, name: &str) -> T {
        let text = self.environment.get(name).unwrap_or_default();
        text.parse().unwrap_or_else(|error: ParseIntError| {
            let problem = match error.kind() {
                IntErrorKind::PosOverflow => "too large",
                _ => "not a whole number of 0 or more",
            };
            self.faults.push(format!("{name} is {text:?}, which is {problem}"));
            T::default()
        })
    }

    fn seconds(&mut self, name: &str) -> Duration {
        Duration::from_secs(self.number(name))
    }

    /// A name or an address, without scheme and port.
    fn host(&mut self) -> String {
        let host = self.environment.get("HOST").unwrap_or_default();
        let is_no_name = host.contains(|c: char| c.is_whitespace() || "/:[]@".contains(c));
        if is_no_name && host.parse::<IpAddr>().is_err() {
            self.faults.push(format!("HOST is {host:?}, which is neither a name nor an address"));
        }
        host.to_owned()
    }

    fn guid(&mut self, name: &str) -> String {
        match self.environment.get(name) {
            Some(id) if poem_entra::ClientId::parse(id).is_some() => return id.to_owned(),
            Some(_) => self.faults.push(format!("{name} is not a GUID")),
            None => self.faults.push(format!(
                "{name} is missing: the application (client) id of the registration with which \
                 people sign in on the docs page"
            )),
        }
        String::new()
    }

    fn url(&mut self, name: &str) -> Option<String> {
        let text = self.environment.get(name)?;
        match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {
                Some(url.as_str().trim_end_matches('/').to_owned())
            }
            _ => {
                self.faults.push(format!("{name} is not an http or https URL without a query"));
                None
            }
        }
    }

    /// Origins as browsers write them (RFC 6454, section 6.2).
    fn origins(&mut self, name: &str) -> Vec<String> {
        let origins = self.environment.list(name);
        for origin in &origins {
            let same = url::Url::parse(origin)
                .is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !same {
                self.faults.push(format!("{name} has {origin:?}, which is not an origin"));
            }
        }
        origins
    }

    fn database(&mut self) -> Option<DatabaseConfig> {
        let connections = self.at_least_one("DATABASE_CONNECTIONS");
        let timeout = Duration::from_secs(self.at_least_one("DATABASE_TIMEOUT").into());
        let location = Location::parse(self.environment.get("DATABASE_URL").unwrap_or_default());
        if location.is_none() {
            // Whatever it is, it may hold a password: nothing of it is shown.
            let problem = "DATABASE_URL is neither sqlite://PATH nor \
                           postgres://USER:PASSWORD@HOST/DATABASE; in a password, write % as %25, \
                           # as %23, / as %2F, ? as %3F, @ as %40";
            self.faults.push(problem.to_owned());
        }
        Some(DatabaseConfig { location: location?, connections, timeout })
    }

    fn at_least_one(&mut self, name: &str) -> u32 {
        let number = self.number(name);
        if number == 0 && self.environment.get(name) == Some("0") {
            self.faults.push(format!("{name} is 0, but must be at least 1"));
        }
        number
    }

    fn log(&mut self) -> LogConfig {
        let format = match self.environment.get("LOG_FORMAT") {
            Some("json") => LogFormat::Json,
            Some("text") => LogFormat::Text,
            other => {
                let other = other.unwrap_or_default();
                self.faults.push(format!("LOG_FORMAT is {other:?}, neither text nor json"));
                LogFormat::Text
            }
        };
        let filter = self.environment.get("RUST_LOG").unwrap_or_default().to_owned();
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&filter) {
            self.faults.push(format!("RUST_LOG cannot be read: {error}"));
        }
        LogConfig { format, filter }
    }
}

/// The validator knows its own fields; people know the variables.
fn in_terms_of_variables(fault: &Fault) -> (&str, &str) {
    let variable = match fault.setting {
        Setting::Instance => "AAD_INSTANCE",
        Setting::Tenant => "AAD_TENANT_ID",
        Setting::ClientId => "API_CLIENT_ID",
        Setting::Audiences => "API_AUDIENCE",
        Setting::AllowedTenants => "ALLOWED_TENANTS",
        Setting::Leeway => "TOKEN_LEEWAY",
        Setting::TokenCacheEntries => "TOKEN_CACHE_ENTRIES",
        Setting::KeyRefresh => "KEY_REFRESH",
        _ => "another setting",
    };
    (variable, &fault.problem)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Environment {
        Environment::default()
            .with("API_CLIENT_ID", "33333333-3333-4333-8333-333333333333")
            .with("SWAGGER_UI_CLIENT_ID", "44444444-4444-4444-8444-444444444444")
            .with("AAD_TENANT_ID", "11111111-1111-4111-8111-111111111111")
    }

    fn faults(environment: &Environment) -> Vec<String> {
        match Config::read(environment) {
            Ok(_) => Vec::new(),
            Err(InvalidConfig(faults)) => faults,
        }
    }

    #[test]
    fn every_missing_setting_is_listed_at_once() {
        let faults = faults(&Environment::default());
        for name in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "AAD_TENANT_ID"] {
            let missing = |fault: &String| fault.starts_with(name) && fault.contains("missing");
            assert!(faults.iter().any(missing), "{name}: {faults:?}");
        }
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn every_wrong_setting_is_named() {
        for (name, value) in [
            ("API_CLIENT_ID", "todo"),
            ("SWAGGER_UI_CLIENT_ID", "ui"),
            ("AAD_TENANT_ID", "no tenant"),
            ("AAD_TENANT_ID", "common"),
            ("AAD_INSTANCE", "http://login.example"),
            ("ALLOWED_TENANTS", "any"),
            ("HOST", "http://localhost"),
            ("HOST", "localhost:8000"),
            ("HOST", "my host"),
            ("HOST", "[::1]"),
            ("PORT", "65536"),
            ("PORT", "-1"),
            ("PUBLIC_URL", "todo.example"),
            ("PUBLIC_URL", "https://todo.example/?a=b"),
            ("CORS_ORIGINS", "https://app.example/"),
            ("DATABASE_URL", "mysql://root:secret@localhost/todo"),
            ("DATABASE_URL", "postgres://todo:secret@localhost"),
            ("DATABASE_URL", "postgres://todo:secret@local host/todo"),
            ("DATABASE_URL", "postgres://todo:a#secret@localhost/todo"),
            ("DATABASE_URL", "postgres://todo:b@localhost/todo#secret"),
            ("DATABASE_URL", "postgres://todo:a/secret@localhost/todo"),
            ("DATABASE_URL", "postgres://todo:1/secret@localhost/todo"),
            ("DATABASE_URL", "Host=localhost;Password=secret"),
            ("DATABASE_URL", "sqlite://"),
            ("DATABASE_URL", "sqlite::memory:"),
            ("DATABASE_URL", "sqlite://data/todo.db?mode=ro"),
            ("DATABASE_CONNECTIONS", "0"),
            ("DATABASE_TIMEOUT", "never"),
            ("TOKEN_LEEWAY", "301"),
            ("TOKEN_CACHE_ENTRIES", "-1"),
            ("TOKEN_CACHE_ENTRIES", "10000001"),
            ("KEY_REFRESH", "soon"),
            ("LOG_FORMAT", "xml"),
            ("RUST_LOG", "a=b=c"),
            ("DEV_TENANT_PORT", "x"),
            ("DEV_TENANT_HTTPS_PORT", "x"),
        ] {
            let faults = faults(&complete().with(name, value));
            assert_eq!(faults.len(), 1, "{name}={value}: {faults:?}");
            let expected = if value == "common" { "ALLOWED_TENANTS" } else { name };
            assert!(faults[0].starts_with(expected), "{faults:?}");
            assert!(!faults[0].contains("secret"), "{faults:?}");
        }
    }

    #[test]
    fn a_line_of_the_file_that_cannot_be_read_is_named_by_its_number_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        for (text, expected) in [
            (
                "PORT=8000\n\n# A secret.\nAPI_CLIENT_SECRET=top secret\nHOST=\n",
                "line 4 (API_CLIENT_SECRET):",
            ),
            ("API_CLIENT_SECRET=top\\secret", "line 1 (API_CLIENT_SECRET):"),
            ("OTHER='te\nxt'\nexport DATABASE_URL=postgres://u:a secret@db/todo", "line 3:"),
            ("HOST='local\nAPI_CLIENT_SECRET=secret\n", "line 1 (HOST):"),
            ("PORT=8000\n'secret' = 1\n", "line 2:"),
            ("PORT=8000\nsecret\n", "line 2:"),
            ("secret secret=", "line 1:"),
        ] {
            fs::write(&file, text).unwrap();
            let InvalidConfig(faults) = Environment::from_file(&file).unwrap_err();
            let [fault] = &faults[..] else { panic!("{faults:?}") };
            assert!(
                fault.contains(&format!(".env has a line that cannot be read, {expected} ")),
                "{fault}"
            );
            assert!(!fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn a_quote_that_ends_on_another_line_swallows_nothing_and_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        fs::write(&file, "PORT='8000\nAPI_CLIENT_SECRET=secret\n# that's\n").unwrap();
        let fault = Environment::from_file(&file).unwrap_err().to_string();
        assert!(fault.contains(".env has a line break in PORT"), "{fault}");
        assert!(!fault.contains("secret"), "{fault}");
    }

    #[test]
    fn a_file_counts_as_it_stands_in_single_quotes_and_with_the_mark_of_an_editor() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        assert!(Environment::from_file(&file).unwrap().0.is_empty(), "none is needed");
        let text = "\u{feff}HOST=localhost # both\r\nAPI_CLIENT_SECRET='a $b\\ \"#\"'\r\nPORT=1 ";
        fs::write(&file, text).unwrap();
        let environment = Environment::from_file(&file).unwrap();
        assert_eq!(environment.get("HOST"), Some("localhost"));
        assert_eq!(environment.get("PORT"), Some("1"));
        assert_eq!(environment.get("API_CLIENT_SECRET"), Some("a $b\\ \"#\""));

        let folder = Environment::from_file(folder.path()).unwrap_err();
        assert!(folder.to_string().contains("cannot be read: "), "{folder}");
    }

    #[test]
    fn a_setting_that_is_empty_counts_as_not_set() {
        let config = Config::read(&complete().with("PORT", "").with("HOST", " ")).unwrap();
        assert_eq!((config.server.host.as_str(), config.server.port), ("localhost", 8000));
    }

    #[test]
    fn a_password_in_the_url_of_the_database_is_never_shown() {
        let url = "postgres://todo:secret@db.example:5433/todo?sslmode=require";
        let config = Config::read(&complete().with("DATABASE_URL", url)).unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("postgres://db.example:5433/todo"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn the_development_tenant_is_for_loopback_addresses_only() {
        for host in ["0.0.0.0", "::", "192.0.2.1", "todo.example"] {
            assert!(Config::read_dev(complete().with("HOST", host)).is_err(), "{host}");
        }
        for host in ["localhost", "127.0.0.1", "::1"] {
            assert!(Config::read_dev(complete().with("HOST", host)).is_ok(), "{host}");
        }
    }

    #[test]
    fn with_the_development_tenant_no_setting_is_needed_and_another_tenant_is_ignored() {
        let environment = complete().with("AAD_TENANT_ID", "common").with("API_CLIENT_ID", "");
        let config = Config::read_dev(environment).unwrap();
        assert_eq!(config.entra.tenant, entra_dev::ids::CONTOSO);
        assert_eq!(config.entra.instance, "http://localhost:8001");
    }
}
