//! Links into the documentation.

use std::{fs, path::Path};

use super::root;

/// Whether a link leads to a heading, or to a page if it has no anchor. It is a URL that the program
/// prints, or a link in a page, which is relative to the folder of the page.
pub(crate) fn leads_somewhere(link: &str, folder: &str) -> bool {
    let online = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");
    let path = match link.strip_prefix(online) {
        Some(path) => root().join(path),
        None => root().join(folder).join(link),
    };
    let path = path.to_str().unwrap();
    match path.split_once('#') {
        Some((page, anchor)) => anchors(Path::new(page)).iter().any(|known| known == anchor),
        None => Path::new(path).exists(),
    }
}

/// The anchors of the headings of a page, as GitHub makes them; none if there is no such page.
fn anchors(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap_or_default();
    let headings = text.lines().filter_map(|line| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len()).then(|| heading.strip_prefix(' ')).flatten()
    });
    headings.map(anchor).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn an_anchor_is_the_heading_without_punctuation() {
    assert_eq!(anchor("`missing_token` (401)"), "missing_token-401");
    assert_eq!(anchor("Sign-in fails: AADSTS numbers"), "sign-in-fails-aadsts-numbers");
    assert!(leads_somewhere("CONFIGURATION.md#precedence", "docs"));
    assert!(!leads_somewhere("CONFIGURATION.md#nothing", "docs"));
    assert!(!leads_somewhere("NOTHING.md", "docs"));
}
