//! Finds the token in what people paste: a token, an `Authorization` header or a curl command.

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Read, Write},
    path::Path,
};

use http::{HeaderMap, HeaderValue, header};

/// The largest input that is read, in bytes. A curl command with a token is shorter.
const INPUT_LIMIT: u64 = 65_536;

/// The headers that the API would get, and the token in them.
#[derive(Debug)]
pub(super) struct Pasted {
    pub(super) headers: HeaderMap,
    /// The text that should be a token.
    pub(super) token: String,
}

/// Why the input cannot be explained. It is not shown, because it may contain secrets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadInput {
    #[error(
        "No token was given. Give it as an argument or, to keep it out of the history of the shell, \
         in the standard input: todo-api token --as uma | todo-api explain -"
    )]
    Missing,
    #[error(
        "The input has {0} tokens. Give only one: of the response to a sign-in, the access_token, \
         not the id_token."
    )]
    Several(usize),
    #[error(
        "The argument is the path of a file, not a token. To read the token from the file: todo-api \
         explain - < FILE"
    )]
    File,
    #[error("The input is binary, not text. A token is text that begins with eyJ.")]
    Binary,
    #[error(
        "The input has more than 65,536 bytes, but a token has at most 16,384. Give only the token, \
         its Authorization header or the curl command."
    )]
    TooLong,
    #[error(
        "The token is broken by line breaks or spaces, as in an email. Join its lines first: tr -d \
         '[:space:]>' < FILE | todo-api explain -"
    )]
    LineBreaks,
    #[error(
        "The input has a variable of the shell ({0}) instead of a token. Give the value of the \
         variable."
    )]
    Variable(String),
    #[error(
        "The input has no token. A token begins with eyJ, and follows the word Bearer in the \
         Authorization header."
    )]
    NoToken,
    #[error("The input cannot be read: {0}.")]
    Unreadable(String),
}

/// Reads the arguments or, if there are none or only `-`, the standard input.
pub(super) fn read(arguments: &[OsString]) -> Result<Pasted, BadInput> {
    let text = match arguments {
        [] if io::stdin().is_terminal() => return Err(BadInput::Missing),
        [] => from_stdin()?,
        [only] if only == "-" => from_stdin()?,
        arguments => {
            let texts = arguments.iter().map(|argument| argument.to_str());
            let texts: Option<Vec<_>> = texts.collect();
            texts.ok_or(BadInput::Binary)?.join("\n")
        }
    };
    parse(&text)
}

fn from_stdin() -> Result<String, BadInput> {
    if io::stdin().is_terminal() {
        // If it cannot be written, the terminal waits all the same.
        let _ = writeln!(io::stderr(), "Paste the token, then press Enter and Ctrl+D.");
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(INPUT_LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| BadInput::Unreadable(error.to_string()))?;
    if bytes.len() as u64 > INPUT_LIMIT {
        return Err(BadInput::TooLong);
    }
    String::from_utf8(bytes).map_err(|_| BadInput::Binary)
}

fn parse(text: &str) -> Result<Pasted, BadInput> {
    if text.len() as u64 > INPUT_LIMIT {
        return Err(BadInput::TooLong);
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(BadInput::Missing);
    }
    if text.contains(|c: char| c.is_control() && !c.is_whitespace()) {
        return Err(BadInput::Binary);
    }
    let tokens = tokens(text);
    if tokens.len() > 1 {
        return Err(BadInput::Several(tokens.len()));
    }
    let is_repeated = text.split_whitespace().all(|word| tokens.contains(&word));
    if is_broken_token(text) && !is_repeated {
        return Err(BadInput::LineBreaks);
    }
    let token = tokens.first().copied();
    if let Some(value) = header_value(text) {
        return match token {
            Some(token) => Pasted::new(value, token),
            None if value.contains('$') => Err(BadInput::Variable(variable(value))),
            None => Pasted::new(value, value.split_once(' ').map_or(value, |(_, token)| token)),
        };
    }
    match token.or_else(|| truncated(text)) {
        Some(token) => Pasted::new(&format!("Bearer {token}"), token),
        None => without_token(text),
    }
}

impl Pasted {
    fn new(header: &str, token: &str) -> Result<Self, BadInput> {
        let value = HeaderValue::from_str(header.trim()).map_err(|_| BadInput::NoToken)?;
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        Ok(Self { headers, token: token.trim().to_owned() })
    }
}

/// The different words that have the form of a whole token. All of them begin with `{"` in base64.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens: Vec<_> = words(text).filter(|word| word.matches('.').count() >= 2).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// The beginning of a token, whose end is missing.
fn truncated(text: &str) -> Option<&str> {
    words(text).next()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let separates = |c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c));
    text.split(separates).filter(|word| word.starts_with("eyJ"))
}

