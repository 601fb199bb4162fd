//! What the audit trail keeps of a request to Graph.

use poem::Request;

use crate::{
    audit::{Entry, Outcome},
    directory::Directory,
    http::{bearer::bearer_token, parameters::Parameters, recorded},
    jws::UnverifiedJws,
};

use super::{PATH, error::RequestIds};

/// The name of Graph in the audit trail.
const NAME: &str = "graph";

/// The entry for a request. It contains the person and the app that the access token names, even if
/// the token is refused: the names help to find out whose token it is.
pub(super) fn entry(
    request: &Request,
    ids: &RequestIds,
    directory: &Directory,
    outcome: Outcome,
) -> Entry {
    let token = bearer_token(request).and_then(UnverifiedJws::parse);
    let claim = |name| token.as_ref().and_then(|token| token.claim(name));
    let person = claim("oid").and_then(|oid| directory.person_with_oid(oid));
    let path = request.uri().path();
    Entry {
        // The claims of v1 and v2 tokens.
        client_id: claim("appid").or_else(|| claim("azp")).map(str::to_owned),
        correlation_id: Some(ids.client().to_owned()),
        detail: Some(path.strip_prefix(PATH).unwrap_or(path).to_owned()),
        person: person.map(|person| person.sign_in_name.clone()),
        request: Some(recorded::record(request, &Parameters::of_query(request))),
        // Without a token, the request is for no tenant in particular.
        ..Entry::new(NAME, claim("tid").unwrap_or("common"), outcome)
    }
}
