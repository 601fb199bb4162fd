//! Conditional requests (RFC 9110, section 13): `ETag`, `If-Match` and `If-None-Match`.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{
    FromRequest, Request, RequestBody, Result,
    http::{HeaderValue, header},
};
use poem_openapi::{
    registry::MetaSchemaRef,
    types::{ToHeader, Type},
};

use crate::{
    list::{Listing, Rest},
    store::ListCondition,
    todo::{Todo, Version},
};

use super::{
    headers::{Field, FieldValue},
    problem::Problem,
};

/// Identifies one state of a resource: `"3"`, or `W/"3"` if it is weak (RFC 9110, section 8.8.3).
#[derive(Debug, PartialEq, Eq)]
pub struct EntityTag {
    weak: bool,
    opaque: String,
}

impl EntityTag {
    /// The version of the todo. It is the same for every caller, because all see the same members.
    pub fn of_todo(todo: &Todo) -> Self {
        Self { weak: false, opaque: todo.version.to_string() }
    }

    /// A digest of the content.
    pub fn of_content(digest: &str) -> Self {
        Self { weak: false, opaque: digest.to_owned() }
    }

    /// A digest of the ids and versions on the page, and of the additions after it. It is the same
    /// on every server, even after a restart.
    pub fn of_page(page: &Listing) -> Self {
        let numbers = page.todos.iter().flat_map(|todo| [todo.id.get(), todo.version.get()]);
        // The length distinguishes the last number from a todo, which has two numbers.
        let numbers = numbers.chain(page.rest.map(Rest::get));
        let mut state = Vec::with_capacity(16 * page.todos.len() + 8);
        numbers.for_each(|number| state.extend(number.to_le_bytes()));
        Self { weak: false, opaque: URL_SAFE_NO_PAD.encode(digest(&SHA256, &state)) }
    }
}

/// The value of the header field `ETag`.
impl ToHeader for EntityTag {
    fn to_header(&self) -> Option<HeaderValue> {
        let prefix = if self.weak { "W/\"" } else { "\"" };
        HeaderValue::try_from([prefix, &self.opaque, "\""].concat()).ok()
    }
}

impl Type for EntityTag {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "entity tag".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        String::schema_ref()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

/// The value of `If-Match`.
pub struct IfMatch(EntityTags);

/// The value of `If-None-Match`.
pub struct IfNoneMatch(EntityTags);

#[derive(Debug, PartialEq, Eq)]
enum EntityTags {
    /// `*`: any state.
    Any,
    /// At least one tag.
    Of(Vec<EntityTag>),
}

impl EntityTags {
    /// Whether one of them matches in the weak comparison (RFC 9110, section 8.8.3.2).
    fn matches(&self, current: &EntityTag) -> bool {
        self.any(|tag| tag.opaque == current.opaque)
    }

    /// The same in the strong comparison.
    fn matches_strongly(&self, current: &EntityTag) -> bool {
        self.any(|tag| !tag.weak && !current.weak && tag.opaque == current.opaque)
    }

    /// Whether none of them can match in the strong comparison.
    fn are_weak(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Of(tags) => tags.iter().all(|tag| tag.weak),
        }
    }

    fn any(&self, matches: impl Fn(&EntityTag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Of(tags) => tags.iter().any(matches),
        }
    }
}

/// The preconditions of a request.
pub struct Preconditions {
    if_match: Option<EntityTags>,
    if_none_match: Option<EntityTags>,
}

impl Preconditions {
    /// Reads the preconditions of a request, for endpoints without typed parameters.
    ///
    /// # Errors
    ///
    /// 400 if one of them is malformed; otherwise as for [`Self::new`].
    pub fn of_request(request: &Request) -> Result<Self, Problem> {
        Self::new(Field::read(request, "If-Match")?, Field::read(request, "If-None-Match")?)
    }

    /// The preconditions that were sent.
    ///
    /// # Errors
    ///
    /// 412 if all tags in `If-Match` are weak, so that it cannot hold.
    pub fn new(
        if_match: Field<IfMatch>,
        if_none_match: Field<IfNoneMatch>,
    ) -> Result<Self, Problem> {
        let if_match = if_match.0.map(|IfMatch(tags)| tags);
        let if_none_match = if_none_match.0.map(|IfNoneMatch(tags)| tags);
        if if_match.as_ref().is_some_and(EntityTags::are_weak) {
            return Err(Problem::weak_entity_tag());
        }
        Ok(Self { if_match, if_none_match })
    }

    /// Evaluates the preconditions of a request that reads. Returns whether the client already has
    /// the current state, so that the response is 304.
    ///
    /// # Errors
    ///
    /// 412 if `If-Match` does not hold.
    pub fn of_read(&self, current: &EntityTag) -> Result<bool, Problem> {
        match self.matches(current) {
            true => Ok(self.is_known(current)),
            false => Err(Problem::precondition_failed()),
        }
    }

