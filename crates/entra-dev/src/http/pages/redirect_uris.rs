//! A redirect URI that is not registered, compared with those that are.

use maud::{Markup, html};
use url::Url;

use crate::directory::App;

use super::{advice::list, directory::platform_name, table::code};

/// Shows how the URI differs from the most similar registered one, and all that are registered.
pub(super) fn compare(app: &App, sent: &str) -> Markup {
    let uris = app.redirect_uris.iter().map(|(_, uri)| uri.as_str());
    let nearest = uris.min_by_key(|uri| distance(sent, uri));
    html! {
        @if let Some(nearest) = nearest {
            dl class="facts" {
                dt { "Sent" }
                dd { (marked(sent, nearest)) }
                dt { "Most similar" }
                dd {
                    (marked(nearest, sent))
                    @for difference in differences(sent, nearest) { br; (difference) }
                }
            }
        }
        (registered(app))
        p {
            "Send a registered one, or add this one to " code { "redirect_uris" } " of the app in \
             the directory. Every character is compared, including upper and lower case and a \
             slash at the end. Only the port of a loopback URI, such as " code { "http://localhost" }
            ", is not."
        }
    }
}

/// All that are registered.
pub(super) fn registered(app: &App) -> Markup {
    html! {
        @if app.redirect_uris.is_empty() {
            p { "No redirect URI is registered for " strong { (app.name) } "." }
        } @else {
            p { "These redirect URIs are registered for " strong { (app.name) } ":" }
            (list(app.redirect_uris.iter(), |(platform, uri)| html! {
                (code(uri)) " (" (platform_name(*platform)) ")"
            }))
        }
    }
}

/// A URI in which the part is marked that differs from another URI.
fn marked(uri: &str, other: &str) -> Markup {
    let (start, different, end) = split_at_difference(uri, other);
    html! { code { (start) @if !different.is_empty() { mark { (different) } } (end) } }
}

/// How much two URIs differ: first the number of parts, then of characters.
fn distance(sent: &str, registered: &str) -> (usize, usize) {
    let different = |uri, other| split_at_difference(uri, other).1.len();
    (differences(sent, registered).len(), different(sent, registered) + different(registered, sent))
}

/// The parts of the URI that differ, each as a sentence.
fn differences(sent: &str, registered: &str) -> Vec<String> {
    let (Ok(sent), Ok(registered)) = (Url::parse(sent), Url::parse(registered)) else {
        return vec!["It is not an absolute URI.".to_owned()];
    };
    let is_loopback = is_loopback(&registered);
    let port = |url: &Url| match url.port_or_known_default() {
        Some(port) if !is_loopback => port.to_string(),
        _ => String::new(),
    };
    // The texts for hidden values contain spaces.
    let text = |part: Option<&str>| part.unwrap_or_default().replace("%20", " ");
    let parts = |url: &Url| {
        [
            ("scheme", url.scheme().to_owned()),
            ("host", url.host_str().unwrap_or_default().to_owned()),
            ("port", port(url)),
            ("path", url.path().to_owned()),
            ("query", text(url.query())),
            ("fragment", text(url.fragment())),
        ]
    };
    let pairs = parts(&sent).into_iter().zip(parts(&registered));
    let different = pairs.filter(|((_, sent), (_, registered))| sent != registered);
    let describe = |((name, sent), (_, registered)): ((&str, String), (&str, String))| match (
        sent.as_str(),
        registered.as_str(),
    ) {
        ("", registered) => format!("The {name} {registered} is missing."),
        (sent, "") => format!("The {name} {sent} is not registered."),
        (sent, registered) => format!("The {name} is {sent} instead of {registered}."),
    };
    different.map(describe).collect()
}

/// What precedes the first difference, what differs, and what follows the last difference. A port
/// that is not compared makes no difference.
fn split_at_difference<'a>(uri: &'a str, other: &str) -> (&'a str, &'a str, &'a str) {
    let same = |(one, other): &(char, char)| one == other;
    let count = |pairs: &mut dyn Iterator<Item = (char, char)>| {
        pairs.take_while(same).map(|(letter, _)| letter.len_utf8()).sum::<usize>()
    };
    let (start, other_start) = same_origin(uri, other).unwrap_or_else(|| {
        let same = count(&mut uri.chars().zip(other.chars()));
        (same, same)
    });
    let (rest, other) = (&uri[start..], &other[other_start..]);
    let more = count(&mut rest.chars().zip(other.chars()));
    let (start, rest) = uri.split_at(start + more);
    let end = count(&mut rest.chars().rev().zip(other[more..].chars().rev()));
    let (different, end) = rest.split_at(rest.len() - end);
    (start, different, end)
}

/// The lengths of the two origins, if they differ at most in a port that is not compared.
fn same_origin(uri: &str, other: &str) -> Option<(usize, usize)> {
    let [one, two] = [Url::parse(uri).ok()?, Url::parse(other).ok()?];
    let is_same = one.scheme() == two.scheme() && one.host_str() == two.host_str();
    let length = |uri: &str| {
        let (scheme, rest) = uri.split_once("://")?;
        Some(scheme.len() + 3 + rest.find(['/', '?', '#']).unwrap_or(rest.len()))
    };
    if is_same && is_loopback(&two) { length(uri).zip(length(other)) } else { None }
}

/// Whether the port of this URI is not compared.
fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some("127.0.0.1") => url.scheme() == "http",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{differences, split_at_difference};

    #[test]
    fn the_differing_part_is_found() {
        for (sent, registered, parts) in [
            ("http://a/cb", "http://a/callback", ("http://a/c", "b", "")),
            ("http://a/x", "http://b/x", ("http://", "a", "/x")),
            ("https://a/x", "http://a/x", ("http", "s", "://a/x")),
            ("http://a/é", "http://a/è", ("http://a/", "é", "")),
            ("http://a:1/x", "http://a/x", ("http://a", ":1", "/x")),
            ("http://localhost:1/x", "http://localhost/y", ("http://localhost:1/", "x", "")),
            ("http://localhost:12", "http://localhost/y", ("http://localhost:12", "", "")),
            ("http://127.0.0.1:1/x", "http://127.0.0.1:2/y", ("http://127.0.0.1:1/", "x", "")),
            ("", "http://a", ("", "", "")),
            ("x", "", ("", "x", "")),
        ] {
            assert_eq!(split_at_difference(sent, registered), parts, "{sent} {registered}");
        }
    }

    #[test]
    fn each_difference_is_a_sentence() {
        for (sent, registered, expected) in [
            ("http://localhost:1/a", "http://localhost/a", &[][..]),
            ("http://localhost/A", "http://localhost/a", &["The path is /A instead of /a."]),
            (
                "https://b.example:444/a?x",
                "http://a.example/a",
                &[
                    "The scheme is https instead of http.",
                    "The host is b.example instead of a.example.",
                    "The port is 444 instead of 80.",
                    "The query x is not registered.",
                ],
            ),
            ("nothing", "http://localhost/a", &["It is not an absolute URI."]),
        ] {
            assert_eq!(differences(sent, registered), expected, "{sent} {registered}");
        }
    }
}
