//! Headers of a request that stand in the document and arrive as what they mean. poem-openapi's own
//! leave out lines that are not ASCII, and take no notice of a second line.

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef},
};

use super::problem::Problem;

/// A header that may be left out.
pub struct Field<T>(pub Option<T>);

/// What a header's value is read as.
pub trait FieldValue: Sized + Send {
    /// What the value must be, for whoever sent another one.
    const EXPECTED: &'static str;

    /// The meaning of the value; several lines are joined with commas (RFC 9110, section 5.2).
    fn parse_field(value: &str) -> Option<Self>;
}

impl<'a, T: FieldValue> ApiExtractor<'a> for Field<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        parameter: ExtractParamOptions<String>,
    ) -> Result<Self> {
        let lines = request.headers().get_all(parameter.name).iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().ok()).collect();
        if lines.is_empty() {
            return Ok(Self(None));
        }
        let lines: Option<Vec<_>> = lines.into_iter().collect();
        match lines.and_then(|lines| T::parse_field(&lines.join(", "))) {
            Some(value) => Ok(Self(Some(value))),
            None => {
                let place = format!("header:{}", parameter.name);
                Err(Problem::invalid(place, T::EXPECTED).into())
            }
        }
    }
}
