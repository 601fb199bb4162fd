//! When the keys are fetched, and how long each key is trusted.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem_entra::{Readiness, Refusal, Rule};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{INSTANCE, TENANT, World, jwk, v2_issuer};

const HOUR: u64 = 3_600;

impl World {
    /// Advances the clock and uses a known key, which starts a refresh if one is due.
    async fn pass(&self, seconds: u64) {
        self.clock.advance(seconds);
        let _ = self.with_key("a", 0).await;
        self.settle().await;
    }
}

#[tokio::test]
async fn the_first_requests_share_one_fetch() {
    let world = Arc::new(World::new());
    let gate = world.documents.close_gate();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.with_key("a", 0).await })
        })
        .collect();
    world.settle().await;
    assert!(waiting.iter().all(|task| !task.is_finished()));
    gate.add_permits(2);
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    assert_eq!((world.documents.discovery_fetched(), world.documents.keys_fetched()), (1, 1));
}

#[tokio::test]
async fn a_refresh_starts_after_an_hour_in_the_background() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    world.pass(HOUR * 9 / 10 - 1).await;
    assert_eq!(world.documents.keys_fetched(), 1, "the refresh is too early");
    let gate = world.documents.close_gate();
    world.clock.advance(HOUR / 10 + 1);
    world.with_key("a", 0).await.unwrap();
    world.with_key("a", 0).await.unwrap();
    gate.add_permits(2);
    world.settle().await;
    assert_eq!(world.documents.keys_fetched(), 2);
}

#[tokio::test]
async fn a_client_that_disconnects_does_not_end_a_shared_fetch() {
    let world = Arc::new(World::new());
    let gate = world.documents.close_gate();
    let start = || {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.with_key("a", 0).await })
    };
    let (first, second) = (start(), start());
    world.settle().await;
    first.abort();
    gate.add_permits(2);
    second.await.unwrap().unwrap();
    assert_eq!(world.documents.keys_fetched(), 1);
}

#[tokio::test]
async fn an_unknown_kid_causes_a_fetch() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    world.with_key("b", 1).await.unwrap();
    assert_eq!(world.documents.keys_fetched(), 2);
}

#[tokio::test]
async fn ten_thousand_unknown_kids_cause_one_fetch() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    for number in 0..10_000 {
        let header = format!(r#"{{"alg":"RS256","kid":"random-{number}"}}"#);
        let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
        let rejection = world.validator.validate(&token).await.unwrap_err();
        assert_eq!(rejection.rule(), Rule::SigningKey);
        assert_eq!(*rejection.refusal(), Refusal::InvalidToken);
    }
    assert_eq!(world.documents.keys_fetched(), 2);
}

#[tokio::test]
async fn unknown_kids_share_a_fetch_and_known_keys_do_not_wait() {
    let world = Arc::new(World::new());
    world.with_key("a", 0).await.unwrap();
    let gate = world.documents.close_gate();
    let unknown: Vec<_> = (0..100)
        .map(|number| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.with_key(&format!("random-{number}"), 1).await })
        })
        .collect();
    world.settle().await;
    world.with_key("a", 0).await.unwrap();
    assert!(unknown.iter().all(|task| !task.is_finished()));
    gate.add_permits(2);
    for task in unknown {
        assert_eq!(task.await.unwrap().unwrap_err().rule(), Rule::SigningKey);
    }
    assert_eq!(world.documents.keys_fetched(), 2);
}

#[tokio::test]
async fn a_key_that_is_published_during_a_refresh_is_found() {
    let world = Arc::new(World::new());
    world.with_key("a", 0).await.unwrap();
    let gate = world.documents.close_gate();
    world.clock.advance(HOUR);
    world.with_key("a", 0).await.unwrap();
    gate.add_permits(1);
    world.settle().await;
    assert_eq!(world.documents.keys_fetched(), 2, "the refresh has not read the old key set");
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    let new = {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.with_key("b", 1).await })
    };
    world.settle().await;
    gate.add_permits(3);
    new.await.unwrap().unwrap();
    assert_eq!(world.documents.keys_fetched(), 3);
}

