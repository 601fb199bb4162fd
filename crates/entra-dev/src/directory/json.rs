use serde_json::{Deserializer, Value};

use super::Fault;

/// JSON as a TOML value: an array with nothing else in it, all of it on the lines where it was.
///
/// JSON is nearly a TOML 1.1 value: inline tables have `=` where objects have `:`, and there is no
/// `null`, no `\/` and no surrogate pair. With that rewritten, both formats have one parser, one
/// schema and the same faults. In an array a value may begin on any line.
///
/// # Errors
///
/// The first fault: what is no JSON, or a `null`.
pub(super) fn to_toml(json: &str) -> Result<String, Fault> {
    serde_json::from_str::<Value>(json).map_err(|error| fault(&error))?;
    let mut toml = String::from("[");
    let mut rest = json;
    // Outside of strings a colon is nothing else, and no other word has an `n`.
    while let Some(at) = rest.find(['"', ':', 'n']) {
        let (before, from) = rest.split_at(at);
        toml.push_str(before);
        if let Some(after) = from.strip_prefix(':') {
            toml.push('=');
            rest = after;
        } else if from.starts_with('n') {
            let line = toml.matches('\n').count() + 1;
            return Err(Fault { line, text: "null is no value here: leave the member out".into() });
        } else {
            let mut values = Deserializer::from_str(from).into_iter::<Value>();
            let text = values.next().transpose().map_err(|error| fault(&error))?;
            // serde_json writes no escape that TOML does not know, and leaves one character that
            // TOML wants escaped.
            let text = text.unwrap_or_default().to_string().replace('\u{7f}', "\\u007F");
            toml.push_str(&text);
            rest = &from[values.byte_offset()..];
        }
    }
    toml.push_str(rest);
    toml.push(']');
    Ok(toml)
}

fn fault(error: &serde_json::Error) -> Fault {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let text = text.trim_end_matches(&format!(" at line {line} column {column}")).to_owned();
    Fault { line, text }
}
