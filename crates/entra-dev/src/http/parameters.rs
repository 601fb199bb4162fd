use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use poem::{Body, Request};
use url::form_urlencoded;

use crate::refusal::Refusal;

/// The parameters of a request, from a query or a form body.
#[derive(Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// A parameter without a value counts as left out (RFC 6749 section 3.1).
    pub(super) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).filter_map(|(name, value)| {
            let (name, value) = unwrap_hidden(name.into_owned(), value.into_owned())?;
            (!value.is_empty()).then_some((name, value))
        });
        Self(pairs.collect())
    }

    /// The parameters in the query of a request.
    pub(super) fn of_query(request: &Request) -> Self {
        Self::parse(request.uri().query().unwrap_or_default().as_bytes())
    }

    /// The parameters in a form body of at most 64 KiB.
    pub(super) async fn of_form(body: Body) -> Result<Self, Refusal> {
        let bytes =
            body.into_bytes_limit(BODY_LIMIT).await.map_err(|_| Refusal::body_too_large())?;
        Ok(Self::parse(&bytes))
    }

    /// The same of a request that says that it is a form.
    pub(super) async fn of_request(request: &Request, body: Body) -> Result<Self, Refusal> {
        if is_form(request) { Self::of_form(body).await } else { Err(Refusal::not_a_form()) }
    }

    /// The value of this parameter. Other parameters may be repeated, if they are unknown.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refusal::repeated(name)),
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
        }
    }

    /// The value of a parameter that has to be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name)?.ok_or_else(|| Refusal::missing(name))
    }

    /// The parameters with these names as hidden inputs carry them, so that a form sends the same
    /// request again.
    pub(super) fn hidden<'a>(
        &'a self,
        names: &'a [&str],
    ) -> impl Iterator<Item = (String, String)> + 'a {
        self.0
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(name, value)| wrap_hidden(name, value))
    }
}

/// The largest form that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Whether the body says that it is a form, with or without a character set.
fn is_form(request: &Request) -> bool {
    request.content_type().is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// Marks a value that is base64url, because a form would not send it as it is.
const WRAPPED: &str = ".base64url";

/// HTML forms send every line break as CR LF, and HTML has no way to write a NUL; but `state` has
/// to come back untouched.
fn wrap_hidden(name: &str, value: &str) -> (String, String) {
    if value.contains(char::is_control) {
        (format!("{name}{WRAPPED}"), BASE64_URL_SAFE_NO_PAD.encode(value))
    } else {
        (name.to_owned(), value.to_owned())
    }
}

/// Undoes [`wrap_hidden`]; `None` for what it never makes.
fn unwrap_hidden(name: String, value: String) -> Option<(String, String)> {
    let Some(plain) = name.strip_suffix(WRAPPED) else { return Some((name, value)) };
    let value = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
    Some((plain.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_inputs_carry_line_breaks_unchanged() {
        let parameters = Parameters::parse(b"state=a%0Ab%00%0D&other=1");
        let hidden: Vec<_> = parameters.hidden(&["state"]).collect();
        assert_eq!(hidden.len(), 1);
        assert!(!hidden[0].1.contains(char::is_control));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&hidden).finish();
        let again = Parameters::parse(form.as_bytes());
        assert_eq!(again.optional("state").unwrap(), Some("a\nb\0\r"));
    }
}
