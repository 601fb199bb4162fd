//! Parsing of pages.

/// The part of the page below this heading; empty if there is none.
pub(crate) fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let heading = format!(">{title}</h2>");
    let section = page.split_once(&heading).map_or("", |(_, section)| section);
    section.split("<h2").next().unwrap_or_default()
}

/// All parts of the text between these two strings.
pub(crate) fn between<'a>(
    text: &'a str,
    before: &'a str,
    after: &'a str,
) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).map(move |part| part.split_once(after).unwrap().0)
}
