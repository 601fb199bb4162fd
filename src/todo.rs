//! The domain: a todo, who owns it and who may reach it. It knows nobody and does no I/O.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// Never used again, also after the todo is gone.
    pub id: TodoId,
    /// What is to be done.
    pub name: TodoName,
    /// Whose todo it is.
    pub owner: Owner,
    /// Whether it is done.
    pub is_complete: bool,
    /// Another one after each change.
    pub version: Version,
}

/// A todo to be created: everything that the caller decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTodo {
    /// What is to be done.
    pub name: TodoName,
}

impl NewTodo {
    /// Returns the todo that creating this one gives: its first version, with the id that the
    /// store has assigned.
    pub fn created(self, id: TodoId, owner: Owner) -> Todo {
        // Neither pattern nor literal has a `..`, so a new field does not compile until it is
        // added here.
        let Self { name } = self;
        Todo { id, name, owner, is_complete: false, version: Version::FIRST }
    }

    /// Returns 32 bytes that are equal for equal values, and different for different ones: SHA-256
    /// of the fields. An idempotency key is stored with them, to recognize a retry.
    ///
    /// A retry must also be recognized if the server was updated since the first request. For this
    /// reason, a todo that has only a name keeps its fingerprint when a field is added: append the
    /// new field after a NUL, which no name contains, and only if it is present.
    pub fn fingerprint(&self) -> Vec<u8> {
        // The pattern has no `..`, so a new field does not compile until it is added here.
        let Self { name } = self;
        digest(&SHA256, name.as_str().as_bytes()).as_ref().to_vec()
    }
}

/// The number of a todo, from 1 to 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TodoId(i64);

impl TodoId {
    /// Reads the one spelling an id has: ASCII digits without sign or leading zeros. `None` for
    /// anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        canonical.then(|| text.parse().ok()).flatten().map(Self)
    }

    /// An id that the store gave out.
    pub fn from_stored(id: i64) -> Self {
        Self(id)
    }

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TodoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells a todo from what it was before: 1 when it is new, and one more with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(i64);

impl Version {
    /// That of a new todo.
    pub const FIRST: Self = Self(1);

    /// A version that the store counted.
    pub fn from_stored(version: i64) -> Self {
        Self(version)
    }

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is to be done: 1 to 200 characters without white space around them and without control
/// characters among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TodoName(String);

/// Characters (Unicode scalar values) of the longest name.
pub const NAME_LIMIT: usize = 200;

impl TodoName {
    /// Trims the text and checks it.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] says what is wrong.
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

    /// A name that the store kept.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, given away.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing is left after trimming.
    #[error("must have at least 1 character that is not white space")]
    Empty,
    /// More than [`NAME_LIMIT`] characters.
    #[error("must have at most 200 characters")]
    TooLong,
    /// A line break, a NUL or the like.
    #[error("must not contain control characters")]
    ControlCharacter,
}

/// The caller's name for one request to make a todo, so that a repeat makes no second one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// 1 to 255 visible ASCII characters without quotes and backslashes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        let valid = (1..=255).contains(&text.len()) && text.bytes().all(allowed);
        valid.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a caller wants to change; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The new name.
    pub name: Option<TodoName>,
    /// Whether it is done now.
    pub is_complete: Option<bool>,
}

/// A directory of people; nobody sees into another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant(pub Uuid);

/// A person, as the owner of todos. The same object id in another tenant is somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Where the person is at home.
    pub tenant: Tenant,
    /// Who it is there.
    pub object_id: Uuid,
}

/// The todos that a caller may see and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The caller's own.
    Own(Owner),
    /// All of the caller's tenant.
    Tenant(Tenant),
}

impl Access {
    /// The tenant beyond which nothing is reached.
    pub fn tenant(&self) -> Tenant {
        match self {
            Self::Own(owner) => owner.tenant,
            Self::Tenant(tenant) => *tenant,
        }
    }

    /// Whether a todo of this owner is within reach.
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
        let new = NewTodo { name: TodoName::parse("Walk the dog").unwrap() };
        let hex: String = new.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        // `printf 'Walk the dog' | sha256sum`. Databases contain this value.
        assert_eq!(hex, "c0de172bc9489920d9838126eebfdcaab23a2323868ed8365d8f4cf2776ac8b9");
    }

    #[test]
    fn nobody_reaches_into_another_tenant() {
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
