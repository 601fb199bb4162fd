//! Checks the names, permissions and secrets of a directory file, each by itself.

use std::collections::HashSet;

use super::{
    check::Checks,
    entries::{DirectoryFile, Text},
};

/// Checks that each name and secret can be seen on a page, in a log and in a token, and that Entra
/// would accept each scope and app role.
pub(super) fn check_texts(file: &DirectoryFile, checks: &mut Checks) {
    file.tenants.iter().for_each(|tenant| check_visible(checks, "a name", &tenant.name));
    file.groups.iter().for_each(|group| check_visible(checks, "a name", &group.name));
    for person in &file.people {
        check_visible(checks, "a name", &person.name);
        check_visible(checks, "a display name", &person.display_name);
        check_visible(checks, "a sign-in name", &person.sign_in_name);
        let email = person.email.iter();
        email.for_each(|email| check_visible(checks, "an email address", email));
    }
    for app in &file.apps {
        check_visible(checks, "a name", &app.name);
        let scopes = app.scopes.iter().chain(&app.admin_scopes);
        scopes.for_each(|scope| check_permission(checks, "a scope", scope));
        app.app_roles.iter().for_each(|role| check_permission(checks, "an app role", role));
        check_not_repeated(checks, "app role", &app.app_roles);
        let secrets = app.secrets.iter().chain(&app.expired_secrets);
        secrets.for_each(|secret| check_visible(checks, "a secret", secret));
    }
}

/// Checks that the text is not blank and has no line breaks.
fn check_visible(checks: &mut Checks, kind: &str, text: &Text) {
    if text.as_ref().trim().is_empty() {
        checks.report(text.span(), format!("{kind} must not be blank"));
    } else if text.as_ref().contains(char::is_control) {
        let fault = format!("{kind} must not contain control characters, such as line breaks");
        checks.report(text.span(), fault);
    }
}

/// Checks the name of a scope or app role. A token separates scopes with spaces
/// (<https://learn.microsoft.com/graph/api/resources/permissionscope>).
fn check_permission(checks: &mut Checks, kind: &str, name: &Text) {
    let is_allowed = |c: char| c.is_ascii_graphic() && !r#""<>\"#.contains(c);
    let text = name.as_ref();
    if text.trim().is_empty() {
        checks.report(name.span(), format!("{kind} must not be blank"));
    } else if !text.chars().all(is_allowed) || text.starts_with('.') || text.len() > LONGEST {
        let fault = format!(
            "{kind} may have at most {LONGEST} ASCII characters, without spaces and \" < > \\, and must \
             not begin with a period"
        );
        checks.report(name.span(), fault);
    }
}

/// The largest number of characters in the name of a scope or app role.
const LONGEST: usize = 120;

/// Checks that no text is in the list twice.
pub(super) fn check_not_repeated(checks: &mut Checks, kind: &str, texts: &[Text]) {
    let mut seen = HashSet::new();
    for text in texts {
        if !seen.insert(text.as_ref()) {
            let fault = format!("the {kind} {:?} is in the list already", text.as_ref());
            checks.report(text.span(), fault);
        }
    }
}
