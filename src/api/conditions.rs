//! Conditional requests (RFC 9110, section 13): `ETag`, `If-Match` and `If-None-Match`.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    list::Listing,
    store::ListCondition,
    todo::{IdempotencyKey, Todo, Version},
};

use super::{
    header::{Field, FieldValue},
    problem::Problem,
};

/// Names one state of what is found at a URL: `"3"`, or `W/"3"` where it is weak (section 8.8.3 of
/// the RFC).
#[derive(Debug, PartialEq, Eq)]
pub struct EntityTag {
    weak: bool,
    opaque: String,
}

impl EntityTag {
    /// The version: whoever may see a todo sees the same of it.
    pub fn of_todo(todo: &Todo) -> Self {
        Self { weak: false, opaque: todo.version.to_string() }
    }

    /// Which todos in which versions are on the page, and what was added after it. The same on every
    /// server, also after a restart.
    pub fn of_page(page: &Listing) -> Self {
        let mut state = Context::new(&SHA256);
        for todo in &page.todos {
            state.update(&todo.id.get().to_le_bytes());
            state.update(&todo.version.get().to_le_bytes());
        }
        // The length tells a rest from a todo, which has two numbers.
        if let Some(rest) = page.rest {
            state.update(&rest.get().to_le_bytes());
        }
        Self { weak: false, opaque: URL_SAFE_NO_PAD.encode(state.finish()) }
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weak, opaque } = self;
        write!(f, "{}\"{opaque}\"", if *weak { "W/" } else { "" })
    }
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: whatever there is.
    Any,
    /// At least one, of which some may be weak.
    Of(Vec<EntityTag>),
}

impl EntityTags {
    /// Whether one of them names this state, in the weak comparison of section 8.8.3.2.
    fn name(&self, current: &EntityTag) -> bool {
        self.any(|tag| tag.opaque == current.opaque)
    }

    /// The same in the strong comparison.
    fn name_strongly(&self, current: &EntityTag) -> bool {
        self.any(|tag| !tag.weak && !current.weak && tag.opaque == current.opaque)
    }

    fn any(&self, matches: impl Fn(&EntityTag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Of(tags) => tags.iter().any(matches),
        }
    }
}

impl Field<EntityTags> {
    /// Whether `If-None-Match` says that the caller has this state already.
    pub fn knows(&self, current: &EntityTag) -> bool {
        self.0.as_ref().is_some_and(|tags| tags.name(current))
    }
}

/// The preconditions of a request that changes something.
pub struct Preconditions {
    if_match: Option<EntityTags>,
    if_none_match: Option<EntityTags>,
}

impl Preconditions {
    /// Those that were sent.
    pub fn new(if_match: Field<EntityTags>, if_none_match: Field<EntityTags>) -> Self {
        Self { if_match: if_match.0, if_none_match: if_none_match.0 }
    }

    /// Checks the todo that the guard has found. Where the outcome depends on its version, the
    /// store compares the version once more in the statement that makes the change.
    ///
    /// # Errors
    ///
    /// 412, if a precondition does not hold.
    pub fn of_todo(self, found: &Todo) -> Result<Condition, Problem> {
        if !self.hold(&EntityTag::of_todo(found)) {
            return Err(Problem::precondition_failed());
        }
        let any_version = matches!(self.if_match, None | Some(EntityTags::Any));
        match any_version && self.if_none_match.is_none() {
            true => Ok(Condition(None)),
            false => Ok(Condition(Some(found.version))),
        }
    }

    /// What the store checks before it deletes all todos; `None` without preconditions. The
    /// resource is the list, and an empty list can be got too: `If-Match: *` always holds, and
    /// `If-None-Match: *` never does.
    pub fn of_list(self) -> Option<ListCondition> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return None;
        }
        Some(Box::new(move |list| self.hold(&EntityTag::of_page(list))))
    }

    /// `If-Match` comes first (RFC 9110, section 13.2.2), in the strong comparison, and then
    /// `If-None-Match`, in the weak one.
    fn hold(&self, current: &EntityTag) -> bool {
        let matches = self.if_match.as_ref().is_none_or(|tags| tags.name_strongly(current));
        matches && !self.if_none_match.as_ref().is_some_and(|tags| tags.name(current))
    }
}

/// What must still be true of a todo when it is changed.
pub struct Condition(Option<Version>);

impl Condition {
    /// The version that the todo must still have; `None`: any.
    pub fn version(&self) -> Option<Version> {
        self.0
    }

    /// Why the store has changed nothing: 412 where a version was asked for, otherwise 404.
    pub fn problem(&self) -> Problem {
        match self.0 {
            Some(_) => Problem::precondition_failed(),
            None => Problem::no_such_todo(),
        }
    }
}

impl FieldValue for EntityTags {
    const EXPECTED: &'static str = "must be * or a list of ETags in double quotes";

    fn parse_field(value: &str) -> Option<Self> {
        let mut rest = value.trim_matches(SPACE);
        if rest == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        while !rest.is_empty() {
            // Empty elements count as none (section 5.6.1.2).
            if let Some(behind) = rest.strip_prefix(',') {
                rest = behind.trim_start_matches(SPACE);
                continue;
            }
            let (weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (opaque, behind) = quoted.strip_prefix('"')?.split_once('"')?;
            if !opaque.bytes().all(|byte| byte.is_ascii_graphic()) {
                return None;
            }
            tags.push(EntityTag { weak, opaque: opaque.to_owned() });
            rest = behind.trim_start_matches(SPACE);
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
        (!tags.is_empty()).then_some(Self::Of(tags))
    }
}

const SPACE: [char; 2] = [' ', '\t'];

impl FieldValue for IdempotencyKey {
    const EXPECTED: &'static str =
        "must have 1 to 255 visible ASCII characters without quotes and backslashes among them";

    /// A string as the draft has it (draft-ietf-httpapi-idempotency-key-header-07, section 2.1), or
    /// without its quotes, as most send it.
    fn parse_field(value: &str) -> Option<Self> {
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        Self::parse(quoted.unwrap_or(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_entity_tags_has_the_form_of_rfc_9110() {
        let tag = |weak, opaque: &str| EntityTag { weak, opaque: opaque.into() };
        for (value, tags) in [
            ("*", EntityTags::Any),
            (" * ", EntityTags::Any),
            ("\"1\"", EntityTags::Of(vec![tag(false, "1")])),
            ("\"\"", EntityTags::Of(vec![tag(false, "")])),
            (
                "W/\"1\",\"a,b\" ,, \"c\",",
                EntityTags::Of(vec![tag(true, "1"), tag(false, "a,b"), tag(false, "c")]),
            ),
        ] {
            assert_eq!(EntityTags::parse_field(value), Some(tags), "{value}");
        }
        for value in ["", ",", "1", "\"1", "1\"", "w/\"1\"", "*, \"1\"", "\"1\" \"2\"", "\"a b\""] {
            assert_eq!(EntityTags::parse_field(value), None, "{value}");
        }
    }
}
