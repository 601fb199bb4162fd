//! Parses the variables and collects all faults.

use std::{
    fmt::Display,
    net::IpAddr,
    num::{IntErrorKind, NonZeroU32, NonZeroUsize, ParseIntError},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
    thread,
    time::Duration,
};

use poem_entra::{ClientId, Fault, InvalidSettings, Setting, Settings, settings::not_a_guid};
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::{
    proxies::TrustedProxies,
    store::{Location, Options},
    tls::{InvalidTls, Tls},
};

use super::{DevTenantConfig, Environment, InvalidConfig, LogConfig, LogFormat, ServerConfig};

/// In seconds. A longer timeout for requests or the database is probably a mistake, such as a
/// number of milliseconds. Some of these numbers would be too large for SQLite and PostgreSQL.
const HOUR: u64 = 3_600;
/// In seconds. Microsoft recommends fetching the keys at least once a day.
const DAY: u64 = 86_400;
/// This many connections take 20 GB, so a larger number is a mistake.
const MAX_CONNECTIONS: usize = 1_000_000;
const MAX_WORKER_THREADS: usize = 1_024;
/// PostgreSQL accepts 100 by default, and starts a process for each.
const MAX_DATABASE_CONNECTIONS: usize = 1_000;

/// Reads values from an [`Environment`]. A value that cannot be parsed adds a fault, and reading
/// continues with a placeholder, so that later faults are found too.
pub(super) struct Reader<'a> {
    environment: &'a Environment,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self { environment, faults: Vec::new() }
    }

    /// The value, or the default if the variable is not set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.environment.get(name)
    }

    pub(super) fn report(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Returns the value if no fault was found. `None` must come with a fault.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, InvalidConfig> {
        value.filter(|_| self.faults.is_empty()).ok_or(InvalidConfig(self.faults))
    }
}