#[tokio::test]
async fn an_unknown_kid_causes_no_second_fetch_within_five_minutes() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    world.with_key("random", 1).await.unwrap_err();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    world.clock.advance(299);
    world.with_key("b", 1).await.unwrap_err();
    assert_eq!(world.documents.keys_fetched(), 2);
    world.clock.advance(1);
    world.with_key("b", 1).await.unwrap();
    assert_eq!(world.documents.keys_fetched(), 3);
}

#[tokio::test]
async fn a_missing_key_stays_trusted_for_its_retention() {
    let world = World::new();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    world.with_key("b", 1).await.unwrap();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None)]);
    // The key is missing for the first time in the refresh after an hour. Its retention starts
    // then.
    for _ in 0..24 {
        world.pass(HOUR).await;
        world.with_key("b", 1).await.unwrap();
    }
    assert!(world.documents.keys_fetched() >= 24, "{}", world.documents.keys_fetched());
    world.pass(HOUR - 1).await;
    world.with_key("b", 1).await.unwrap();
    world.pass(2).await;
    let rejection = world.with_key("b", 1).await.unwrap_err();
    assert_eq!(rejection.rule(), Rule::SigningKey, "{rejection}");
    world.with_key("a", 0).await.unwrap();
}

#[tokio::test]
async fn the_retention_of_a_key_that_returns_starts_again() {
    let world = World::new();
    let both = [jwk("a", 0, None), jwk("b", 1, None)];
    for _ in 0..5 {
        world.documents.publish_keys(INSTANCE, &both);
        world.pass(HOUR).await;
        world.with_key("b", 1).await.unwrap();
        world.documents.publish_keys(INSTANCE, &both[..1]);
        for _ in 0..20 {
            world.pass(HOUR).await;
            world.with_key("b", 1).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_empty_or_malformed_key_set_does_not_replace_the_keys() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    let keys = format!("{INSTANCE}/keys");
    let too_many: Vec<_> = (0..65).map(|n| jwk(&n.to_string(), 0, None)).collect();
    for body in [
        "",
        "{",
        "[]",
        r#"{"keys":{}}"#,
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"EC","kid":"a"}]}"#,
        r#"{"keys":[null]}"#,
        &json!({ "keys": too_many }).to_string(),
    ] {
        let before = world.documents.keys_fetched();
        world.documents.set(&keys, body);
        world.pass(HOUR).await;
        assert!(world.documents.keys_fetched() > before, "there was no refresh");
        world.with_key("a", 0).await.unwrap();
        assert_eq!(world.validator.readiness(), Readiness::Ready);
    }
}

#[tokio::test]
async fn keys_stay_trusted_in_an_outage_until_their_retention_ends() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    let documents = world.documents.go_down();
    for _ in 0..23 {
        world.pass(HOUR).await;
        world.with_key("a", 0).await.unwrap();
        assert_eq!(world.validator.readiness(), Readiness::Ready);
    }
    // An unknown key could be a new one, which cannot be checked during the outage.
    let rejection = world.with_key("b", 1).await.unwrap_err();
    assert!(matches!(rejection.refusal(), Refusal::KeysUnavailable(_)), "{rejection}");

    world.pass(HOUR + 1).await;
    let rejection = world.with_key("a", 0).await.unwrap_err();
    assert!(matches!(rejection.refusal(), Refusal::KeysUnavailable(1..=60)), "{rejection}");
    assert_eq!(world.validator.readiness(), Readiness::NoKeys);

    world.documents.come_back(documents);
    world.clock.advance(60);
    world.with_key("a", 0).await.unwrap();
    assert_eq!(world.validator.readiness(), Readiness::Ready);
}

