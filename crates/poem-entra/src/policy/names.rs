//! Checks the names in a policy at compile time.

/// The kind of a name in a policy.
#[derive(Clone, Copy)]
pub(super) enum Name {
    Scope,
    Role,
    Guid,
}

impl Name {
    const fn is_form_of(self, text: &str) -> bool {
        match self {
            Self::Scope => {
                is_printable(text)
                    && !is_unscoped(text)
                    && !has_scheme(text)
                    && !has_separator(text)
            }
            Self::Role => is_printable(text),
            Self::Guid => is_guid(text),
        }
    }
}

/// Whether there is at least one name, and all names are valid for this kind.
pub(super) const fn all_are(names: &[&str], form: Name) -> bool {
    let mut index = 0;
    while index < names.len() {
        if !form.is_form_of(names[index]) {
            return false;
        }
        index += 1;
    }
    !names.is_empty()
}

/// Whether the text has only characters that the value of a scope or an app role can have. Entra
/// does not allow spaces. A challenge cannot contain `"` and `\` (RFC 6749, section 3.3).
const fn is_printable(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if !bytes[index].is_ascii_graphic() || matches!(bytes[index], b'"' | b'\\') {
            return false;
        }
        index += 1;
    }
    !bytes.is_empty()
}

/// Whether this is not the name of a scope. Entra writes `/` for "no scope". The name of a scope
/// never begins with a dot: clients send `.default` to request scopes.
const fn is_unscoped(scope: &str) -> bool {
    matches!(scope.as_bytes(), [b'/'] | [b'.', ..])
}

/// Whether a challenge that names this scope could be misread: clients of Entra split at commas and
/// equals signs, even between quotes.
const fn has_separator(scope: &str) -> bool {
    let mut rest = scope.as_bytes();
    while let [byte, tail @ ..] = rest {
        if matches!(byte, b',' | b'=') {
            return true;
        }
        rest = tail;
    }
    false
}

const fn has_scheme(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [_, tail @ ..] = rest {
        if let [b':', b'/', b'/', ..] = rest {
            return true;
        }
        rest = tail;
    }
    false
}

/// Whether this is a GUID in its hyphenated form, like the ids in tokens.
const fn is_guid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let fits = match index {
            8 | 13 | 18 | 23 => bytes[index] == b'-',
            _ => bytes[index].is_ascii_hexdigit(),
        };
        if !fits {
            return false;
        }
        index += 1;
    }
    bytes.len() == 36
}

pub(super) const fn contains_guid(guids: &[&str], wanted: &str) -> bool {
    let mut index = 0;
    while index < guids.len() {
        if guids[index].eq_ignore_ascii_case(wanted) {
            return true;
        }
        index += 1;
    }
    false
}

/// Whether this is `c1` to `c99`
/// (<https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context>).
pub(super) const fn is_authentication_context(text: &str) -> bool {
    matches!(text.as_bytes(), [b'c', b'1'..=b'9'] | [b'c', b'1'..=b'9', b'0'..=b'9'])
}

