//! Fuzzes the payload of a token whose signature is valid.
#![no_main]

use libfuzzer_sys::fuzz_target;
use poem_entra::{Principal, fuzzing};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let members = fuzzing::json(data);
    if let Some(members) = &members {
        // If our parser accepts the payload, other parsers must read the same members.
        let other: Value = serde_json::from_slice(data).expect("serde_json refuses the payload");
        assert_eq!(Value::Object(members.clone()), other);
    }
    let Some(principal) = fuzzing::claims(data) else { return };
    let members = members.expect("a principal from a payload that is not an object");
    let tid = members["tid"].as_str().expect("a principal without a tenant");
    assert!(principal.tenant().to_string().eq_ignore_ascii_case(tid));
    assert_eq!(members["sub"], principal.subject());
    match principal {
        // Scopes in an app's token are ignored.
        Principal::App(_) => assert!(principal.scopes().is_empty()),
        Principal::User(_) => {
            assert!(!principal.scopes().is_empty() || !principal.roles().is_empty());
        }
    }
});
