//! Fuzzes the JWK set, and verifies a signature with each of its keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poem_entra::fuzzing;

fuzz_target!(|data: &[u8]| {
    let Some(usable) = fuzzing::key_set(data) else { return };
    assert!((1..=64).contains(&usable), "{usable} keys");
});
