//! Runs the conformance vectors in `vectors/`. Each case runs three times: with a new validator,
//! again with the same validator, and without a cache.

use std::collections::HashSet;

use poem_entra::Rule;
use serde::Deserialize;
use serde_json::json;

use crate::support::vectors::{Case, Expect, Runner, Verdict, Verdicts, groups};

#[tokio::test]
async fn every_vector_has_its_outcome_with_and_without_the_cache() {
    let runner = Runner::new();
    let mut failures = Vec::new();
    for (file, group) in groups() {
        for case in &group.cases {
            if let Err(problem) = runner.run(case, group.now).await {
                failures.push(format!("{file}: {}: {problem}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_vectors_have_unique_names_and_break_every_rule() {
    let groups = groups();
    let cases: Vec<_> = groups.values().flat_map(|group| &group.cases).collect();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut names = HashSet::new();
    for case in &cases {
        assert!(names.insert(&case.name), "two cases are named {:?}", case.name);
    }
    let broken: HashSet<_> = cases
        .iter()
        .filter_map(|case| match &case.expect {
            Expect::Refused(refused) => Some(refused.rule.as_str()),
            _ => None,
        })
        .collect();
    let all: HashSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(broken, all);
}

#[test]
fn verdicts_json_says_for_each_vector_what_microsoft_answered_or_that_it_is_unjudged() {
    let mut verdicts = Verdicts::read().verdicts;
    for (file, group) in groups() {
        let verdicts = verdicts.remove(&file).unwrap_or_default();
        let judged: Vec<_> = verdicts.iter().map(Verdict::name).collect();
        let cases: Vec<_> = group.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(judged, cases, "the names in verdicts.json, and those in {file}");
        for (verdict, case) in verdicts.iter().zip(&group.cases) {
            assert_eq!(verdict.check(case.expect.is_accepted()), Ok(()), "{}", case.name);
        }
    }
    assert!(verdicts.is_empty(), "files without vectors: {:?}", verdicts.keys());
}

#[test]
fn an_unknown_field_in_a_vector_is_an_error() {
    let case = json!({
        "name": "n", "world": "w", "settings": {}, "discovery": {}, "jwks": [], "keys_url": "u",
        "policy": "p", "revoked": [{ "tenant": "t", "oid": "o", "not_before": 1 }],
        "token": {
            "header": { "base": "b", "replace": [["old", "new"]] }, "payload": { "bytes": "AA" },
            "encoding": { "header": "padded" }, "form": "f",
            "signature": { "alg": "RS256", "key": "k", "change": [{ "drop": 1 }] },
        },
        "expect": { "refused": { "rule": "claims", "code": "c", "status": 401 } },
    });
    assert!(Case::deserialize(&case).is_ok());
    for place in [
        "",
        "/token",
        "/token/header",
        "/token/payload",
        "/token/encoding",
        "/token/signature",
        "/token/signature/change/0",
        "/revoked/0",
        "/expect",
        "/expect/refused",
    ] {
        let mut case = case.clone();
        case.pointer_mut(place).unwrap()["unknown"] = true.into();
        assert!(Case::deserialize(&case).is_err(), "{place}");
    }
}