/// Whether the text is one token with white space inside. Mail programs also add `>` at the start
/// of a line, and `=` at its end.
fn is_broken_token(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
    let token = without_scheme(header_value_at_start(text).unwrap_or(text));
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.>=".contains(c) || c.is_whitespace();
    token.starts_with("eyJ") && token.chars().all(is_part) && token.contains(char::is_whitespace)
}

fn header_value_at_start(text: &str) -> Option<&str> {
    let (name, value) = text.split_once(':')?;
    name.trim().eq_ignore_ascii_case("authorization").then(|| value.trim())
}

fn without_scheme(text: &str) -> &str {
    match text.split_once(char::is_whitespace) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => text,
    }
}

/// The value of the `Authorization` header, up to a quote or the end of the line.
fn header_value(text: &str) -> Option<&str> {
    const NAME: &str = "authorization";
    let quotes = ['"', '\''];
    let at = text.to_ascii_lowercase().find(NAME)?;
    let rest = text[at + NAME.len()..].trim_start_matches(quotes).trim_start();
    let value = rest.strip_prefix(':')?.trim_start().trim_start_matches(quotes);
    let end = value.find(['"', '\'', '\n', '\r']).unwrap_or(value.len());
    Some(value[..end].trim()).filter(|value| !value.is_empty())
}

/// The name of the first variable, such as `$TOKEN`.
fn variable(text: &str) -> String {
    let start = text.find('$').unwrap_or_default();
    let is_name = |c: &char| c.is_ascii_alphanumeric() || "_{}$".contains(*c);
    text[start..].chars().take_while(is_name).collect()
}

/// Schemes without a token that begins with `eyJ`, for a header that was pasted without its name.
const SCHEMES: [&str; 8] =
    ["bearer", "basic", "digest", "negotiate", "ntlm", "pop", "dpop", "mtls_pop"];

fn without_token(text: &str) -> Result<Pasted, BadInput> {
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [word] if is_file(word) => Err(BadInput::File),
        [word] | [_, word] if word.starts_with('$') => Err(BadInput::Variable(variable(word))),
        [scheme] if SCHEMES.contains(&&*scheme.to_lowercase()) => Err(BadInput::Missing),
        // It may be an opaque token: the validator says what is wrong with it.
        [word] => Pasted::new(&format!("Bearer {word}"), word),
        [scheme, word] if SCHEMES.contains(&&*scheme.to_lowercase()) => {
            Pasted::new(&format!("{scheme} {word}"), word)
        }
        _ if text.contains('$') => Err(BadInput::Variable(variable(text))),
        _ => Err(BadInput::NoToken),
    }
}

