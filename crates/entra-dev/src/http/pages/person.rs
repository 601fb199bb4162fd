//! How people are shown on the sign-in pages.

use maud::{Markup, html};

use crate::directory::Person;

/// A person who cannot be chosen here, such as the one who is asked for consent.
pub(super) fn card(person: &Person) -> Markup {
    html! { p class="person" { (content(person, None, false)) } }
}

/// The content of a card or a button: initials, name and sign-in name, and what distinguishes the
/// person.
pub(super) fn content(person: &Person, about: Option<&str>, is_signed_in: bool) -> Markup {
    html! {
        span class="initials" aria-hidden="true" { (initials(&person.display_name)) }
        span class="who" {
            span class="name" { (person.display_name) } " "
            span class="address" { (person.sign_in_name) }
            @if let Some(about) = about { " " span class="about" { (about) } }
        }
        @if is_signed_in { " " span class="badge" { "Signed in" } }
    }
}

/// The first letters of the first and the last word.
fn initials(name: &str) -> String {
    let letter = |word: &str| word.chars().find(|letter| letter.is_alphanumeric());
    let mut letters = name.split_whitespace().filter_map(letter);
    let (first, last) = (letters.next(), letters.next_back());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, expected) in [
            ("Ada Adler", "AA"),
            ("Maria del Carmen Ruiz", "MR"),
            ("Robin (research agent)", "RA"),
            ("ada", "A"),
            ("\"><script>", "S"),
            ("élodie", "É"),
            (" ", ""),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }
}