/// Each requirement becomes a doctest that must not compile, except for the last three, which
/// must.
#[cfg(doctest)]
mod doctests {
    macro_rules! requirements {
        ($($attribute:literal $name:ident $requirement:literal;)*) => {
            $(
                #[doc = concat!(
                    "```", $attribute, "\n\
                     use poem_entra::Requirement;\n\
                     const A: &str = \"aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\";\n\
                     const B: &str = \"bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb\";\n\
                     const SCOPE: Requirement = Requirement::scope(&[\"access_as_user\"]);\n\
                     const _: Requirement = ", $requirement, ";\n```"
                )]
                struct $name;
            )*
        };
    }

    requirements! {
        "compile_fail" NoScope "Requirement::scope(&[])";
        "compile_fail" EmptyScope "Requirement::scope(&[\"a\", \"\"])";
        "compile_fail" ScopeWithSpace "Requirement::scope(&[\"a b\"])";
        "compile_fail" ScopeUri "Requirement::scope(&[\"api://todo/a\"])";
        "compile_fail" ScopeHttps "Requirement::scope(&[\"https://api.example/a\"])";
        "compile_fail" Unscoped "Requirement::scope(&[\"/\"])";
        "compile_fail" DefaultScope "Requirement::scope(&[\".default\"])";
        "compile_fail" ScopeWithQuote "Requirement::scope(&[\"a\\\"\"])";
        "compile_fail" ScopeWithComma "Requirement::scope(&[\"a,b\"])";
        "compile_fail" ScopeWithEqualsSign "Requirement::scope(&[\"a=b\"])";
        "compile_fail" NoAppRole "Requirement::app_role(&[])";
        "compile_fail" EmptyAppRole "Requirement::app_role(&[\"\"])";
        "compile_fail" NoScopeOrAppRole "Requirement::scope_or_app_role(&[], &[\"R\"])";
        "compile_fail" ScopeOrNoAppRole "Requirement::scope_or_app_role(&[\"a\"], &[])";
        "compile_fail" ScopeUriOrAppRole "Requirement::scope_or_app_role(&[\"a://b\"], &[\"R\"])";
        "compile_fail" NoRole "SCOPE.and_role(&[])";
        "compile_fail" RoleWithSpace "SCOPE.and_role(&[\"Admin \"])";
        "compile_fail" NoGroup "SCOPE.and_group(&[])";
        "compile_fail" GroupByName "SCOPE.and_group(&[A, \"Accounting\"])";
        "compile_fail" GroupInBraces
            "SCOPE.and_group(&[\"{aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa}\"])";
        "compile_fail" NoClient "SCOPE.and_client(&[])";
        "compile_fail" ClientByName "SCOPE.and_client(&[\"no guid\"])";
        "compile_fail" ClientWithoutHyphens
            "SCOPE.and_client(&[\"aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa\"])";
        "compile_fail" NoCommonClient "SCOPE.and_client(&[A]).and_client(&[B])";
        "compile_fail" NoCommonClientOfThree
            "SCOPE.and_client(&[A, B]).and_client(&[A]).and_client(&[B])";
        "compile_fail" AppAsMember "Requirement::app_role(&[\"R\"]).and_no_guests()";
        "compile_fail" AppAsHuman "Requirement::app_role(&[\"R\"]).and_humans_only()";
        "compile_fail" AppWithContext
            "Requirement::app_role(&[\"R\"]).and_authentication_context(\"c1\")";
        "compile_fail" ContextInUpperCase "SCOPE.and_authentication_context(\"C1\")";
        "compile_fail" ContextZero "SCOPE.and_authentication_context(\"c0\")";
        "compile_fail" ContextWithZero "SCOPE.and_authentication_context(\"c01\")";
        "compile_fail" ContextTooHigh "SCOPE.and_authentication_context(\"c100\")";
        "compile_fail" NoContext "SCOPE.and_authentication_context(\"\")";
        "compile_fail" NineConditions
            "SCOPE.and_no_guests().and_no_guests().and_no_guests().and_no_guests()\
             .and_no_guests().and_no_guests().and_no_guests().and_no_guests().and_no_guests()";
        "" Possible
            "SCOPE.and_role(&[\"A.b:c\"]).and_role(&[\"B\"]).and_group(&[A]).and_client(&[A, B])\
             .and_client(&[B]).and_no_guests().and_authentication_context(\"c99\").and_role(&[\"8\"])";
        "" PossibleForAgents
            "SCOPE.and_humans_only().and_no_agents()";
        "" AppThatIsNoAgent "Requirement::app_role(&[\"R\"]).and_no_agents()";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "01234567-89ab-4CDE-8fAF-000000000000";

    fn fits(form: Name, name: &str) -> bool {
        all_are(&[name], form)
    }

    #[test]
    fn a_scope_is_a_short_name_without_separators() {
        for scope in ["access_as_user", "a", "todos.read", "a/b", "a//b", "a:b", "!", "~"] {
            assert!(fits(Name::Scope, scope), "{scope}");
        }
        for other in [
            "",
            " ",
            "a b",
            "a\"",
            "a\\",
            "\u{7f}",
            "\u{e9}",
            "/",
            ".",
            ".default",
            "://",
            "api://todo/a",
            ",",
            "a,",
            "=",
            "a=b",
        ] {
            assert!(!fits(Name::Scope, other), "{other}");
        }
    }

    #[test]
    fn an_app_role_is_printable_text_without_spaces() {
        for role in ["Todos.Read.All", "a,b=c", "/", ".r", "api://r"] {
            assert!(fits(Name::Role, role), "{role}");
        }
        for other in ["", " ", "a b", "a\"", "a\\", "\u{7f}", "\u{e9}"] {
            assert!(!fits(Name::Role, other), "{other}");
        }
    }

    #[test]
    fn a_guid_has_hyphens_and_hexadecimal_digits_in_their_places() {
        assert!(fits(Name::Guid, GUID));
        assert!(!fits(Name::Guid, ""));
        assert!(!fits(Name::Guid, &GUID[..35]));
        assert!(!fits(Name::Guid, &format!("{GUID}0")));
        for index in 0..GUID.len() {
            let wrong = if GUID.as_bytes()[index] == b'-' { "0" } else { "-" };
            for wrong in [wrong, "g"] {
                let mut guid = GUID.to_owned();
                guid.replace_range(index..=index, wrong);
                assert!(!fits(Name::Guid, &guid), "{guid}");
            }
        }
    }

    #[test]
    fn every_name_in_a_list_counts_and_there_must_be_one() {
        for (names, expected) in [
            (["a", "b", "c"].as_slice(), true),
            (&["", "b", "c"], false),
            (&["a", "", "c"], false),
            (&["a", "b", ""], false),
            (&[], false),
        ] {
            assert_eq!(all_are(names, Name::Role), expected, "{names:?}");
        }
        let list = ["a", "b", GUID];
        for wanted in ["A", "b", &GUID.to_lowercase(), &GUID.to_uppercase()] {
            assert!(contains_guid(&list, wanted), "{wanted}");
        }
        assert!(!contains_guid(&list, "c"));
        assert!(!contains_guid(&[], "a"));
    }

    #[test]
    fn the_authentication_contexts_are_c1_to_c99() {
        for number in 0..=100 {
            let context = format!("c{number}");
            assert_eq!(
                is_authentication_context(&context),
                (1..=99).contains(&number),
                "{context}"
            );
        }
        for other in ["", "c", "C1", "c01", "c1 ", "1", "d1"] {
            assert!(!is_authentication_context(other), "{other}");
        }
    }
}
