//! Recognises what people paste into a setting by mistake, so that the fault can name it.

use url::Url;

use crate::ids::TenantId;

use super::checked::{directory, is_domain};

/// What surrounds a value that was copied from a template or a JSON document.
const BRACKETS: [(char, char, &str); 5] = [
    ('{', '}', "braces"),
    ('<', '>', "angle brackets"),
    ('(', ')', "parentheses"),
    ('"', '"', "quotes"),
    ('\'', '\'', "quotes"),
];
const GUID_LENGTH: usize = 36;

/// Says why this text is not a GUID, as a fragment that follows the setting's name. If more than a
/// GUID was pasted, such as an App ID URI, the fragment says what to write instead.
pub fn not_a_guid(text: &str) -> String {
    paste_error(text, "a GUID").unwrap_or_else(|| match is_name(text) {
        true => "is a name, not a GUID; write the GUID that the portal shows for it".into(),
        false => "is not a GUID".into(),
    })
}

/// What was pasted instead of a GUID or something else that is `expected`, if it can be recognised.
pub(super) fn paste_error(text: &str, expected: &str) -> Option<String> {
    if let Some(invisible) = text.chars().find(|&c| is_invisible(c)) {
        let number = u32::from(invisible);
        return Some(format!("contains the invisible character U+{number:04X}; remove it"));
    }
    for (open, close, name) in BRACKETS {
        if text.starts_with(open) && text.ends_with(close) && text.len() > 1 {
            return Some(format!("is in {name}; remove them"));
        }
    }
    if is_client_secret(text) {
        return Some(format!(
            "looks like a client secret, not {expected}; replace the secret in the portal if \
             others could read this setting"
        ));
    }
    let (scheme, _) = text.split_once("://")?;
    let what = if scheme.eq_ignore_ascii_case("api") { "an App ID URI" } else { "a URL" };
    Some(match last_guid(text) {
        Some(guid) => format!("is {what}; write only the GUID in it, {guid}"),
        None => format!("is {what}, not {expected}"),
    })
}

/// The URL that was probably meant, if only the scheme is missing.
pub(super) fn with_scheme(text: &str) -> Option<String> {
    let host = text.split('/').next().filter(|_| !text.contains("://"))?;
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    // Anything else might be a secret, which must not be repeated.
    let is_host = (name == "localhost" || is_domain(name)) && port.parse::<u16>().is_ok();
    let scheme = if name == "localhost" { "http" } else { "https" };
    is_host.then(|| format!("{scheme}://{host}"))
}

/// Whether the path begins with a tenant: the URL is that of an authority or one of its endpoints.
pub(super) fn has_tenant_in_path(url: &Url) -> bool {
    let first = url.path_segments().and_then(|mut segments| segments.next());
    first.is_some_and(|first| directory(first).is_ok())
}

/// Whether this could be a client secret. Entra's have 40 characters, of which the fifth and the
/// sixth are `Q~`. Older ones are shorter and random. A mistyped GUID has four hyphens.
fn is_client_secret(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    let is_random =
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    (30..=60).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains("://")
        && text.matches('-').count() != 4
        && (text.get(4..6) == Some("Q~") || is_random)
}

/// Whether this is a display name, such as `Todo API`, or a short one.
fn is_name(text: &str) -> bool {
    text.len() > 1 && text.chars().all(|c| c.is_alphabetic() || " -_".contains(c))
}

/// The last GUID in the text. In `api://{tenant}/{client id}` it is the client id.
fn last_guid(text: &str) -> Option<&str> {
    let starts = text.char_indices().rev().map(|(start, _)| start);
    let mut parts = starts.filter_map(|start| text.get(start..start + GUID_LENGTH));
    parts.find(|part| TenantId::parse(part).is_some())
}

/// Whether the character has no width, or is a space other than the usual one.
fn is_invisible(c: char) -> bool {
    let has_no_width = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    has_no_width || c.is_control() || (c.is_whitespace() && c != ' ')
}

#[cfg(test)]
mod tests {
    use crate::settings::{InvalidSettings, Settings};

    const CLIENT: &str = "33333333-3333-4333-8333-333333333333";

    /// The problem of the only fault in these settings.
    fn problem(change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = Settings::new("11111111-1111-4111-8111-111111111111", CLIENT);
        change(&mut settings);
        let InvalidSettings(faults) = settings.check().unwrap_err();
        let [fault] = &faults[..] else { panic!("{faults:?}") };
        fault.problem.clone()
    }