fn is_file(word: &str) -> bool {
    let is_path = ["/", "./", "../", "~/", ".\\"].iter().any(|start| word.starts_with(start));
    let path = Path::new(word);
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let is_name = ["env", "json", "jwt", "log", "md", "pem", "token", "txt"].contains(&extension);
    is_path || is_name || path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOi.eyJhdWQiOi.c2ln";

    fn parsed(text: &str) -> Result<(String, String), BadInput> {
        let pasted = parse(text)?;
        let header = pasted.headers[header::AUTHORIZATION].to_str().unwrap();
        Ok((header.to_owned(), pasted.token))
    }

    #[test]
    fn the_token_is_found_in_a_header_and_in_a_command() {
        for text in [
            TOKEN.to_owned(),
            format!("  {TOKEN}\r\n"),
            format!("\u{feff}{TOKEN}"),
            format!("\"{TOKEN}\""),
            format!("Bearer {TOKEN}"),
            format!("Authorization: Bearer {TOKEN}"),
            format!("authorization:Bearer {TOKEN}\nAccept: */*"),
            format!("curl -i http://localhost:8000/todoitems -H \"Authorization: Bearer {TOKEN}\""),
            format!("curl -H 'Authorization: Bearer {TOKEN}' \\\n  -d '{{\"item\":{{}}}}' URL"),
            format!("curl --oauth2-bearer {TOKEN} http://localhost:8000/todoitems"),
            format!("fetch(url, {{ headers: {{ \"Authorization\": \"Bearer {TOKEN}\" }} }})"),
            format!(
                "{{\"token_type\":\"Bearer\",\"access_token\":\"{TOKEN}\",\"expires_in\":3599}}"
            ),
            format!("{TOKEN}\n{TOKEN}"),
        ] {
            let expected = (format!("Bearer {TOKEN}"), TOKEN.to_owned());
            assert_eq!(parsed(&text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_header_keeps_its_scheme() {
        for (text, header, token) in [
            (format!("Authorization: {TOKEN}"), TOKEN, TOKEN),
            (format!("Authorization: PoP {TOKEN}"), &*format!("PoP {TOKEN}"), TOKEN),
            ("curl -H 'Authorization: Basic YTpi' URL".into(), "Basic YTpi", "YTpi"),
            ("Basic YTpi".into(), "Basic YTpi", "YTpi"),
            ("opaque".into(), "Bearer opaque", "opaque"),
            ("Bearer opaque".into(), "Bearer opaque", "opaque"),
            ("eyJhbGciOi.eyJhdW".into(), "Bearer eyJhbGciOi.eyJhdW", "eyJhbGciOi.eyJhdW"),
        ] {
            assert_eq!(parsed(&text), Ok((header.to_owned(), token.to_owned())), "{text}");
        }
    }

    #[test]
    fn bad_input_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("saved");
        std::fs::write(&file, TOKEN).unwrap();
        let broken = |by: &str| format!("eyJhbGciOi.eyJh{by}dWQiOi.c2ln");
        for (text, expected) in [
            (String::new(), BadInput::Missing),
            (" \r\n\t".into(), BadInput::Missing),
            ("Bearer".into(), BadInput::Missing),
            (format!("{TOKEN} {TOKEN}x"), BadInput::Several(2)),
            (
                format!("{{\"access_token\":\"{TOKEN}\",\"id_token\":\"{TOKEN}x\"}}"),
                BadInput::Several(2),
            ),
            (file.to_str().unwrap().into(), BadInput::File),
            ("token.txt".into(), BadInput::File),
            ("~/token".into(), BadInput::File),
            ("\u{0}\u{1}".into(), BadInput::Binary),
            (format!("{TOKEN}\u{1b}"), BadInput::Binary),
            ("x".repeat(65_537), BadInput::TooLong),
            (broken("\n"), BadInput::LineBreaks),
            (broken("\r\n> "), BadInput::LineBreaks),
            (broken("=\n"), BadInput::LineBreaks),
            (format!("> {}", broken("\n> ")), BadInput::LineBreaks),
            (format!("Bearer {}", broken(" ")), BadInput::LineBreaks),
            (format!("Authorization: Bearer {}", broken("\n")), BadInput::LineBreaks),
            (format!("{TOKEN}\nc2ln"), BadInput::LineBreaks),
            (
                "curl -H \"Authorization: Bearer $TOKEN\" URL".into(),
                BadInput::Variable("$TOKEN".into()),
            ),
            ("Bearer ${TOKEN}".into(), BadInput::Variable("${TOKEN}".into())),
            ("$TOKEN".into(), BadInput::Variable("$TOKEN".into())),
            ("curl http://localhost:8000/todoitems".into(), BadInput::NoToken),
            ("Why is my token refused?".into(), BadInput::NoToken),
        ] {
            assert_eq!(parsed(&text), Err(expected), "{text}");
        }
    }
}
