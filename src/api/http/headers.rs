//! Request headers as typed parameters. poem-openapi's own parameters ignore header fields that are
//! not ASCII, and a second field of the same name.

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef},
};

use crate::todo::IdempotencyKey;

use super::problem::Problem;

/// An optional header field.
pub struct Field<T>(pub Option<T>);

/// A type that the value of a header field is parsed into.
pub trait FieldValue: Sized + Send {
    /// What the value must be, as the detail of the error for an invalid one.
    const EXPECTED: &'static str;

    /// The same as a regular expression of ECMA-262, for the whole value.
    const PATTERN: &'static str;

    /// Whether an empty value counts as absent. Clients that NSwag generates send every optional
    /// header, those without a value as an empty one.
    const EMPTY_IS_ABSENT: bool = true;

    /// Parses the value; `None` if it is invalid. Several fields of the same name are joined with
    /// commas (RFC 9110, section 5.2).
    fn parse_field(value: &str) -> Option<Self>;

    /// 400: the value of the header field with this name is invalid.
    fn invalid(name: &str) -> Problem {
        Problem::invalid(format!("header:{name}"), Self::EXPECTED)
    }
}

impl<T: FieldValue> Field<T> {
    /// Reads the header field with this name.
    ///
    /// # Errors
    ///
    /// 400 if its value is invalid.
    pub fn read(request: &Request, name: &str) -> Result<Self, Problem> {
        let values = request.headers().get_all(name).iter();
        let values: Vec<_> = values.map(|value| value.to_str().ok()).collect();
        if values.is_empty() {
            return Ok(Self(None));
        }
        let values: Option<Vec<_>> = values.into_iter().collect();
        let is_empty = values.as_ref().is_some_and(|all| all.iter().all(|value| value.is_empty()));
        if is_empty && T::EMPTY_IS_ABSENT {
            return Ok(Self(None));
        }
        match values.and_then(|values| T::parse_field(&values.join(", "))) {
            Some(value) => Ok(Self(Some(value))),
            None => Err(T::invalid(name)),
        }
    }
}

impl<'a, T: FieldValue> ApiExtractor<'a> for Field<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let or_empty = if T::EMPTY_IS_ABSENT { "?" } else { "" };
        let pattern = Some(format!("^({}){or_empty}$", T::PATTERN));
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema { pattern, ..MetaSchema::new("string") })))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        parameter: ExtractParamOptions<String>,
    ) -> Result<Self> {
        Ok(Self::read(request, parameter.name)?)
    }
}

impl FieldValue for IdempotencyKey {
    const EXPECTED: &'static str =
        "must be 1 to 255 visible ASCII characters, without quotes and backslashes";
    const PATTERN: &'static str = r#""[!#-\[\]-~]{1,255}"|[!#-\[\]-~]{1,255}"#;

    /// A string as in the draft (draft-ietf-httpapi-idempotency-key-header-07, section 2.1), or
    /// without its quotes, as most clients send it.
    fn parse_field(value: &str) -> Option<Self> {
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        Self::parse(quoted.unwrap_or(value))
    }
}
