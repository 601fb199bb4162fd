//! Tokens with a header or an encoding on which the validators differ.

use poem_entra::Rule;

use crate::support::judges::{
    Row,
    Verdict::{Accepted, Refused},
};

use super::OTHER;

pub(super) const ROWS: &[Row] = &[
    Row {
        token: "`nonce` in the header, as in tokens for Microsoft Graph",
        ours: Some(Rule::AccessToken),
        jose: Accepted,
        fastapi: Accepted,
        why: "Only Graph can verify its own tokens; poem-entra says so before it checks the signature.",
        make: |mint| mint.header(r#"{"typ":"JWT","alg":"RS256","kid":"KID","nonce":"n"}"#),
    },
    Row {
        token: "`typ` is `dpop+jwt`",
        ours: Some(Rule::TokenHeader),
        jose: Accepted,
        fastapi: Accepted,
        why: "A token of one kind must not pass for another (RFC 8725, section 3.11); jose \
              compares `typ` only if an expected value is set.",
        make: |mint| mint.header(r#"{"typ":"dpop+jwt","alg":"RS256","kid":"KID"}"#),
    },
    Row {
        token: "`crit` names `b64`, and `b64` is `true`",
        ours: Some(Rule::TokenHeader),
        jose: Accepted,
        fastapi: Accepted,
        why: "The others support this extension (RFC 7797); Entra's tokens never use extensions.",
        make: |mint| {
            mint.header(r#"{"typ":"JWT","alg":"RS256","kid":"KID","crit":["b64"],"b64":true}"#)
        },
    },
    Row {
        token: "a duplicate header parameter",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "RFC 7515, section 4, lets a parser reject the token, as poem-entra does, or use the \
              last one, as the others do.",
        make: |mint| mint.header(r#"{"typ":"JWT","alg":"none","alg":"RS256","kid":"KID"}"#),
    },
    Row {
        token: "a duplicate claim, with an escape in one of the names",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "RFC 7519, section 4, lets a parser reject the token, as poem-entra does, or use the \
              last one, as the others do.",
        make: |mint| mint.payload_starting(&format!(r#""o\u0069d":"{OTHER}","#)),
    },
    Row {
        token: "a payload that begins with a byte order mark",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "JSON must not begin with one (RFC 8259, section 8.1, lets a parser ignore it, as the \
              others do).",
        make: |mint| mint.raw_payload(&format!("\u{feff}{}", mint.payload())),
    },
    Row {
        token: "a claim with the value `NaN`",
        ours: Some(Rule::TokenFormat),
        jose: Refused,
        fastapi: Accepted,
        why: "JSON has no such number; Python's parser accepts it.",
        make: |mint| mint.payload_starting(r#""x":NaN,"#),
    },
    Row {
        token: "a signature whose unused last bits are not zero",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Refused,
        why: "A signature must have only one encoding (RFC 4648, section 3.5); jose ignores these \
              bits.",
        make: |mint| {
            let token = mint.claims(|_| {});
            let (start, last) = token.split_at(token.len() - 1);
            // 256 bytes leave four unused bits: A, Q, g or w, and each has 15 neighbours.
            let next = char::from(last.as_bytes()[0] + 1);
            format!("{start}{next}")
        },
    },
    Row {
        token: "a signature with padding (`=`)",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "A JWS has no padding (RFC 7515, section 2); the others strip it.",
        make: |mint| format!("{}==", mint.claims(|_| {})),
    },
    Row {
        token: "longer than 16,384 bytes",
        ours: Some(Rule::TokenFormat),
        jose: Accepted,
        fastapi: Accepted,
        why: "Entra's tokens are shorter; the others leave the limit to the server.",
        make: |mint| mint.claims(|claims| claims["name"] = "x".repeat(16_384).into()),
    },
];
