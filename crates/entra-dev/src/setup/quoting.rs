//! Values in source code and in commands, so that they can be copied whatever they contain.

/// The text as a string literal. .NET, Python, JavaScript, Java, Go and Rust share these escapes; a
/// directory has no control characters.
pub(super) fn string_literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

/// The text as one word of a shell command (POSIX, Shell Command Language, 2.2.2).
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/:@%+=,".contains(c);
    match text.chars().all(is_plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
