//! Icons. They repeat what the text next to them says, so that it does not depend on colours.

use maud::{Markup, html};

use crate::audit::Outcome;

/// A cross, a question mark or a tick.
pub(super) fn of(outcome: &Outcome) -> Markup {
    let path = match outcome {
        Outcome::Refused { .. } => "M4 4l8 8M12 4l-8 8",
        Outcome::Asked => "M5 6a3 3 0 1 1 4.5 2.6Q8 9.4 8 10.5M8 13v.5",
        Outcome::Granted => "M3 8.5l3.5 3.5L13 4.5",
    };
    html! { svg class="icon" viewBox="0 0 16 16" aria-hidden="true" { path d=(path) {} } }
}
