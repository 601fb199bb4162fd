//! The header field `Transfer-Encoding`. The server decodes `chunked` and nothing else.

use poem::{Request, http::header};

use super::problem::Problem;

/// Checks that the body has no transfer coding other than `chunked`. Otherwise a compressed body
/// would be read as if it were not compressed.
///
/// # Errors
///
/// 501 if there is another one (RFC 9112, section 6.1).
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    // Few requests have the field, and looking for it is cheaper than splitting nothing.
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return Ok(());
    }
    let fields = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let codings = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    let mut codings = codings.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty());
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Problem::unsupported_transfer_coding()),
    }
}
