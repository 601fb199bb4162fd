//! What the audit trail keeps of a request: everything that is known to be harmless.

use poem::{Request, http::header::AUTHORIZATION};

use crate::audit::{MAX_LENGTH, RecordedField, RecordedRequest, hidden, hide_tokens, shorten};

use super::parameters::Parameters;

/// The parameters whose values are kept. Anything else may be a secret: a code, a token, an
/// assertion, a verifier, a state or a nonce.
const PARAMETERS: [&str; 31] = [
    "account",
    "claims",
    "client-request-id",
    "client_assertion_type",
    "client_id",
    "client_info",
    "code_challenge_method",
    "consent",
    "domain_hint",
    "fmi_path",
    "for_everybody",
    "grant_type",
    "login_hint",
    "logout_hint",
    "max_age",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "requested_token_use",
    "resource",
    "response_mode",
    "response_type",
    "return-client-request-id",
    "scope",
    "token_type",
    "ui_locales",
    "user_id",
    "username",
    "x-client-OS",
    "x-client-SKU",
    "x-client-VER",
];

/// The header fields that are kept if the request has them.
const HEADERS: [&str; 5] = ["host", "origin", "sec-fetch-site", "content-type", "user-agent"];

/// The header fields of which only the length is kept.
const SECRET_HEADERS: [&str; 2] = ["cookie", "dpop"];

/// The number of characters that are kept of each name.
const MAX_NAME: usize = 80;

/// The number of characters that are kept of all parameters. Clients can send 64 KiB.
const MAX_TOTAL: usize = 4_000;

/// The request without its secrets.
pub(super) fn record(request: &Request, parameters: &Parameters) -> RecordedRequest {
    RecordedRequest {
        method: request.method().as_str().to_owned(),
        path: shown(request.uri().path()),
        headers: headers(request),
        parameters: fields(parameters),
    }
}

fn headers(request: &Request) -> Vec<RecordedField> {
    let values = |name: &'static str| {
        let values = request.headers().get_all(name).iter();
        values.map(move |value| (name, value.to_str().unwrap_or("(not ASCII)")))
    };
    let kept = HEADERS.into_iter().flat_map(values);
    let kept = kept.map(|(name, value)| field(name, shown(value)));
    let secret = SECRET_HEADERS.into_iter().flat_map(values);
    let secret = secret.map(|(name, value)| field(name, hidden(value.len())));
    let credentials = values(AUTHORIZATION.as_str());
    let credentials = credentials.map(|(name, value)| {
        let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
        // A bare token has no scheme.
        let known = ["basic", "bearer", "dpop", "pop"];
        let scheme = known.into_iter().find(|known| known.eq_ignore_ascii_case(scheme));
        let whole = || hidden(value.len());
        field(name, scheme.map_or_else(whole, |it| format!("{it} {}", hidden(rest.len()))))
    });
    kept.chain(credentials).chain(secret).collect()
}

fn fields(parameters: &Parameters) -> Vec<RecordedField> {
    let (mut kept, mut total) = (Vec::new(), 0);
    for (name, value) in parameters.iter() {
        let is_known = PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name));
        let value = if is_known { shown(value) } else { hidden(value.chars().count()) };
        let field = field(&shortened(name, MAX_NAME), value);
        total += field.name.len() + field.value.len();
        if total > MAX_TOTAL {
            let left_out = parameters.iter().count() - kept.len();
            kept.push(RecordedField {
                name: "…".to_owned(), value: format!("({left_out} more)")
            });
            break;
        }
        kept.push(field);
    }
    kept
}

fn field(name: &str, value: String) -> RecordedField {
    RecordedField { name: name.to_owned(), value }
}

/// A value that is no secret, unless it contains a token.
fn shown(value: &str) -> String {
    let mut value = value.to_owned();
    hide_tokens(&mut value);
    shortened(&value, MAX_LENGTH)
}

fn shortened(text: &str, length: usize) -> String {
    let mut text = text.to_owned();
    shorten(&mut text, length);
    text
}
