//! The payload behind a good signature (rules P2, V1, V6 and V7).
#![no_main]

use libfuzzer_sys::fuzz_target;
use poem_entra::{Principal, fuzzing};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let members = fuzzing::json(data);
    if let Some(members) = &members {
        // Where our reader reads, it reads what everybody else reads.
        let other: Value = serde_json::from_slice(data).expect("serde_json does not read it");
        assert_eq!(Value::Object(members.clone()), other);
    }
    let Some(principal) = fuzzing::claims(data) else { return };
    let members = members.expect("a principal from what is not an object");
    let tid = members["tid"].as_str().expect("a principal of no tenant");
    assert!(principal.tenant().to_string().eq_ignore_ascii_case(tid));
    assert_eq!(members["sub"], principal.subject());
    match principal {
        // An app whose token has scopes is an app without them, and every policy refuses it.
        Principal::App(_) => assert!(principal.scopes().is_empty()),
        Principal::User(_) => {
            assert!(!principal.scopes().is_empty() || !principal.roles().is_empty());
        }
    }
});
