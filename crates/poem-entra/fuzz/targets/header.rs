//! Fuzzes the header of a token, which is parsed before the signature is verified.
#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use poem_entra::Rule;
use poem_entra_fuzz::validate;

fuzz_target!(|data: &[u8]| {
    let token = format!("{}.e30.{}", URL_SAFE_NO_PAD.encode(data), "A".repeat(342));
    let rejection = validate(&token).expect_err("an unsigned token is accepted");
    // The payload has no claims, so a rule about claims would be broken if they were checked.
    assert!(
        matches!(
            rejection.rule(),
            Rule::TokenFormat
                | Rule::TokenHeader
                | Rule::SigningKey
                | Rule::Signature
                | Rule::AccessToken
        ),
        "{rejection}"
    );
});
