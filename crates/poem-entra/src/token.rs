//! Finds the token in a request and parses it. Nothing in it is trusted yet.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header};

use crate::{
    json::{self, Json, Members},
    rejection::{Refusal, Rejection},
    report::Observer,
    rule::Rule,
};

/// The length of the longest token that is parsed, in bytes. Entra's tokens are shorter, even with
/// 200 groups.
pub const TOKEN_LIMIT: usize = 16_384;

/// Other schemes that a client may send by mistake. Only these are named in a refusal: anything
/// else may be a token that was sent without a scheme, and must not be repeated.
const OTHER_SCHEMES: [&str; 9] = [
    "MTLS_POP",
    "PoP",
    "DPoP",
    "Basic",
    "Digest",
    "Negotiate",
    "NTLM",
    "Token",
    "AWS4-HMAC-SHA256",
];

/// The token in the `Authorization: Bearer` header of a request (RFC 6750, section 2.1), after one
/// or more spaces (RFC 9110, section 11.4). Tokens in the query or the body are ignored.
///
/// # Errors
///
/// A [`Rejection`] with [`Rule::AuthorizationHeader`] if the request has no token, if the
/// scheme is not `Bearer`, if there are several `Authorization` headers, or if the token is empty,
/// longer than [`TOKEN_LIMIT`] or not ASCII.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(Rejection::missing_token)?;
    if values.next().is_some() {
        return Err(Rejection::new(
            Refusal::InvalidRequest,
            Rule::AuthorizationHeader,
            "The request has more than one Authorization header.",
        ));
    }
    let malformed =
        |detail: &'static str| Rejection::invalid_token(Rule::AuthorizationHeader, detail);
    // A header value has no control characters. Without them, this is the same as `to_str`, which
    // looks at one byte at a time.
    let value = str::from_utf8(value.as_bytes()).ok().filter(|value| value.is_ascii());
    let value = value.ok_or_else(|| {
        malformed("The Authorization header contains characters that are not ASCII.")
    })?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(other_scheme(scheme));
    }
    let token = token.trim_start_matches(' ');
    match token.len() {
        0 => Err(malformed("There is no token after Bearer.")),
        1..=TOKEN_LIMIT => Ok(token),
        _ => Err(malformed("The token is longer than 16384 bytes.")),
    }
}

fn other_scheme(scheme: &str) -> Rejection {
    if scheme.is_empty() {
        return Rejection::missing_token();
    }
    let missing =
        |detail: String| Rejection::new(Refusal::MissingToken, Rule::AuthorizationHeader, detail);
    let known = OTHER_SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme));
    let rejection = match known {
        Some(known) => {
            let detail =
                format!("The Authorization header has the scheme {known} instead of Bearer.");
            missing(detail).compared("Bearer", known)
        }
        None => missing("The Authorization header does not begin with a known scheme.".into()),
    };
    rejection.with_hint("Send an access token after the word Bearer and a space.")
}

/// The parts of a token. The header is parsed to find the key. The payload is not parsed before the
/// signature is verified.
pub(crate) struct UnverifiedToken<'a> {
    pub(crate) kid: String,
    /// What is signed: the header and the payload, separated by a dot.
    pub(crate) message: &'a str,
    pub(crate) signature: Vec<u8>,
    payload: &'a str,
}

impl<'a> UnverifiedToken<'a> {
    /// Splits a compact JWS (RFC 7515, section 7.1) and parses its header.
    pub(crate) fn parse(token: &'a str, observer: &mut impl Observer) -> Result<Self, Rejection> {
        let malformed = |detail: &'static str| Rejection::invalid_token(Rule::TokenFormat, detail);
        if token.len() > TOKEN_LIMIT {
            return Err(malformed("The token is longer than 16384 bytes."));
        }
        let not_a_jws = || match token.split('.').count() {
            5 => malformed("The token is encrypted (JWE); a signed token (JWS) is required."),
            _ => Rejection::malformed_token(),
        };
        let (message, signature) = token.rsplit_once('.').ok_or_else(not_a_jws)?;
        let (header, payload) = message.split_once('.').ok_or_else(not_a_jws)?;
        let parts = [header, payload, signature];
        if !parts.iter().all(|part| !part.is_empty() && is_base64url(part)) {
            return Err(not_a_jws());
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| not_a_jws())?;
        let header = decode(header, "header")?;
        let header = parse_object(&header, "header")?;
        observer.passed(Rule::TokenFormat);
        let kid = kid(&header)?;
        observer.passed(Rule::TokenHeader);
        Ok(Self { kid, message, signature, payload })
    }

    /// The payload's bytes. Call this only after the signature is verified.
    pub(crate) fn payload_after_verification(&self) -> Result<Vec<u8>, Rejection> {
        decode(self.payload, "payload")
    }
}

