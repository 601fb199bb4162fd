//! How a guard speaks to the document: poem-openapi asks an extractor for the names of its
//! security schemes and for nothing else about security, so the requirement travels as one more
//! name, which [`publish`](super::publish) takes out again.

use std::marker::PhantomData;

use crate::policy::{Policy, Requirement};

/// No scheme's name starts with it (OpenAPI 3.0 allows letters, digits, `.`, `-` and `_`).
pub(super) const SIGN: char = '#';
/// Between the fields, which stand in the order of [`encode`].
pub(super) const FIELD: char = '|';

/// What `P` requires, as a name that [`publish`](super::publish)
/// understands. For guards of one's own: return it from `security_schemes`, behind the scheme's.
pub fn mark<P: Policy>() -> &'static str {
    Mark::<P>::TEXT
}

struct Mark<P>(PhantomData<P>);

impl<P: Policy> Mark<P> {
    const BYTES: ([u8; CAPACITY], usize) = encode(&P::REQUIRES);
    const TEXT: &'static str = {
        let (bytes, length) = &Self::BYTES;
        match std::str::from_utf8(bytes.split_at(*length).0) {
            Ok(text) => text,
            Err(_) => panic!("a requirement is not UTF-8"),
        }
    };
}

/// Bytes of the longest mark; a longer one does not compile.
const CAPACITY: usize = 1024;

/// Runs while compiling: names are constants, so the mark is one too.
const fn encode(requirement: &Requirement) -> ([u8; CAPACITY], usize) {
    let mut bytes = [0; CAPACITY];
    let mut end = append(&mut bytes, 0, "#");
    let lists = [
        requirement.scopes,
        requirement.app_roles,
        requirement.roles,
        requirement.groups,
        requirement.clients,
    ];
    let mut index = 0;
    while index < lists.len() {
        end = append_all(&mut bytes, end, lists[index]);
        end = append(&mut bytes, end, "|");
        index += 1;
    }
    if requirement.no_guests {
        end = append(&mut bytes, end, "members");
    }
    end = append(&mut bytes, end, "|");
    if let Some(context) = requirement.authentication_context {
        end = append(&mut bytes, end, context);
    }
    end = append(&mut bytes, end, "|");
    end = append(&mut bytes, end, requirement.note);
    (bytes, end)
}

const fn append_all(bytes: &mut [u8; CAPACITY], mut end: usize, names: &[&str]) -> usize {
    let mut index = 0;
    while index < names.len() {
        if index > 0 {
            end = append(bytes, end, " ");
        }
        end = append(bytes, end, names[index]);
        index += 1;
    }
    end
}

const fn append(bytes: &mut [u8; CAPACITY], end: usize, text: &str) -> usize {
    let text = text.as_bytes();
    let mut index = 0;
    while index < text.len() {
        bytes[end + index] = text[index];
        index += 1;
    }
    end + text.len()
}
