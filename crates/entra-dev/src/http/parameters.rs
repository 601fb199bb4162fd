//! The parameters of a request.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use poem::{Body, Request, http::Method};
use url::form_urlencoded;

use crate::refusal::Refusal;

use super::body_limit::BODY_LIMIT;

/// The parameters of a request, from a query or a form body.
#[derive(Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Parses `application/x-www-form-urlencoded` text.
    ///
    /// A parameter without a value counts as missing (RFC 6749, section 3.1).
    pub(super) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).filter_map(|(name, value)| {
            let (name, value) = decode_hidden(name.into_owned(), value.into_owned())?;
            (!value.is_empty()).then_some((name, value))
        });
        Self(pairs.collect())
    }

    /// The parameters in the query of a request.
    pub(super) fn of_query(request: &Request) -> Self {
        Self::parse(request.uri().query().unwrap_or_default().as_bytes())
    }

    /// The parameters of a request: from the form of a POST, otherwise from the query.
    pub(super) async fn read(request: &Request, body: Body) -> Result<Self, Refusal> {
        if request.method() != Method::POST {
            return Ok(Self::of_query(request));
        }
        if !is_form(request) {
            return Err(Refusal::not_a_form());
        }
        let bytes =
            body.into_bytes_limit(BODY_LIMIT).await.map_err(|_| Refusal::body_too_large())?;
        Ok(Self::parse(&bytes))
    }

    /// The names and values, in the order of the client.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of an optional parameter, which must not be repeated.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refusal::repeated(name)),
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
        }
    }

    /// The value of a required parameter.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name)?.ok_or_else(|| Refusal::missing(name))
    }

    /// The parameters with these names, encoded for hidden inputs, so that a form repeats the
    /// request.
    pub(super) fn hidden(&self, names: &[&str]) -> Vec<(String, String)> {
        self.hidden_if(|name| names.contains(&name))
    }

    /// All parameters but those with these names, encoded in the same way.
    pub(super) fn hidden_without(&self, names: &[&str]) -> Vec<(String, String)> {
        self.hidden_if(|name| !names.contains(&name))
    }

    fn hidden_if(&self, is_repeated: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let repeated = self.iter().filter(|(name, _)| is_repeated(name));
        repeated.map(|(name, value)| encode_hidden(name, value)).collect()
    }
}

/// Whether the media type is that of a form, with or without a character set.
fn is_form(request: &Request) -> bool {
    request.content_type().is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// The suffix of parameters whose value is encoded as base64url.
const ENCODED: &str = ".base64url";

/// Encodes values that a form would change: it sends every line break as CR LF, and HTML cannot
/// represent NUL. But `state` must be returned unchanged.
fn encode_hidden(name: &str, value: &str) -> (String, String) {
    if value.contains(char::is_control) {
        (format!("{name}{ENCODED}"), BASE64_URL_SAFE_NO_PAD.encode(value))
    } else {
        (name.to_owned(), value.to_owned())
    }
}

/// Reverses [`encode_hidden`]; `None` if the encoding is invalid.
fn decode_hidden(name: String, value: String) -> Option<(String, String)> {
    let Some(plain) = name.strip_suffix(ENCODED) else { return Some((name, value)) };
    let value = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
    Some((plain.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_inputs_carry_line_breaks_unchanged() {
        let parameters = Parameters::parse(b"state=a%0Ab%00%0D&other=1");
        let hidden = parameters.hidden(&["state"]);
        assert_eq!(hidden.len(), 1);
        assert!(!hidden[0].1.contains(char::is_control));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&hidden).finish();
        let again = Parameters::parse(form.as_bytes());
        assert_eq!(again.optional("state").unwrap(), Some("a\nb\0\r"));
    }
}
