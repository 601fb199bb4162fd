//! The text of `.env`: finds a variable or sets it, and keeps everything else.

/// The value that the text gives to this variable.
pub(super) fn value(text: &str, name: &str) -> Option<String> {
    get(&values(text)?, name).map(str::to_owned)
}

/// The text with this value of the variable. `None` if the text is not understood, or if another
/// variable would change, except through a reference to this one, such as `${NAME}`.
pub(super) fn with_value(text: &str, name: &str, value: &str) -> Option<String> {
    let has_value = |text: &str| values(text).is_some_and(|it| get(&it, name) == Some(value));
    if has_value(text) {
        return Some(text.to_owned());
    }
    let changed = replaced(text, name, value);
    let others = |text: &str| {
        let mut others = values(&without_references(text, name))?;
        others.retain(|(other, _)| other != name);
        Some(others)
    };
    let is_right = others(text)? == others(&changed)? && has_value(&changed);
    is_right.then_some(changed)
}

/// The text with this line at the end.
pub(super) fn with_line(text: &str, line: &str) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let last_end = if text.is_empty() || text.ends_with('\n') { "" } else { end };
    format!("{text}{last_end}{line}{end}")
}

/// The variables, in the order of the text. `None` if a line cannot be read.
fn values(text: &str) -> Option<Vec<(String, String)>> {
    let text = format!("{}\n", text.strip_prefix('\u{feff}').unwrap_or(text));
    dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().ok()
}

/// The text with references to another variable instead of this one. dotenvy takes the character
/// after `$NAME` literally, so a text that has no references at all may be read differently.
fn without_references(text: &str, name: &str) -> String {
    // No variable has this letter in its name.
    const LETTER: char = '\u{3b1}';
    let replace = |text: &str, start: &str| text.replace(start, &format!("{start}{LETTER}"));
    replace(&replace(text, &format!("${name}")), &format!("${{{name}"))
}

/// The value of a variable. The last line that sets it counts.
fn get<'a>(values: &'a [(String, String)], name: &str) -> Option<&'a str> {
    values.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn replaced(text: &str, name: &str, value: &str) -> String {
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    if let Some(at) = lines.iter().rposition(|line| assignment(line, name).is_some()) {
        let (before, after) = assignment(lines[at], name).unwrap_or_default();
        let changed = format!("{before}{}{after}", quoted(value));
        let unchanged = |range: &[&str]| range.concat();
        return unchanged(&lines[..at]) + &changed + &unchanged(&lines[at + 1..]);
    }
    let new = format!("{name}={}", quoted(value));
    let describes =
        |line: &&str| line.trim_start_matches(['#', ' ']).starts_with(&format!("{name}="));
    match lines.iter().rposition(describes) {
        Some(at) => with_line(&lines[..=at].concat(), &new) + &lines[at + 1..].concat(),
        None => with_line(text, &new),
    }
}

/// The parts of the line before and after the value, if it sets this variable.
fn assignment<'a>(line: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let start = line.trim_start_matches(['\u{feff}', ' ', '\t']);
    let start = start.strip_prefix("export ").map_or(start, str::trim_start);
    let rest = start.strip_prefix(name)?.trim_start_matches([' ', '\t']).strip_prefix('=')?;
    let value = rest.trim_start_matches([' ', '\t']);
    let length = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => value[1..].find(quote).map(|at| at + 2)?,
        _ => value.find(|c: char| c.is_whitespace()).unwrap_or(value.len()),
    };
    let at = line.len() - value.len();
    Some((&line[..at], &line[at + length..]))
}

/// A value that contains none of the characters with a meaning is written as it is.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/,@+".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{value}'") }
}
