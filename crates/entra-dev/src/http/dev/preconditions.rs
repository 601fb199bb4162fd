//! Conditional requests for the directory (RFC 9110, section 13). With them, clients that read the
//! directory and write it back do not undo changes that others have made in the meantime.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use poem::{
    Request,
    http::StatusCode,
    web::headers::{ETag, Header, HeaderMapExt, IfMatch, IfNoneMatch},
};
use serde_json::Value;

use crate::directory::Directory;

use super::problem::{Problem, bad_request, failed};

/// The conditions of a request for a part of the directory.
pub(super) struct Preconditions {
    /// The path of the part; `None` for a resource without an entity tag.
    path: Option<Vec<String>>,
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
}

impl Preconditions {
    pub(super) fn of(request: &Request, path: Option<Vec<String>>) -> Result<Self, Problem> {
        Ok(Self { path, if_match: header(request)?, if_none_match: header(request)? })
    }

    /// Checks the conditions of a change of this directory.
    pub(super) fn check(&self, directory: &Directory) -> Result<(), Problem> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return Ok(());
        }
        // A part that does not exist has no entity tag.
        let part = self.path.as_ref().and_then(|path| directory.part(path).ok());
        let current = part.map(|part| entity_tag(&part)).transpose()?;
        self.check_match(current.as_ref())?;
        if self.is_known(current.as_ref()) {
            let detail = "this part of the directory already exists, and If-None-Match excludes it";
            return Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail));
        }
        Ok(())
    }

    /// Checks `If-Match`.
    pub(super) fn check_match(&self, current: Option<&ETag>) -> Result<(), Problem> {
        let Some(expected) = &self.if_match else { return Ok(()) };
        let detail = match current {
            Some(tag) if expected.precondition_passes(tag) => return Ok(()),
            Some(tag) => format!(
                "the directory has changed since you read it: read it again, and repeat your \
                 change. If-Match is not the current entity tag, {}",
                text(tag)
            ),
            None => {
                "If-Match cannot match, because nothing at this path has an entity tag".to_owned()
            }
        };
        Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail))
    }

    /// Whether the entity tag is one of those in `If-None-Match`.
    pub(super) fn is_known(&self, current: Option<&ETag>) -> bool {
        let excluded = self.if_none_match.as_ref().zip(current);
        excluded.is_some_and(|(excluded, current)| !excluded.precondition_passes(current))
    }
}

/// The strong entity tag of the directory or of a part of it.
pub(super) fn entity_tag(part: &Value) -> Result<ETag, Problem> {
    let hash = digest(&SHA256, part.to_string().as_bytes());
    let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(hash));
    tag.parse().map_err(|_| failed("the entity tag could not be computed"))
}

/// An entity tag as in a header field, with its quotation marks.
fn text(tag: &ETag) -> String {
    let mut values = Vec::new();
    tag.encode(&mut values);
    values.iter().filter_map(|value| value.to_str().ok()).collect()
}

fn header<H: Header>(request: &Request) -> Result<Option<H>, Problem> {
    let name = H::name();
    let malformed = |_| bad_request(format!("the header field {name} is malformed"));
    request.headers().typed_try_get().map_err(malformed)
}
