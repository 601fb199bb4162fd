//! Fuzzes the value of the `Authorization` header.
#![no_main]

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;
use poem_entra::token::{TOKEN_LIMIT, bearer};
use poem_entra_fuzz::validate;

fuzz_target!(|data: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let Ok(token) = bearer(&headers) else { return };
    assert!((1..=TOKEN_LIMIT).contains(&token.len()), "a token of {} bytes", token.len());
    assert!(validate(token).is_err(), "an unsigned token is accepted");
});