/// One method per concern.
impl Reader<'_> {
    pub(super) fn entra(&mut self, public_url: Option<&str>) -> Settings {
        let text = |name| self.environment.get(name).unwrap_or_default().to_owned();
        let mut settings = Settings::new(text("AAD_TENANT_ID"), text("API_CLIENT_ID"));
        settings.instance = text("AAD_INSTANCE");
        settings.app_id_uris = self.environment.list("APP_ID_URI");
        settings.resource = public_url.map(str::to_owned);
        settings.audiences = self.environment.list("API_AUDIENCE");
        settings.allowed_tenants = self.environment.list("ALLOWED_TENANTS");
        settings.claims_mapping = self.boolean("CLAIMS_MAPPING");
        settings.leeway = Duration::from_secs(self.number("TOKEN_LEEWAY"));
        settings.token_cache_entries = self.number("TOKEN_CACHE_ENTRIES");
        settings.key_refresh = self.seconds(0..=DAY, "KEY_REFRESH");
        settings.key_refresh_floor = self.seconds(0..=DAY, "KEY_REFRESH_FLOOR");
        settings.key_retention = self.seconds(0..=30 * DAY, "KEY_RETENTION");
        if let Err(InvalidSettings(faults)) = settings.check() {
            for (variable, problem) in faults.iter().map(in_terms_of_variables) {
                // A number that could not be parsed was replaced by 0. Do not report the 0 as well.
                if !self.faults.iter().any(|known| known.starts_with(&format!("{variable} "))) {
                    self.faults.push(format!("{variable} {problem}"));
                }
            }
        }
        settings
    }

    pub(super) fn swagger_ui_client_id(&mut self) -> String {
        let name = "SWAGGER_UI_CLIENT_ID";
        match self.environment.get(name) {
            Some(id) if ClientId::parse(id).is_some() => return id.to_owned(),
            Some(other) => self.faults.push(format!("{name} {}", not_a_guid(other))),
            None => self.faults.push(format!(
                "{name} is missing: the application (client) id of the app registration that \
                 people use to sign in on the docs page"
            )),
        }
        String::new()
    }

    pub(super) fn server(&mut self) -> ServerConfig {
        ServerConfig {
            host: self.host("HOST"),
            port: self.number("PORT"),
            public_url: self.url("PUBLIC_URL"),
            tls: self.tls(),
            cors_origins: self.origins("CORS_ORIGINS"),
            cors_headers: self.field_names("CORS_HEADERS"),
            drain_timeout: self.seconds(0..=HOUR, "DRAIN_TIMEOUT"),
            trusted_proxies: self.proxies("TRUSTED_PROXIES"),
            max_connections: self.within(4..=MAX_CONNECTIONS, "MAX_CONNECTIONS"),
            worker_threads: self.threads("WORKER_THREADS"),
            rate_limit: self.rate("RATE_LIMIT"),
            explains_refusals: self.boolean("EXPLAIN_401"),
        }
    }

    pub(super) fn database(&mut self) -> Option<Options> {
        let connections = self.within(2..=MAX_DATABASE_CONNECTIONS, "DATABASE_CONNECTIONS");
        let timeout = self.seconds(1..=HOUR, "DATABASE_TIMEOUT");
        let todo_limit = self.within(1..=u32::MAX, "TODO_LIMIT");
        let url = self.environment.get("DATABASE_URL").unwrap_or_default();
        let password = self.environment.get("PGPASSWORD");
        let location = Location::parse(url).map(|location| match location {
            Location::Postgres(url) => Location::Postgres(url.or_password(password)),
            file => file,
        });
        if location.is_none() {
            // The URL may contain a password, so no part of it is shown.
            let problem = "DATABASE_URL is neither sqlite://PATH nor \
                           postgres://USER:PASSWORD@HOST/DATABASE; in a password, write % as %25, \
                           # as %23, / as %2F, ? as %3F, @ as %40";
            self.faults.push(problem.to_owned());
        }
        Some(Options { location: location?, connections, timeout, todo_limit })
    }

    pub(super) fn log(&mut self) -> LogConfig {
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
        if let Err(error) = EnvFilter::try_new(&filter) {
            self.faults.push(format!("RUST_LOG cannot be read: {error}"));
        }
        LogConfig { format, filter }
    }

    pub(super) fn dev_tenant(&mut self) -> DevTenantConfig {
        DevTenantConfig {
            port: self.number("DEV_TENANT_PORT"),
            https_port: self.number("DEV_TENANT_HTTPS_PORT"),
            directory: self.environment.get("DEV_TENANT_CONFIG").map(PathBuf::from),
        }
    }

    /// The settings that are valid but probably wrong: most of them have no effect.
    pub(super) fn warnings(&self, settings: &Settings, server: &ServerConfig) -> Vec<String> {
        let validator = settings.warnings();
        let validator = validator.iter().map(in_terms_of_variables);
        let mut warnings: Vec<_> = validator.map(|(name, why)| format!("{name} {why}")).collect();
        let get = |name| self.environment.get(name);
        if get("SWAGGER_UI_CLIENT_ID").is_some_and(|id| Some(id) == get("API_CLIENT_ID")) {
            warnings.push(
                "SWAGGER_UI_CLIENT_ID is the same as API_CLIENT_ID; register the client \
                 separately, because ID tokens of the API's own registration look like access \
                 tokens"
                    .to_owned(),
            );
        }
        if get("API_CLIENT_SECRET").is_some_and(|secret| ClientId::parse(secret).is_some()) {
            warnings.push(
                "API_CLIENT_SECRET is a GUID, so it is the id of a secret and not its value"
                    .to_owned(),
            );
        }
        // Not a variable of this program, so the value can only be from the file.
        for name in LIBRARY_VARIABLES.into_iter().filter(|name| get(name).is_some()) {
            warnings.push(format!(
                "{name} has no effect in .env; set it in the environment of the program"
            ));
        }
        warnings.extend(server.redirect_problem());
        warnings
    }
}