    /// Evaluates the preconditions for the todo that the guard found. If the outcome depends on its
    /// version, the store compares the version again in the statement that makes the change.
    ///
    /// # Errors
    ///
    /// 412 if a precondition does not hold.
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
    /// resource is the list, which exists even if it is empty: `If-Match: *` always holds, and
    /// `If-None-Match: *` never does.
    pub fn of_list(self) -> Option<ListCondition> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return None;
        }
        Some(Box::new(move |list| self.hold(&EntityTag::of_page(list))))
    }

    /// `If-Match` is evaluated first, and then `If-None-Match` (RFC 9110, section 13.2.2).
    fn hold(&self, current: &EntityTag) -> bool {
        self.matches(current) && !self.is_known(current)
    }

    /// Whether `If-Match` holds, in the strong comparison.
    fn matches(&self, current: &EntityTag) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.matches_strongly(current))
    }

    /// Whether `If-None-Match` has the current tag, in the weak comparison.
    fn is_known(&self, current: &EntityTag) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.matches(current))
    }
}

/// Refuses preconditions, for an operation that does not evaluate them. It must not ignore them
/// either (RFC 9110, section 13.2.1): the client relies on them.
pub struct NoPreconditions;

impl<'a> FromRequest<'a> for NoPreconditions {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let is_empty = |value: &HeaderValue| value.is_empty();
        for (field, name) in
            [(header::IF_MATCH, "If-Match"), (header::IF_NONE_MATCH, "If-None-Match")]
        {
            let mut values = request.headers().get_all(field).iter();
            // An empty If-None-Match counts as absent, as it does elsewhere.
            let is_absent = match name {
                "If-Match" => values.next().is_none(),
                _ => values.all(is_empty),
            };
            if !is_absent {
                return Err(Self::refusal(name).into());
            }
        }
        Ok(Self)
    }
}

impl NoPreconditions {
    /// 400: the operation does not evaluate the precondition in this field.
    pub fn refusal(name: &str) -> Problem {
        let detail = "must not be sent, because this operation does not evaluate it";
        Problem::invalid(format!("header:{name}"), detail)
    }
}

/// What must still hold when a todo is changed.
pub struct Condition(Option<Version>);

impl Condition {
    /// The version that the todo must still have; `None`: any.
    pub fn version(&self) -> Option<Version> {
        self.0
    }

    /// Why the store changed nothing: 412 if a version was required, otherwise 404.
    pub fn problem(&self) -> Problem {
        match self.0 {
            Some(_) => Problem::precondition_failed(),
            None => Problem::no_such_todo(),
        }
    }
}

impl FieldValue for IfMatch {
    const EXPECTED: &'static str = EntityTags::EXPECTED;
    const PATTERN: &'static str = EntityTags::PATTERN;
    /// Without the condition, the request would change the todo in any state.
    const EMPTY_IS_ABSENT: bool = false;

    fn parse_field(value: &str) -> Option<Self> {
        EntityTags::parse(value).map(Self)
    }
}

impl FieldValue for IfNoneMatch {
    const EXPECTED: &'static str = EntityTags::EXPECTED;
    const PATTERN: &'static str = EntityTags::PATTERN;

    fn parse_field(value: &str) -> Option<Self> {
        EntityTags::parse(value).map(Self)
    }
}

impl EntityTags {
    const EXPECTED: &'static str = "must be * or a list of ETags in double quotes";
    const PATTERN: &'static str = concat!(
        r#"\*|[\t ,]*(W/)?"[!#-~]*""#,
        // Further tags.
        r#"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*[\t ,]*"#,
    );

    fn parse(value: &str) -> Option<Self> {
        let mut rest = value.trim_matches(SPACE);
        if rest == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        while !rest.is_empty() {
            // Empty elements are ignored (RFC 9110, section 5.6.1.2).
            if let Some(after) = rest.strip_prefix(',') {
                rest = after.trim_start_matches(SPACE);
                continue;
            }
            let (weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            if !opaque.bytes().all(|byte| byte.is_ascii_graphic()) {
                return None;
            }
            tags.push(EntityTag { weak, opaque: opaque.to_owned() });
            rest = after.trim_start_matches(SPACE);
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
        (!tags.is_empty()).then_some(Self::Of(tags))
    }
}

const SPACE: [char; 2] = [' ', '\t'];

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
            assert_eq!(EntityTags::parse(value), Some(tags), "{value}");
        }
        for value in ["", ",", "1", "\"1", "1\"", "w/\"1\"", "*, \"1\"", "\"1\" \"2\"", "\"a b\""] {
            assert_eq!(EntityTags::parse(value), None, "{value}");
        }
    }
}