    #[test]
    fn what_was_pasted_instead_of_a_client_id_is_named() {
        for (pasted, expected) in [
            (format!("{{{CLIENT}}}"), "is in braces; remove them".to_owned()),
            (format!("<{CLIENT}>"), "is in angle brackets; remove them".into()),
            (format!("\"{CLIENT}\""), "is in quotes; remove them".into()),
            (
                format!("api://{CLIENT}"),
                format!("is an App ID URI; write only the GUID in it, {CLIENT}"),
            ),
            (
                format!("api://22222222-2222-4222-8222-222222222222/{CLIENT}/access_as_user"),
                format!("is an App ID URI; write only the GUID in it, {CLIENT}"),
            ),
            ("api://app.contoso.example".into(), "is an App ID URI, not a GUID".into()),
            ("https://app.contoso.example".into(), "is a URL, not a GUID".into()),
            (
                format!("{CLIENT}\u{200b}"),
                "contains the invisible character U+200B; remove it".into(),
            ),
            (
                format!("\u{feff}{CLIENT}"),
                "contains the invisible character U+FEFF; remove it".into(),
            ),
            (
                CLIENT.replacen('-', "\u{a0}-", 1),
                "contains the invisible character U+00A0; remove it".into(),
            ),
            (
                "abc8Q~defghijklmnopqrstuvwxyz.ABCDEFGHIJ".into(),
                "looks like a client secret, not a GUID; replace the secret in the portal if \
                 others could read this setting"
                    .into(),
            ),
            (
                "k3J/dW9zPq+7hXvB2mNfT5yRgLcA0sEuYiOaKtZx8w4=".into(),
                "looks like a client secret, not a GUID; replace the secret in the portal if \
                 others could read this setting"
                    .into(),
            ),
            (
                "Todo API".into(),
                "is a name, not a GUID; write the GUID that the portal shows for it".into(),
            ),
            ("3333333-3333-4333-8333-AAAAAAAAaaaaa".into(), "is not a GUID".into()),
            ("{".into(), "is not a GUID".into()),
            ("\"".into(), "is not a GUID".into()),
            (CLIENT.replace('-', " "), "is not a GUID".into()),
            (CLIENT.replace('3', "\u{e9}"), "is not a GUID".into()),
        ] {
            assert_eq!(problem(|s| s.client_id = pasted.clone()), expected, "{pasted}");
        }
    }

    #[test]
    fn what_was_pasted_instead_of_a_tenant_is_named() {
        let tenant = "22222222-2222-4222-8222-222222222222";
        let other = "is not a GUID, a domain name, common, organizations or consumers";
        for (pasted, expected) in [
            (format!("{{{tenant}}}"), "is in braces; remove them".to_owned()),
            (
                format!("https://login.microsoftonline.com/{tenant}/v2.0"),
                format!("is a URL; write only the GUID in it, {tenant}"),
            ),
            (
                "contoso\u{200b}.example".into(),
                "contains the invisible character U+200B; remove it".into(),
            ),
            ("https://contoso.example".into(), "is a URL, not a GUID or a domain name".into()),
            ("contoso".into(), other.into()),
            (
                "abc8Q~defghijklmnopqrstuvwxyz.ABCDEFGHIJ".into(),
                "looks like a client secret, not a GUID or a domain name; replace the secret in \
                 the portal if others could read this setting"
                    .into(),
            ),
        ] {
            assert_eq!(problem(|s| s.tenant = pasted.clone()), expected, "{pasted}");
        }
        let listed = problem(|s| {
            s.tenant = "common".into();
            s.allowed_tenants = vec![format!("{tenant}\u{200b}")];
        });
        assert!(listed.ends_with("contains the invisible character U+200B; remove it"), "{listed}");
    }

    #[test]
    fn what_was_pasted_instead_of_an_instance_is_named() {
        let no_scheme = "has no scheme; write https://login.microsoftonline.com";
        let authority = "must be only a scheme and a host; write \
                         https://login.microsoftonline.com (the tenant is a separate setting)";
        let tenant = "22222222-2222-4222-8222-222222222222";
        for (pasted, expected) in [
            ("login.microsoftonline.com".to_owned(), no_scheme.to_owned()),
            ("login.microsoftonline.com/".into(), no_scheme.into()),
            (format!("login.microsoftonline.com/{tenant}/v2.0"), no_scheme.into()),
            ("localhost:8001".into(), "has no scheme; write http://localhost:8001".into()),
            (format!("https://login.microsoftonline.com/{tenant}/v2.0"), authority.into()),
            (format!("https://login.microsoftonline.com/{tenant}"), authority.into()),
            ("https://login.microsoftonline.com/common/".into(), authority.into()),
            (
                "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token".into(),
                authority.into(),
            ),
            (
                "https://gateway.example/entra".into(),
                "must be a scheme and a host, without a path".into(),
            ),
            (
                "https://gateway.example/?tenant=common".into(),
                "must be a scheme and a host, without a path".into(),
            ),
        ] {
            assert_eq!(problem(|s| s.instance = pasted.clone()), expected, "{pasted}");
        }
        for pasted in ["user:secret@login.example/common", "abc8Q~secret", "secret"] {
            let problem = problem(|s| s.instance = pasted.into());
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