/// Variables of libraries, which read only the environment.
const LIBRARY_VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Whether the URL is plain http and does not lead to this machine.
pub(super) fn is_http_elsewhere(url: &str) -> bool {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http");
    url.is_some_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name != "localhost",
        Some(url::Host::Ipv4(address)) => !address.is_loopback(),
        Some(url::Host::Ipv6(address)) => !address.is_loopback(),
        None => false,
    })
}

/// Whether this name or address to listen on is not one of this machine only. A wildcard address
/// includes `localhost`.
pub(super) fn is_elsewhere(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => !address.is_loopback() && !address.is_unspecified(),
        Err(_) => host != "localhost",
    }
}

/// One method per kind of value.
impl Reader<'_> {
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

    fn within<T>(&mut self, range: RangeInclusive<T>, name: &str) -> T
    where
        T: FromStr<Err = ParseIntError> + Default + PartialOrd + Display,
    {
        let faults = self.faults.len();
        let number = self.number(name);
        // A number that could not be parsed has a fault already.
        if !range.contains(&number) && self.faults.len() == faults {
            let (least, limit) = match number < *range.start() {
                true => ("least", range.start()),
                false => ("most", range.end()),
            };
            self.faults.push(format!("{name} is {number}, but must be at {least} {limit}"));
        }
        number
    }

    /// A number of 1 or more. `None` if the variable is not set.
    fn rate(&mut self, name: &str) -> Option<NonZeroU32> {
        self.environment.get(name)?;
        NonZeroU32::new(self.within(1..=u32::MAX, name))
    }

    fn threads(&mut self, name: &str) -> NonZeroUsize {
        let threads = match self.environment.get(name) {
            Some(_) => NonZeroUsize::new(self.within(1..=MAX_WORKER_THREADS, name)),
            None => thread::available_parallelism().ok(),
        };
        threads.unwrap_or(NonZeroUsize::MIN)
    }

    fn seconds(&mut self, range: RangeInclusive<u64>, name: &str) -> Duration {
        Duration::from_secs(self.within(range, name))
    }

    fn boolean(&mut self, name: &str) -> bool {
        match self.environment.get(name) {
            Some("true" | "1") => true,
            None | Some("false" | "0") => false,
            Some(other) => {
                self.faults.push(format!("{name} is {other:?}, neither true nor false"));
                false
            }
        }
    }

    fn tls(&mut self) -> Option<Tls> {
        let [certificate, key] = ["TLS_CERT", "TLS_KEY"].map(|name| self.environment.get(name));
        let missing = match (certificate, key) {
            (None, None) => return None,
            (Some(certificate), Some(key)) => {
                let tls = Tls::read(Path::new(certificate), Path::new(key));
                return tls.map_err(|InvalidTls(faults)| self.faults.extend(faults)).ok();
            }
            (Some(_), None) => "TLS_CERT is set, but TLS_KEY is not; set both or neither",
            (None, Some(_)) => "TLS_KEY is set, but TLS_CERT is not; set both or neither",
        };
        self.faults.push(missing.to_owned());
        None
    }

    /// A name or an address, without scheme and port.
    fn host(&mut self, name: &str) -> String {
        let host = self.environment.get(name).unwrap_or_default();
        let is_no_name = host.contains(|c: char| c.is_whitespace() || "/:[]@".contains(c));
        if is_no_name && host.parse::<IpAddr>().is_err() {
            self.faults.push(format!("{name} is {host:?}, which is neither a name nor an address"));
        }
        host.to_owned()
    }

    fn url(&mut self, name: &str) -> Option<String> {
        let text = self.environment.get(name)?;
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {
                Some(url.as_str().trim_end_matches('/').to_owned())
            }
            _ => {
                self.faults.push(format!("{name} must be an http or https URL without a query"));
                None
            }
        }
    }

    /// Origins in the form that browsers send (RFC 6454, section 6.2).
    fn origins(&mut self, name: &str) -> Vec<String> {
        let origins = self.environment.list(name);
        for origin in &origins {
            let is_origin =
                Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !is_origin {
                self.faults.push(format!("{name} contains {origin:?}, which is not an origin"));
            }
        }
        origins
    }

    /// Names of header fields, which are tokens (RFC 9110, section 5.1).
    fn field_names(&mut self, name: &str) -> Vec<String> {
        let fields = self.environment.list(name);
        let is_allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        for field in fields.iter().filter(|field| !field.bytes().all(is_allowed)) {
            self.faults.push(format!(
                "{name} contains {field:?}, which is not the name of a header field"
            ));
        }
        fields
    }

    /// Addresses and networks.
    fn proxies(&mut self, name: &str) -> TrustedProxies {
        let items = self.environment.list(name);
        TrustedProxies::parse(&items).unwrap_or_else(|item| {
            self.faults.push(format!(
                "{name} contains {item:?}, which is neither an address nor a network such as \
                 10.0.0.0/8"
            ));
            TrustedProxies::default()
        })
    }
}

