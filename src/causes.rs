//! Errors as text for logs and the terminal.

use std::{error::Error, fmt};

/// Displays an error and its causes in one line. Used for log fields, because log formats differ in
/// how they show the causes of an error.
///
/// Some errors end with the text of their cause. Such a cause is not repeated.
pub struct Causes<'a>(pub &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let cause_text = error.to_string();
            if !text.ends_with(&cause_text) {
                text += ": ";
                text += &cause_text;
            }
            cause = error.source();
        }
        f.write_str(&text)
    }
}
