//! Directory files.

/// Converts a directory file from TOML to JSON, with one value on each line.
pub(crate) fn as_json(text: &str) -> String {
    let value: serde_json::Value = toml::from_str(text).unwrap();
    format!("{value:#}")
}