/// The `kid` of a header with `alg` RS256 that requires nothing else.
///
/// `jku`, `jwk`, `x5u` and `x5c` are ignored: they would let the token choose its own key.
fn kid(header: &Members<'_>) -> Result<String, Rejection> {
    let refuse = |detail: &'static str| Err(Rejection::invalid_token(Rule::TokenHeader, detail));
    match header.get("alg") {
        Some(Json::String(alg)) if alg == "RS256" => {}
        Some(Json::String(alg)) => {
            let rejection =
                Rejection::invalid_token(Rule::TokenHeader, "The token's alg is not accepted.");
            return Err(rejection.compared("RS256", alg));
        }
        _ => return refuse("The token's header has no alg."),
    }
    if header.get("crit").is_some() {
        return refuse("The token's header has crit; no critical extension is supported.");
    }
    if header.get("enc").is_some() {
        return refuse("The token's header has enc; only encrypted tokens have it.");
    }
    // In tokens for Microsoft Graph, the signature covers a different header from the one that is
    // sent, so only Graph can verify it.
    if header.get("nonce").is_some() {
        return Err(Rejection::invalid_token(
            Rule::AccessToken,
            "The token is for Microsoft Graph: its header has a nonce.",
        )
        .with_hint("Request a scope of this API. Graph's tokens are only for Graph."));
    }
    match header.get("typ") {
        None => {}
        Some(Json::String(typ)) if is_access_token_type(typ) => {}
        Some(_) => return refuse("The token's typ is neither JWT nor at+jwt."),
    }
    match header.get("kid") {
        Some(Json::String(kid)) => Ok(kid.clone().into_owned()),
        _ => refuse("The token's header has no kid."),
    }
}

/// Whether a token of this type (`typ`) can be an access token (RFC 7519, section 5.1, and RFC
/// 9068, section 2.1).
fn is_access_token_type(typ: &str) -> bool {
    const PREFIX: &str = "application/";
    let subtype = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, subtype)) if prefix.eq_ignore_ascii_case(PREFIX) => subtype,
        _ => typ,
    };
    ["jwt", "at+jwt"].iter().any(|accepted| subtype.eq_ignore_ascii_case(accepted))
}

/// The claims in a payload.
pub(crate) fn claims(payload: &[u8]) -> Result<Members<'_>, Rejection> {
    parse_object(payload, "payload")
}

fn decode(part: &str, name: &str) -> Result<Vec<u8>, Rejection> {
    // The engine refuses padding, and unused bits that are not zero, so each token has only one
    // encoding (RFC 4648, section 3.5).
    URL_SAFE_NO_PAD.decode(part).map_err(|_| {
        Rejection::invalid_token(Rule::TokenFormat, format!("The token's {name} is not base64url."))
    })
}

fn parse_object<'a>(bytes: &'a [u8], name: &str) -> Result<Members<'a>, Rejection> {
    json::object(bytes).map_err(|_| {
        Rejection::invalid_token(
            Rule::TokenFormat,
            format!("The token's {name} is not a JSON object or has duplicate members."),
        )
    })
}

