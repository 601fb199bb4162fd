//! Fuzzes the discovery document of each kind of directory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poem_entra::fuzzing;

const TENANT: &str = "11111111-1111-4111-8111-111111111111";

fuzz_target!(|data: &[u8]| {
    for instance in ["https://login.microsoftonline.com", "https://login.example"] {
        for directory in [TENANT, "contoso.example", "common", "organizations", "consumers"] {
            let Some(jwks_uri) = fuzzing::discovery(instance, directory, data) else { continue };
            assert!(jwks_uri.starts_with("https://"), "{instance}/{directory} names {jwks_uri}");
        }
    }
});
