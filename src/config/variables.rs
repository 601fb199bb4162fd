//! The table of all variables. A test compares it with docs/CONFIGURATION.md and `.env.sample`.

/// A variable that the program reads.
pub struct Variable {
    /// Its name in the environment.
    pub name: &'static str,
    /// Its value if it is not set. `None`: it is required, or has no effect if it is not set.
    pub default: Option<&'static str>,
}

/// All variables, in the order of docs/CONFIGURATION.md.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "API_CLIENT_ID", default: None },
    Variable { name: "API_CLIENT_SECRET", default: None },
    Variable { name: "SWAGGER_UI_CLIENT_ID", default: None },
    Variable { name: "AAD_TENANT_ID", default: None },
    Variable { name: "AAD_INSTANCE", default: Some("https://login.microsoftonline.com") },
    Variable { name: "APP_ID_URI", default: None },
    Variable { name: "API_AUDIENCE", default: None },
    Variable { name: "ALLOWED_TENANTS", default: None },
    Variable { name: "CLAIMS_MAPPING", default: Some("false") },
    Variable { name: "HOST", default: Some("localhost") },
    Variable { name: "PORT", default: Some("8000") },
    Variable { name: "PUBLIC_URL", default: None },
    Variable { name: "TLS_CERT", default: None },
    Variable { name: "TLS_KEY", default: None },
    Variable { name: "CORS_ORIGINS", default: None },
    Variable { name: "CORS_HEADERS", default: None },
    Variable { name: "DRAIN_TIMEOUT", default: Some("30") },
    Variable { name: "TRUSTED_PROXIES", default: None },
    Variable { name: "MAX_CONNECTIONS", default: Some("10000") },
    Variable { name: "WORKER_THREADS", default: None },
    Variable { name: "RATE_LIMIT", default: None },
    Variable { name: "DATABASE_URL", default: Some("sqlite://data/todo.db") },
    Variable { name: "PGPASSWORD", default: None },
    Variable { name: "DATABASE_CONNECTIONS", default: Some("8") },
    Variable { name: "DATABASE_TIMEOUT", default: Some("5") },
    Variable { name: "TODO_LIMIT", default: Some("10000") },
    Variable { name: "TOKEN_LEEWAY", default: Some("60") },
    Variable { name: "TOKEN_CACHE_ENTRIES", default: Some("10000") },
    Variable { name: "KEY_REFRESH", default: Some("3600") },
    Variable { name: "KEY_REFRESH_FLOOR", default: Some("300") },
    Variable { name: "KEY_RETENTION", default: Some("86400") },
    Variable { name: "EXPLAIN_401", default: Some("false") },
    Variable { name: "LOG_FORMAT", default: Some("text") },
    Variable { name: "RUST_LOG", default: Some("info,poem::listener=warn,poem::server=warn") },
    Variable { name: "DEV_TENANT_PORT", default: Some("8001") },
    Variable { name: "DEV_TENANT_HTTPS_PORT", default: Some("8443") },
    Variable { name: "DEV_TENANT_CONFIG", default: None },
];

/// The variable with this name.
pub(super) fn find(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}
