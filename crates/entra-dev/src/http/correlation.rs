//! The correlation id of a request.

use poem::{
    Request, Response,
    http::header::{HeaderName, HeaderValue},
};
use uuid::Uuid;

use super::parameters::Parameters;

const ID: HeaderName = HeaderName::from_static("client-request-id");
const REQUESTED: HeaderName = HeaderName::from_static("return-client-request-id");

/// The id that connects the client's log with the error response and the audit trail. The client
/// may choose it; otherwise it is random.
pub(super) struct Correlation {
    id: Uuid,
    /// Whether the client wants its id in the response.
    is_requested: bool,
}

impl Correlation {
    /// Reads the id from the parameters, the query or a header, in this order (MS-ADFSOAL, section
    /// 2.2.3.2). MSAL for JavaScript sends it in the query, even with a form; other clients send a
    /// header. Anything but a GUID is ignored, because the id is shown in headers, logs and pages.
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
            is_requested: given.is_some() && text(REQUESTED).is_some_and(wants),
        }
    }

    pub(super) fn id(&self) -> String {
        self.id.to_string()
    }

    /// Adds the id to the response if the client wants it.
    pub(super) fn add_to(&self, mut response: Response) -> Response {
        if self.is_requested
            && let Ok(id) = HeaderValue::from_str(&self.id())
        {
            response.headers_mut().insert(ID, id);
        }
        response
    }
}
