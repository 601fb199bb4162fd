//! Pages of a list: the requested page, and the cursor of the next one.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseFromParameter, ParseResult, Type},
};

use crate::{
    list::{DEFAULT_LIMIT, Listing},
    todo::TodoId,
};

use super::problem::Problem;

/// The requested page.
pub struct Page {
    /// The page size: the largest number of todos on the page.
    pub limit: u16,
    /// The last todo before the page; `None` for the first page.
    pub after: Option<TodoId>,
}

impl Page {
    /// Parses `limit` and `after`.
    ///
    /// # Errors
    ///
    /// 400 if one of them is invalid.
    pub fn parse(limit: Option<&Limit>, after: Option<&Cursor>) -> Result<Self, Problem> {
        let limit = match limit {
            Some(limit) => limit.parse().ok_or_else(|| {
                Problem::invalid("query:limit", "must be one whole number from 1 to 1000")
            })?,
            None => DEFAULT_LIMIT,
        };
        let after = match after {
            Some(cursor) => Some(cursor.read().ok_or_else(|| {
                Problem::invalid("query:after", "must be the `next` value of one other page")
            })?),
            None => None,
        };
        Ok(Self { limit, after })
    }

    /// The value of the `Link` header field for the next page (RFC 8288).
    ///
    /// Its path begins with `base`.
    pub fn link(&self, base: &str, next: &str) -> String {
        format!("<{base}/todoitems?limit={}&after={next}>; rel=\"next\"", self.limit)
    }
}

/// The `limit` parameter as it was sent. poem-openapi's own number types have error texts that are
/// meant for Rust programmers.
pub struct Limit(String);

impl Limit {
    const MAX: u16 = 1_000;

    fn parse(&self) -> Option<u16> {
        // `parse` would accept a sign.
        let digits = self.0.bytes().all(|byte| byte.is_ascii_digit());
        let limit = digits.then(|| self.0.parse().ok()).flatten();
        limit.filter(|limit| (1..=Self::MAX).contains(limit))
    }

    fn schema() -> MetaSchema {
        MetaSchema {
            minimum: Some(1.0),
            maximum: Some(Self::MAX.into()),
            default: Some(DEFAULT_LIMIT.into()),
            ..MetaSchema::new_with_format("integer", "int32")
        }
    }
}

/// The `after` parameter as it was sent: a cursor. It is opaque to clients and contains only the
/// last id, because only the caller's access decides what a page may show.
pub struct Cursor(String);

impl Cursor {
    const VERSION: &str = "v1:";

    fn after(last: TodoId) -> Self {
        Self(URL_SAFE_NO_PAD.encode(format!("{}{last}", Self::VERSION)))
    }

    fn read(&self) -> Option<TodoId> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(&self.0).ok()?).ok()?;
        TodoId::parse(text.strip_prefix(Self::VERSION)?)
    }

    fn schema() -> MetaSchema {
        MetaSchema { pattern: Some("^[A-Za-z0-9_-]+$".into()), ..MetaSchema::new("string") }
    }
}

/// Makes a type for a parameter that keeps the text as it was sent.
macro_rules! parameter {
    ($type:ident) => {
        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl Type for $type {
            const IS_REQUIRED: bool = true;

            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new(Self::schema()))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl ParseFromParameter for $type {
            fn parse_from_parameter(value: &str) -> ParseResult<Self> {
                Ok(value.into())
            }

            /// Joins several values with commas. No valid value contains one, so none of them is
            /// silently ignored.
            fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(
                values: I,
            ) -> ParseResult<Self> {
                let values: Vec<_> = values.into_iter().collect();
                let values: Vec<_> = values.iter().map(AsRef::as_ref).collect();
                Ok(Self(values.join(",")))
            }
        }
    };
}

parameter!(Limit);
parameter!(Cursor);

/// The cursor of the page after this one, if there is one.
pub fn next_page(page: &Listing) -> Option<String> {
    let last = page.todos.last().filter(|_| page.rest.is_some());
    last.map(|last| Cursor::after(last.id).0)
}
