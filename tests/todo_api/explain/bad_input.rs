//! Input without a token that can be explained.

use std::fs;

use crate::support::Launch;

use super::{explain, explain_in};

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl";

/// Nothing listens there: such input is refused before keys are fetched.
fn launch() -> Launch {
    Launch::serve("http://localhost:1")
}

#[test]
fn bad_input_is_named_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("saved"), TOKEN).unwrap();
    let two = format!("{TOKEN}\n{TOKEN}x");
    let broken = format!("{}\n> {}", &TOKEN[..30], &TOKEN[30..]);
    let megabyte = "eyJ".repeat(400_000);
    for (name, argument, input, says) in [
        ("nothing", "-", &b""[..], "No token was given."),
        ("white space", " ", b"", "No token was given."),
        ("two tokens", &*two, b"", "has 2 tokens. Give only one"),
        ("a file", "saved", b"", "is the path of a file"),
        ("a missing file", "./token.txt", b"", "explain - < FILE"),
        ("binary", "-", b"\x7fELF\x02\x01\x01\x00\xff\xfe", "is binary"),
        ("control characters", "eyJ\u{1}.a.b", b"", "is binary"),
        ("a megabyte", "-", megabyte.as_bytes(), "more than 65,536 bytes"),
        ("line breaks", &broken, b"", "broken by line breaks"),
        ("line breaks in the input", "-", broken.as_bytes(), "tr -d '[:space:]>'"),
        ("a variable", "Bearer $TOKEN", b"", "($TOKEN) instead of a token"),
        ("prose", "secret words about it", b"", "has no token"),
    ] {
        let explained = explain_in(&folder, &launch(), &[argument], input);
        assert_eq!(explained.code, Some(2), "{name}: {explained:?}");
        assert_eq!(explained.text, "", "{name}");
        let errors = &explained.errors;
        assert!(errors.starts_with("Error: "), "{name}: {errors}");
        assert!(errors.contains(says), "{name}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{name}: {errors}");
        for secret in ["c2lnbmF0dXJl", "secret", "ELF"] {
            assert!(!errors.contains(secret), "{name}: {errors}");
        }
    }
}

#[test]
fn two_arguments_are_two_tokens() {
    let explained = explain(&launch(), &[TOKEN, &format!("{TOKEN}x")]);
    assert_eq!(explained.code, Some(2), "{explained:?}");
    assert!(explained.errors.contains("has 2 tokens"), "{explained:?}");
}

#[test]
fn wrong_usage_is_told_from_a_refusal_by_the_exit_code() {
    let explained = explain(&launch(), &["--operation", "deleteEverything", TOKEN]);
    assert_eq!(explained.code, Some(2), "{explained:?}");
    let says = "There is no such operation; choose one of: listTodos, createTodo";
    assert!(explained.errors.contains(says), "{explained:?}");
    let explained = explain(&launch(), &["--jsn", TOKEN]);
    assert_eq!(explained.code, Some(2), "{explained:?}");
}