fn is_base64url(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    // Without an early exit, which `all` has, the compiler checks many bytes at once.
    text.bytes().fold(true, |valid, byte| valid & allowed(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FirstBroken;

    fn parse(header: &str) -> Result<String, Rule> {
        let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
        UnverifiedToken::parse(&token, &mut FirstBroken)
            .map(|token| token.kid)
            .map_err(|r| r.rule())
    }

    fn bearer_of(value: &str) -> Result<String, Rejection> {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn one_or_more_spaces_follow_the_scheme() {
        for value in ["Bearer a.b.c", "bearer  a.b.c", "BEARER          a.b.c"] {
            assert_eq!(bearer_of(value), Ok("a.b.c".into()), "{value}");
        }
        for value in ["Bearer", "Bearer ", "Bearer   "] {
            let rejection = bearer_of(value).unwrap_err();
            assert_eq!(rejection.code(), "invalid_token", "{value}");
            assert_eq!(rejection.detail(), "There is no token after Bearer.", "{value}");
        }
        assert_eq!(bearer_of("Bearer\ta.b.c").unwrap_err().code(), "missing_token");
        assert_eq!(bearer_of("Bearer \ta.b.c"), Ok("\ta.b.c".into()), "refused as a token later");
    }

    #[test]
    fn another_scheme_is_named_only_if_it_is_a_known_one() {
        for known in OTHER_SCHEMES {
            for scheme in [known.to_owned(), known.to_lowercase(), known.to_uppercase()] {
                for value in [format!("{scheme} a.b.c"), scheme] {
                    let rejection = bearer_of(&value).unwrap_err();
                    assert_eq!(rejection.code(), "missing_token", "{value}");
                    assert!(rejection.detail().contains(&format!(" {known} ")), "{rejection}");
                    assert_eq!(rejection.expected(), Some("Bearer"));
                    assert_eq!(rejection.received(), Some(known));
                    assert!(rejection.hint().is_some());
                }
            }
        }
        for value in ["eyJhbGciOi.eyJhdWQiOi.c2ln", "Secret a.b.c", "Bearers a.b.c", "Basic\tYTpi"]
        {
            let rejection = bearer_of(value).unwrap_err();
            assert_eq!(rejection.code(), "missing_token", "{value}");
            assert!(rejection.detail().contains("known scheme"), "{rejection}");
            let shown = format!("{rejection:?}");
            assert!(value.split([' ', '\t']).all(|part| !shown.contains(part)), "{shown}");
        }
        assert_eq!(bearer_of("").unwrap_err(), Rejection::missing_token());
    }

    #[test]
    fn only_the_exact_alg_rs256_is_accepted() {
        assert_eq!(parse(r#"{"alg":"RS256","kid":"k"}"#), Ok("k".into()));
        for alg in ["none", "None", "HS256", "PS256", "ES256", "EdDSA", "RS384", "rs256", "RS256 "]
        {
            assert_eq!(
                parse(&format!(r#"{{"alg":"{alg}","kid":"k"}}"#)),
                Err(Rule::TokenHeader),
                "{alg}"
            );
        }
        for header in
            [r#"{"kid":"k"}"#, r#"{"alg":null,"kid":"k"}"#, r#"{"alg":["RS256"],"kid":"k"}"#]
        {
            assert_eq!(parse(header), Err(Rule::TokenHeader), "{header}");
        }
        let header = json::object(br#"{"alg":"PS256","kid":"k"}"#).unwrap();
        let rejection = kid(&header).unwrap_err();
        assert_eq!(rejection.detail(), "The token's alg is not accepted.");
        assert_eq!((rejection.expected(), rejection.received()), (Some("RS256"), Some("PS256")));
    }

    #[test]
    fn crit_enc_and_other_types_in_the_header_are_refused() {
        for member in [
            r#""crit":["b64"]"#,
            r#""crit":[]"#,
            r#""enc":"A256GCM""#,
            r#""typ":"dpop+jwt""#,
            r#""typ":"application:jwt""#,
            r#""typ":7"#,
        ] {
            let header = format!(r#"{{"alg":"RS256","kid":"k",{member}}}"#);
            assert_eq!(parse(&header), Err(Rule::TokenHeader), "{member}");
        }
        let twice = r#"{"alg":"RS256","kid":"k","alg":"RS256"}"#;
        assert_eq!(parse(twice), Err(Rule::TokenFormat));
        for kid in ["7", "null", "[\"k\"]"] {
            assert_eq!(
                parse(&format!(r#"{{"alg":"RS256","kid":{kid}}}"#)),
                Err(Rule::TokenHeader),
                "{kid}"
            );
        }
    }

    #[test]
    fn typ_may_be_jwt_or_at_jwt_in_any_case() {
        for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"] {
            let header = format!(r#"{{"alg":"RS256","kid":"k","typ":"{typ}"}}"#);
            assert_eq!(parse(&header), Ok("k".into()), "{typ}");
        }
    }

    #[test]
    fn anything_but_three_base64url_parts_is_refused() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"k"}"#);
        let accepts = |token: &str| {
            UnverifiedToken::parse(token, &mut FirstBroken).map_err(|r| r.rule()).is_ok()
        };
        assert!(accepts(&format!("{header}.e30.AA")));
        for token in [
            "",
            ".",
            "..",
            "a.b",
            &format!("{header}.e30."),
            &format!("{header}..AA"),
            &format!(".{header}.AA"),
            &format!("{header}.e30.AA.AA"),
            &format!("{header}.e30.A A"),
            &format!("{header}.e30.AA=="),
            &format!("{header}=.e30.AA"),
            &format!("{header}.e30.A+"),
            &format!("{header}.e30.A\u{e9}"),
            // Unused bits that are not zero: another encoding of the same header.
            &format!("{}.e30.AA", "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifR"),
        ] {
            assert!(!accepts(token), "{token}");
        }
    }

    #[test]
    fn an_encrypted_token_is_named_as_one() {
        for (token, encrypted) in [("a.b.c.d.e", true), ("a.b.c.d", false), ("a.b..d.e.f", false)] {
            let rejection = UnverifiedToken::parse(token, &mut FirstBroken).err().unwrap();
            assert_eq!(rejection.rule(), Rule::TokenFormat, "{token}");
            assert_eq!(rejection.detail().contains("encrypted"), encrypted, "{token}");
        }
    }

    #[test]
    fn a_token_of_more_than_16384_bytes_is_refused() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"k"}"#);
        for (length, accepted) in [(TOKEN_LIMIT, true), (TOKEN_LIMIT + 1, false)] {
            let payload = "A".repeat(length - header.len() - ".".len() - ".AA".len());
            let token = format!("{header}.{payload}.AA");
            assert_eq!(
                UnverifiedToken::parse(&token, &mut FirstBroken).is_ok(),
                accepted,
                "{length}"
            );
            let headers = HeaderMap::from_iter([(
                header::AUTHORIZATION,
                format!("Bearer {token}").parse().unwrap(),
            )]);
            assert_eq!(bearer(&headers).is_ok(), accepted, "{length}");
        }
    }
}
