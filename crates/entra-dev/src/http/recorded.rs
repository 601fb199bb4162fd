//! What the audit trail keeps of a request: everything that is known to be harmless.

use poem::{Request, http::header::AUTHORIZATION};
use serde_json::Value;

use crate::{
    audit::{
        Entry, MAX_LENGTH, Outcome, RecordedField, RecordedRequest, hidden, hide_query,
        hide_tokens, shorten,
    },
    directory::Directory,
    jws::UnverifiedJws,
};

use super::{bearer::bearer_token, parameters::Parameters};

/// The parameters whose values are kept. Anything else may be a secret: a code, a token, an
/// assertion, a verifier, a state or a nonce.
const PARAMETERS: [&str; 40] = [
    "$select",
    "$skiptoken",
    "$top",
    "account",
    "api-version",
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
    "mi_res_id",
    "msi_res_id",
    "object_id",
    "post_logout_redirect_uri",
    "principal_id",
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
    "xms_cc",
];

/// The parameters of which only the value is hidden. Any other name may be a secret itself, such as
/// a part of a body that is not a form.
const SECRET_PARAMETERS: [&str; 18] = [
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "id_token",
    "id_token_hint",
    "nonce",
    "password",
    "refresh_token",
    "req_cnf",
    "request",
    "sid",
    "state",
    "user_code",
    "user_federated_identity_credential",
];

/// The parameters that are URIs.
const URIS: [&str; 2] = ["post_logout_redirect_uri", "redirect_uri"];

/// The header fields that are kept if the request has them.
const HEADERS: [&str; 7] = [
    "host",
    "origin",
    "sec-fetch-site",
    "content-type",
    "user-agent",
    "metadata",
    "x-forwarded-for",
];

/// The header fields of which only the length is kept.
const SECRET_HEADERS: [&str; 3] = ["cookie", "dpop", "x-identity-header"];

/// The number of values that are kept of each header field.
const MAX_VALUES: usize = 2;

/// The number of bytes that are kept of all header fields and parameters. Clients can send 64 KiB.
const MAX_TOTAL: usize = 4_000;

/// The request without its secrets.
pub(super) fn record(request: &Request, parameters: &Parameters) -> RecordedRequest {
    let mut budget = MAX_TOTAL;
    RecordedRequest {
        method: request.method().as_str().to_owned(),
        path: shown(request.uri().path()),
        headers: within(&mut budget, headers(request)),
        parameters: within(&mut budget, parameters.iter().map(parameter).collect()),
    }
}

/// The entry for a request to an endpoint with access tokens. It contains the person and the app
/// that the token names, even if the token is refused: the names help to find out whose token it
/// is.
pub(super) fn entry_with_token(
    endpoint: &'static str,
    request: &Request,
    correlation_id: &str,
    directory: &Directory,
    outcome: Outcome,
) -> Entry {
    let token = bearer_token(request).and_then(UnverifiedJws::parse);
    let claim = |name| token.as_ref().and_then(|token| token.claim(name));
    let person = claim("oid").and_then(|oid| directory.person_with_oid(oid));
    Entry {
        // The claims of v1 and v2 tokens.
        client_id: claim("appid").or_else(|| claim("azp")).map(str::to_owned),
        correlation_id: Some(correlation_id.to_owned()),
        person: person.map(|person| person.sign_in_name.clone()),
        request: Some(record(request, &Parameters::of_query(request))),
        // Without a token, the request is for no tenant in particular.
        ..Entry::new(endpoint, claim("tid").unwrap_or("common"), outcome)
    }
}

/// The first fields that fit, and how many do not.
fn within(budget: &mut usize, mut fields: Vec<RecordedField>) -> Vec<RecordedField> {
    let fits = |field: &RecordedField| {
        let rest = budget.checked_sub(field.name.len() + field.value.len());
        *budget = rest.unwrap_or_default();
        rest.is_some()
    };
    let kept = fields.iter().map(fits).take_while(|fits| *fits).count();
    let left_out = fields.len() - kept;
    if left_out > 0 {
        fields.truncate(kept);
        fields.push(field("…", format!("({left_out} more)")));
    }
    fields
}

fn headers(request: &Request) -> Vec<RecordedField> {
    let values = |name: &'static str| {
        let values = request.headers().get_all(name).iter().take(MAX_VALUES);
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

fn parameter((name, value): (&str, &str)) -> RecordedField {
    let is_in = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let length = |text: &str| hidden(text.chars().count());
    if is_in(&URIS) {
        field(name, shown(&hide_query(value)))
    } else if is_in(&["claims"]) {
        field(name, claims(value).map_or_else(|| length(value), |claims| shown(&claims)))
    } else if is_in(&PARAMETERS) {
        field(name, shown(value))
    } else if is_in(&SECRET_PARAMETERS) {
        field(name, length(value))
    } else {
        field(&length(name), length(value))
    }
}

/// Requested claims without the values of a nonce; `None` if this is not JSON.
fn claims(text: &str) -> Option<String> {
    let mut claims: Value = serde_json::from_str(text).ok()?;
    Some(if hide_nonces(&mut claims) { claims.to_string() } else { text.to_owned() })
}

/// Returns whether there was one.
fn hide_nonces(value: &mut Value) -> bool {
    let Value::Object(members) = value else { return false };
    let mut found = false;
    for (name, value) in members {
        if name == "nonce" {
            *value = "(hidden)".into();
            found = true;
        } else {
            found |= hide_nonces(value);
        }
    }
    found
}

fn field(name: &str, value: String) -> RecordedField {
    RecordedField { name: name.to_owned(), value }
}

/// A value that is not secret unless it contains a token.
fn shown(value: &str) -> String {
    let mut value = value.to_owned();
    hide_tokens(&mut value);
    shorten(&mut value, MAX_LENGTH);
    value
}