#[tokio::test]
async fn failed_fetches_are_retried_with_back_off() {
    let world = World::new();
    let documents = world.documents.go_down();
    let (mut fetches, mut retries) = (Vec::new(), Vec::new());
    for second in 0..200 {
        let before = world.documents.discovery_fetched();
        let rejection = world.with_key("a", 0).await.unwrap_err();
        if world.documents.discovery_fetched() > before {
            fetches.push(second);
        }
        let Refusal::KeysUnavailable(seconds) = rejection.refusal() else { panic!("{rejection}") };
        retries.push(second + seconds);
        world.clock.advance(1);
    }
    assert_eq!(fetches, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    retries.dedup();
    assert_eq!(retries, [1, 3, 7, 15, 31, 63, 123, 183, 243], "the ends of Retry-After");
    world.documents.come_back(documents);
    world.clock.advance(60);
    world.with_key("a", 0).await.unwrap();
}

#[tokio::test]
async fn a_request_fetches_again_exactly_when_retry_after_allows_it() {
    let world = World::new();
    let documents = world.documents.go_down_for(90);
    let rejection = world.with_key("a", 0).await.unwrap_err();
    assert_eq!(*rejection.refusal(), Refusal::KeysUnavailable(90));
    world.documents.come_back(documents);
    world.clock.advance(89);
    let rejection = world.with_key("a", 0).await.unwrap_err();
    assert_eq!(*rejection.refusal(), Refusal::KeysUnavailable(1));
    world.clock.advance(1);
    world.with_key("a", 0).await.unwrap();
}

#[tokio::test]
async fn without_retention_a_missing_key_is_refused_at_once() {
    let world = World::with(|settings| settings.key_retention = Duration::ZERO);
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    world.with_key("b", 1).await.unwrap();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None)]);
    world.with_key("b", 1).await.unwrap();
    world.pass(HOUR).await;
    assert_eq!(world.with_key("b", 1).await.unwrap_err().rule(), Rule::SigningKey);
    world.with_key("a", 0).await.unwrap();
}

#[tokio::test]
async fn a_discovery_document_of_another_authority_is_refused() {
    let world = World::new();
    world.documents.publish(INSTANCE, TENANT, &v2_issuer("https://evil.example", TENANT));
    let rejection = world.with_key("a", 0).await.unwrap_err();
    assert!(matches!(rejection.refusal(), Refusal::KeysUnavailable(_)), "{rejection}");
    assert_eq!(world.validator.readiness(), Readiness::NoKeys);
    world.documents.publish(INSTANCE, TENANT, &v2_issuer(INSTANCE, TENANT));
    world.clock.advance(60);
    world.with_key("a", 0).await.unwrap();
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_however_long_or_short_the_floor_is() {
    for floor in [Duration::MAX, Duration::from_millis(1)] {
        let world = World::with(|settings| settings.key_refresh_floor = floor);
        world.with_key("a", 0).await.unwrap();
        for kid in ["x", "y", "z"] {
            world.with_key(kid, 1).await.unwrap_err();
        }
        // The first fetch, and the one that an unknown key may cause.
        assert_eq!(world.documents.keys_fetched(), 2, "{floor:?}");
    }
}

#[tokio::test]
async fn without_a_floor_each_unknown_kid_causes_one_fetch() {
    let world = World::with(|settings| settings.key_refresh_floor = Duration::ZERO);
    world.with_key("a", 0).await.unwrap();
    for fetches in 2..5 {
        let rejection = world.with_key("random", 1).await.unwrap_err();
        assert_eq!(rejection.rule(), Rule::SigningKey);
        assert_eq!(world.documents.keys_fetched(), fetches);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_at_most_five_seconds_for_a_refresh() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    let _closed = world.documents.close_gate();
    let start = Instant::now();
    let rejection = world.with_key("b", 1).await.unwrap_err();
    assert_eq!(*rejection.refusal(), Refusal::KeysUnavailable(60));
    assert_eq!(start.elapsed().as_secs(), 5);
    world.with_key("a", 0).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5, "a known key does not wait");
}

#[tokio::test]
async fn warming_up_fetches_the_keys_once() {
    let world = World::new();
    for _ in 0..2 {
        assert_eq!(world.validator.warm_up().await, Readiness::Ready);
        assert_eq!(world.documents.keys_fetched(), 1);
    }
    world.with_key("a", 0).await.unwrap();
    assert_eq!(world.documents.keys_fetched(), 1);
}
