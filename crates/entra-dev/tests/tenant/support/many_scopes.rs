//! An API with more than one scope, which the built-in directory does not have.

/// The App ID URI of an API with three scopes.
pub(crate) const MANY_SCOPES: &str = "api://c0000000-0000-4000-8000-000000000001";

/// Its entry in the directory.
pub(crate) const MANY_SCOPES_ENTRIES: &str = r#"
[[apps]]
client_id = "c0000000-0000-4000-8000-000000000001"
name = "API with many scopes"
tenant = "Contoso"
scopes = ["read", "write", "share"]
"#;
