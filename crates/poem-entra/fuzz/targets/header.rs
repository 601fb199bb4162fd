//! The JSON in front of a token, which is read before any signature is checked (rule P2).
#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use poem_entra::Rule;
use poem_entra_fuzz::validate;

fuzz_target!(|data: &[u8]| {
    let token = format!("{}.e30.{}", URL_SAFE_NO_PAD.encode(data), "A".repeat(342));
    let rejection = validate(&token).expect_err("a token that nobody signed is accepted");
    // The payload is an object without claims: nobody may have looked at it.
    assert!(
        matches!(rejection.rule(), Rule::P1 | Rule::P2 | Rule::P3 | Rule::P4 | Rule::V8),
        "{rejection}"
    );
});