/// Translates the names of the validator's settings to variables, which are what people set.
fn in_terms_of_variables(fault: &Fault) -> (&str, &str) {
    let variable = match fault.setting {
        Setting::Instance => "AAD_INSTANCE",
        Setting::Tenant => "AAD_TENANT_ID",
        Setting::ClientId => "API_CLIENT_ID",
        Setting::AppIdUris => "APP_ID_URI",
        Setting::Resource => "PUBLIC_URL",
        Setting::Audiences => "API_AUDIENCE",
        Setting::AllowedTenants => "ALLOWED_TENANTS",
        Setting::Leeway => "TOKEN_LEEWAY",
        Setting::TokenCacheEntries => "TOKEN_CACHE_ENTRIES",
        Setting::KeyRefresh => "KEY_REFRESH",
        _ => "another setting",
    };
    (variable, &fault.problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn faults(environment: &Environment) -> Vec<String> {
        match Config::read(environment) {
            Ok(_) => Vec::new(),
            Err(InvalidConfig(faults)) => faults,
        }
    }

    #[test]
    fn all_missing_settings_are_listed_at_once() {
        let faults = faults(&Environment::default());
        for name in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "AAD_TENANT_ID"] {
            let missing = |fault: &String| fault.starts_with(name) && fault.contains("missing");
            assert!(faults.iter().any(missing), "{name}: {faults:?}");
        }
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn every_wrong_setting_is_named_without_its_secret() {
        for (name, value) in [
            ("API_CLIENT_ID", "todo"),
            ("SWAGGER_UI_CLIENT_ID", "ui"),
            ("AAD_TENANT_ID", "no tenant"),
            ("AAD_TENANT_ID", "common"),
            ("AAD_INSTANCE", "http://login.example"),
            ("APP_ID_URI", "api://todo, 33333333-3333-4333-8333-333333333333"),
            ("APP_ID_URI", "api://todo/access_as_user openid"),
            ("API_AUDIENCE", "https://graph.microsoft.com"),
            ("ALLOWED_TENANTS", "any"),
            ("CLAIMS_MAPPING", "yes"),
            ("HOST", "http://localhost"),
            ("HOST", "localhost:8000"),
            ("HOST", "my host"),
            ("HOST", "[::1]"),
            ("PORT", "65536"),
            ("PORT", "-1"),
            ("PUBLIC_URL", "todo.example"),
            ("PUBLIC_URL", "https://todo.example/?a=b"),
            ("TLS_CERT", "cert.pem"),
            ("TLS_KEY", "key.pem"),
            ("CORS_ORIGINS", "https://app.example/"),
            ("CORS_HEADERS", "x-tenant, x tenant"),
            ("CORS_HEADERS", "x-tenant:"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"),
            ("MAX_CONNECTIONS", "3"),
            ("MAX_CONNECTIONS", "1000001"),
            ("WORKER_THREADS", "0"),
            ("WORKER_THREADS", "1025"),
            ("RATE_LIMIT", "0"),
            ("RATE_LIMIT", "10/s"),
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
            ("DATABASE_CONNECTIONS", "1"),
            ("DATABASE_CONNECTIONS", "1001"),
            ("DATABASE_CONNECTIONS", "18446744073709551615"),
            ("DRAIN_TIMEOUT", "1m"),
            ("DRAIN_TIMEOUT", "3601"),
            ("DATABASE_TIMEOUT", "never"),
            ("DATABASE_TIMEOUT", "0"),
            ("DATABASE_TIMEOUT", "3601"),
            ("TODO_LIMIT", "0"),
            ("TOKEN_LEEWAY", "301"),
            ("TOKEN_CACHE_ENTRIES", "-1"),
            ("TOKEN_CACHE_ENTRIES", "10000001"),
            ("KEY_REFRESH", "soon"),
            ("KEY_REFRESH", "0"),
            ("KEY_REFRESH", "86401"),
            ("KEY_REFRESH_FLOOR", "86401"),
            ("KEY_RETENTION", "2592001"),
            ("EXPLAIN_401", "yes"),
            ("LOG_FORMAT", "xml"),
            ("RUST_LOG", "a=b=c"),
            ("DEV_TENANT_PORT", "x"),
            ("DEV_TENANT_HTTPS_PORT", "x"),
        ] {
            let faults = faults(&Environment::complete().with(name, value));
            assert_eq!(faults.len(), 1, "{name}={value}: {faults:?}");
            let expected = if value == "common" { "ALLOWED_TENANTS" } else { name };
            assert!(faults[0].starts_with(expected), "{faults:?}");
            assert!(!faults[0].contains("secret"), "{faults:?}");
        }
    }

    #[test]
    fn the_largest_and_the_smallest_numbers_are_accepted() {
        for (name, values) in [
            ("PORT", ["0", "65535"]),
            ("DRAIN_TIMEOUT", ["0", "3600"]),
            ("MAX_CONNECTIONS", ["4", "1000000"]),
            ("WORKER_THREADS", ["1", "1024"]),
            ("RATE_LIMIT", ["1", "4294967295"]),
            ("DATABASE_CONNECTIONS", ["2", "1000"]),
            ("DATABASE_TIMEOUT", ["1", "3600"]),
            ("TODO_LIMIT", ["1", "4294967295"]),
            ("TOKEN_LEEWAY", ["0", "300"]),
            ("TOKEN_CACHE_ENTRIES", ["0", "10000000"]),
            ("KEY_REFRESH", ["1", "86400"]),
            ("KEY_REFRESH_FLOOR", ["0", "86400"]),
            ("KEY_RETENTION", ["0", "2592000"]),
            ("DEV_TENANT_PORT", ["0", "65535"]),
            ("DEV_TENANT_HTTPS_PORT", ["0", "65535"]),
        ] {
            for value in values {
                let faults = faults(&Environment::complete().with(name, value));
                assert_eq!(faults, <[String; 0]>::default(), "{name}={value}");
            }
            let faults = faults(&Environment::complete().with(name, "99999999999999999999"));
            let expected = format!("{name} is \"99999999999999999999\", which is too large");
            assert_eq!(faults, [expected]);
        }
    }

    #[test]
    fn paste_errors_are_named_together() {
        let api = "33333333-3333-4333-8333-333333333333";
        let environment = Environment::default()
            .with("AAD_INSTANCE", "https://login.microsoftonline.com/contoso.example/v2.0")
            .with("AAD_TENANT_ID", "contoso.example\u{200b}")
            .with("API_CLIENT_ID", format!("api://{api}"))
            .with("SWAGGER_UI_CLIENT_ID", "{44444444-4444-4444-8444-444444444444}");
        assert_eq!(
            faults(&environment),
            [
                "AAD_INSTANCE must be only a scheme and a host; write \
                 https://login.microsoftonline.com (the tenant is a separate setting)"
                    .to_owned(),
                "AAD_TENANT_ID contains the invisible character U+200B; remove it".to_owned(),
                format!("API_CLIENT_ID is an App ID URI; write only the GUID in it, {api}"),
                "SWAGGER_UI_CLIENT_ID is in braces; remove them".to_owned(),
            ]
        );
    }

    #[test]
    fn an_audience_that_has_no_effect_is_a_warning() {
        let warnings = |audiences: &str| {
            let environment = Environment::complete().with("API_AUDIENCE", audiences);
            Config::read(&environment).unwrap().warnings
        };
        assert_eq!(warnings("https://old.contoso.example"), <[String; 0]>::default());
        let [wildcard, scope] = &warnings("*, access_as_user, api://old")[..] else {
            panic!("{:?}", warnings("*, access_as_user, api://old"));
        };
        assert!(wildcard.starts_with("API_AUDIENCE contains \"*\", which is not"), "{wildcard}");
        assert!(scope.starts_with("API_AUDIENCE contains \"access_as_user\", which"), "{scope}");
    }

    #[test]
    fn settings_that_are_probably_wrong_are_warnings() {
        let api = "33333333-3333-4333-8333-333333333333";
        for (name, value, expected) in [
            ("PUBLIC_URL", "http://todo.example/todo", Some("PUBLIC_URL is http on another host")),
            ("PUBLIC_URL", "http://10.0.0.1", Some("PUBLIC_URL is http on another host")),
            ("PUBLIC_URL", "https://todo.example", None),
            ("PUBLIC_URL", "http://localhost:9000", None),
            ("PUBLIC_URL", "http://127.0.0.1:9000", None),
            ("PUBLIC_URL", "http://[::1]:9000", None),
            ("HOST", "192.0.2.1", Some("HOST is 192.0.2.1, and without PUBLIC_URL people reach")),
            ("HOST", "todo.example", Some("HOST is todo.example, and without PUBLIC_URL people")),
            ("HOST", "0.0.0.0", None),
            ("HOST", "::1", None),
            (
                "SWAGGER_UI_CLIENT_ID",
                api,
                Some("SWAGGER_UI_CLIENT_ID is the same as API_CLIENT_ID"),
            ),
            ("API_CLIENT_SECRET", api, Some("API_CLIENT_SECRET is a GUID, so it is the id of")),
            ("API_CLIENT_SECRET", "abc8Q~secret", None),
            ("HTTPS_PROXY", "http://proxy:3128", Some("HTTPS_PROXY has no effect in .env")),
            ("SSL_CERT_FILE", "ca.pem", Some("SSL_CERT_FILE has no effect in .env")),
        ] {
            let environment = Environment::complete().with(name, value);
            let warnings = Config::read(&environment).unwrap().warnings;
            match (&warnings[..], expected) {
                ([], None) => {}
                ([warning], Some(expected)) => assert!(warning.starts_with(expected), "{warning}"),
                _ => panic!("{name}={value}: {warnings:?}"),
            }
        }
        let https = Environment::complete().with("HOST", "192.0.2.1");
        let https = https.with("PUBLIC_URL", "https://todo.example");
        assert_eq!(Config::read(&https).unwrap().warnings, <[String; 0]>::default());
    }

    #[test]
    fn a_switch_is_a_word_or_a_digit() {
        for (value, expected) in [("1", true), ("true", true), ("0", false), ("false", false)] {
            let environment = Environment::complete().with("EXPLAIN_401", value);
            assert_eq!(Config::read(&environment).unwrap().server.explains_refusals, expected);
        }
    }

    #[test]
    fn an_empty_variable_has_its_default() {
        let environment = Environment::complete().with("PORT", "").with("HOST", " ");
        let config = Config::read(&environment).unwrap();
        assert_eq!((config.server.host.as_str(), config.server.port), ("localhost", 8000));
    }

    #[test]
    fn the_password_of_the_database_is_never_shown() {
        let url = "postgres://todo:secret@db.example:5433/todo?sslmode=require";
        let config = Config::read(&Environment::complete().with("DATABASE_URL", url)).unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("postgres://db.example:5433/todo"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
