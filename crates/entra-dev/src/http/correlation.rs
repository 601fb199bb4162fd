use poem::http::header::{HeaderName, HeaderValue};
use poem::{Request, Response};
use uuid::Uuid;

use super::parameters::Parameters;

const ID: HeaderName = HeaderName::from_static("client-request-id");
const WANTED: HeaderName = HeaderName::from_static("return-client-request-id");

/// The id that joins what a client logs with what is answered and remembered here: the client's
/// own, or, where it sends none, a new one.
pub(super) struct Correlation {
    id: Uuid,
    /// Whether the client asks for its id to be sent back.
    is_wanted: bool,
}

impl Correlation {
    /// What MSAL in JavaScript sends in the query, even with a form, and other clients in a header;
    /// a parameter comes first (MS-ADFSOAL section 2.2.3.2). What is no GUID counts as left out:
    /// this ends up in a header, in logs and on pages.
    pub(super) fn of(request: &Request, parameters: &Parameters) -> Self {
        let query = Parameters::of_query(request);
        let text = |name: HeaderName| {
            let in_header = || request.headers().get(&name)?.to_str().ok();
            let parameter = [parameters, &query]
                .iter()
                .find_map(|parameters| parameters.optional(name.as_str()).ok().flatten());
            parameter.or_else(in_header).map(str::to_owned)
        };
        let given = text(ID).filter(|id| id.len() == 36).and_then(|id| Uuid::try_parse(&id).ok());
        let wants = |text: String| text.eq_ignore_ascii_case("true");
        Self {
            id: given.unwrap_or_else(Uuid::new_v4),
            is_wanted: given.is_some() && text(WANTED).is_some_and(wants),
        }
    }

    pub(super) fn id(&self) -> String {
        self.id.to_string()
    }

    /// The answer, with the id where the client wants it back.
    pub(super) fn on(&self, mut response: Response) -> Response {
        if self.is_wanted
            && let Ok(id) = HeaderValue::from_str(&self.id())
        {
            response.headers_mut().insert(ID, id);
        }
        response
    }
}
