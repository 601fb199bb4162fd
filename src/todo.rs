//! The domain: a todo, its owner, and the callers that may access it. This module depends on no
//! other module and does no I/O.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

/// A todo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// The id. It is never reused, not even after the todo is deleted.
    pub id: TodoId,
    /// What is to be done.
    pub name: TodoName,
    /// The person who owns the todo.
    pub owner: Owner,
    /// Whether the todo is done.
    pub is_complete: bool,
    /// The version, which every change increments.
    pub version: Version,
}

/// A todo to be created: everything that the caller decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTodo {
    /// What is to be done.
    pub name: TodoName,
}

impl NewTodo {
    /// A new todo with this name, and without any other member.
    pub fn named(name: TodoName) -> Self {
        Self { name }
    }

    /// Returns the todo as the store creates it: with the id that the store has assigned, not done,
    /// and in its first version.
    pub fn created(self, id: TodoId, owner: Owner) -> Todo {
        // No `..` in the pattern or the literal, so a new field is a compile error until it is
        // added here.
        let Self { name } = self;
        Todo { id, name, owner, is_complete: false, version: Version::FIRST }
    }

    /// Returns the SHA-256 digest of the fields: equal for equal values, and different for
    /// different ones. It is stored with an idempotency key, to recognize a retry.
    ///
    /// A retry must be recognized even if the server was updated since the first request. So a todo
    /// that has only a name must keep its fingerprint when a field is added. Append a NUL (which no
    /// name contains), the name of the field, `=` and its value, but only if the field is present.
    pub fn fingerprint(&self) -> Vec<u8> {
        // No `..` in the pattern, so a new field is a compile error until it is added here.
        let Self { name } = self;
        digest(&SHA256, name.as_str().as_bytes()).as_ref().to_vec()
    }
}

/// The id of a todo: a number from 1 to 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TodoId(i64);

impl TodoId {
    /// Parses an id: ASCII digits without a sign or leading zeros. Returns `None` for anything
    /// else, so every id has exactly one spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        canonical.then(|| text.parse().ok()).flatten().map(Self)
    }

    /// Returns an id that the store assigned.
    pub fn from_stored(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TodoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The version of a todo: 1 when it is created. Every change adds 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(i64);

impl Version {
    /// The version of a new todo.
    pub const FIRST: Self = Self(1);

    /// Returns a version that the store counted.
    pub fn from_stored(version: i64) -> Self {
        Self(version)
    }

    /// Returns the number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a todo: 1 to 200 characters, without control characters and without white space at
/// the start or the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TodoName(String);

/// The maximum length of a name, in characters (Unicode scalar values).
pub const NAME_LIMIT: usize = 200;

impl TodoName {
    /// The texts that [`TodoName::parse`] accepts, whatever their length, as a regular expression
    /// of ECMA-262: white space, a character that is neither white space nor a control character,
    /// characters that are not control characters, white space.
    pub const PATTERN: &str = concat!(
        r"^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*",
        r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
        r"[^\u0000-\u001f\u007f-\u009f]*",
        r"[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$",
    );

    /// Trims the text and checks it. Returns the trimmed name.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] if the text is empty or too long, or has a control character.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let name = text.trim();
        if name.is_empty() {
            return Err(InvalidName::Empty);
        }
        if name.chars().nth(NAME_LIMIT).is_some() {
            return Err(InvalidName::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(InvalidName::ControlCharacter);
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns a name from the store, without checking it again.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text as a `String`, without copying it.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Why a text is not a valid name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The text is empty after trimming.
    #[error("must have at least 1 character that is not white space")]
    Empty,
    /// The text has more than [`NAME_LIMIT`] characters.
    #[error("must have at most 200 characters")]
    TooLong,
    /// The text has a control character, such as a line break or a NUL.
    #[error("must not contain control characters")]
    ControlCharacter,
}

/// Identifies one request to create a todo, so that a retry does not create a second one. The
/// client chooses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses 1 to 255 visible ASCII characters without quotes and backslashes. Returns `None` for
    /// anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let valid = (1..=255).contains(&text.len()) && text.bytes().all(allowed);
        valid.then(|| Self(text.to_owned()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The changes that a caller requests. A field that is `None` keeps its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The new name.
    pub name: Option<TodoName>,
    /// Whether the todo is done.
    pub is_complete: Option<bool>,
}

/// A tenant: a directory of people. Nobody can access the todos of another tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant(pub Uuid);

/// The owner of a todo. The same object id in another tenant is a different person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The tenant of the person.
    pub tenant: Tenant,
    /// The object id (`oid`) of the person in the tenant.
    pub object_id: Uuid,
}

/// The todos that a caller may access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The caller's own todos.
    Own(Owner),
    /// All todos of the caller's tenant.
    Tenant(Tenant),
}

impl Access {
    /// Returns the tenant of the todos.
    pub fn tenant(&self) -> Tenant {
        match self {
            Self::Own(owner) => owner.tenant,
            Self::Tenant(tenant) => *tenant,
        }
    }

    /// Returns whether the caller may access this owner's todos.
    pub fn reaches(&self, owner: &Owner) -> bool {
        match self {
            Self::Own(own) => own == owner,
            Self::Tenant(tenant) => *tenant == owner.tenant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(TodoId::parse("1"), Some(TodoId(1)));
        assert_eq!(TodoId::parse("9223372036854775807"), Some(TodoId(i64::MAX)));
        for text in
            ["", "0", "-1", "+1", "01", " 1", "1.0", "1e3", "abc", "\u{661}", "9223372036854775808"]
        {
            assert_eq!(TodoId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_trimmed_and_has_1_to_200_characters() {
        let name = |text: &str| TodoName::parse(text).map(|name| name.0);
        assert_eq!(name("  Walk the dog\n"), Ok("Walk the dog".into()));
        assert_eq!(name(" \u{3000} "), Err(InvalidName::Empty));
        for (length, outcome) in [(1, true), (200, true), (201, false)] {
            let dogs = "\u{1f415}".repeat(length);
            assert_eq!(name(&dogs).is_ok(), outcome, "{length}");
        }
        for control in ["a\0b", "a\nb", "a\u{7f}b", "a\u{85}b"] {
            assert_eq!(name(control), Err(InvalidName::ControlCharacter), "{control:?}");
        }
    }

    #[test]
    fn a_name_alone_keeps_its_fingerprint_across_versions() {
        let new = NewTodo::named(TodoName::parse("Walk the dog").unwrap());
        let hex: String = new.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        // `printf 'Walk the dog' | sha256sum`. Databases contain this value.
        assert_eq!(hex, "c0de172bc9489920d9838126eebfdcaab23a2323868ed8365d8f4cf2776ac8b9");
    }

    #[test]
    fn access_to_another_tenant_is_denied() {
        let [contoso, fabrikam] = [1, 2].map(|n| Tenant(Uuid::from_u128(n)));
        let uma = Owner { tenant: contoso, object_id: Uuid::from_u128(7) };
        let namesake = Owner { tenant: fabrikam, ..uma };
        let ulf = Owner { object_id: Uuid::from_u128(8), ..uma };
        for (access, reached) in [
            (Access::Own(uma), [true, false, false]),
            (Access::Tenant(contoso), [true, true, false]),
            (Access::Tenant(fabrikam), [false, false, true]),
        ] {
            assert_eq!([uma, ulf, namesake].map(|owner| access.reaches(&owner)), reached);
        }
    }
}
