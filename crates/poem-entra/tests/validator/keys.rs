//! Rules C3, K1 to K3 and K5: which keys are trusted when.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem_entra::{Readiness, Refusal, Rejection, Rule};
use serde_json::json;

use crate::support::{INSTANCE, TENANT, World, jwk, token_of, v2_issuer};

const HOUR: u64 = 3_600;

impl World {
    /// The outcome of a good token signed with this key.
    async fn with_key(&self, kid: &str, number: usize) -> Result<(), Rejection> {
        let token = token_of(kid, number, &self.claims());
        self.validator.validate(&token).await.map(|_| ())
    }

    /// Waits until a refresh that runs in the background is over.
    async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass and a known key be used, which starts what is due.
    async fn pass(&self, seconds: u64) {
        self.clock.advance(seconds);
        let _ = self.with_key("a", 0).await;
        self.settle().await;
    }
}

#[tokio::test]
async fn the_first_uses_wait_for_one_shared_fetch() {
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
    assert_eq!(world.documents.keys_fetched(), 1);
}

#[tokio::test]
async fn the_refresh_comes_after_an_hour_and_nobody_waits_for_it() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    world.pass(HOUR * 9 / 10 - 1).await;
    assert_eq!(world.documents.keys_fetched(), 1, "too early");
    let gate = world.documents.close_gate();
    world.clock.advance(HOUR / 10 + 1);
    world.with_key("a", 0).await.unwrap();
    world.with_key("a", 0).await.unwrap();
    gate.add_permits(2);
    world.settle().await;
    assert_eq!(world.documents.keys_fetched(), 2);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_end_the_fetch_for_the_others() {
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
async fn a_new_key_is_fetched_when_it_is_first_seen() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    world.with_key("b", 1).await.unwrap();
    assert_eq!(world.documents.keys_fetched(), 2);
}

#[tokio::test]
async fn ten_thousand_unknown_keys_cause_one_fetch() {
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
async fn unknown_keys_at_once_share_a_fetch_and_known_keys_do_not_wait() {
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
async fn a_key_published_while_a_refresh_was_under_way_is_found_all_the_same() {
    let world = Arc::new(World::new());
    world.with_key("a", 0).await.unwrap();
    let gate = world.documents.close_gate();
    world.clock.advance(HOUR);
    world.with_key("a", 0).await.unwrap();
    gate.add_permits(1);
    world.settle().await;
    assert_eq!(world.documents.keys_fetched(), 2, "the old key set is on its way");
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
async fn the_next_forced_refresh_is_allowed_after_the_floor() {
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
async fn a_key_stays_trusted_for_its_retention_after_it_was_last_published() {
    let world = World::new();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    world.with_key("b", 1).await.unwrap();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None)]);
    // The first hour ends with the refresh that finds it gone; retention counts from there.
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
async fn a_key_that_comes_back_counts_from_then_on() {
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
async fn a_failed_empty_or_malformed_answer_changes_nothing() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    let keys = format!("{INSTANCE}/keys");
    let too_many: Vec<_> = (0..65).map(|n| jwk(&n.to_string(), 0, None)).collect();
    for answer in [
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
        world.documents.set(&keys, answer);
        world.pass(HOUR).await;
        assert!(world.documents.keys_fetched() > before, "nobody asked");
        world.with_key("a", 0).await.unwrap();
        assert_eq!(world.validator.readiness(), Readiness::Ready);
    }
}

#[tokio::test]
async fn keys_serve_through_an_outage_until_their_retention_ends() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    let documents = world.documents.go_down();
    for _ in 0..23 {
        world.pass(HOUR).await;
        world.with_key("a", 0).await.unwrap();
        assert_eq!(world.validator.readiness(), Readiness::Ready);
    }
    // An unknown key may be a good one: nobody can say now.
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
async fn after_a_failure_the_next_try_comes_soon_and_then_later() {
    let world = World::new();
    let documents = world.documents.go_down();
    let mut asked = Vec::new();
    for second in 0..200 {
        let before = world.documents.discovery_fetched();
        let _ = world.with_key("a", 0).await;
        if world.documents.discovery_fetched() > before {
            asked.push(second);
        }
        world.clock.advance(1);
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    world.documents.come_back(documents);
    world.clock.advance(60);
    world.with_key("a", 0).await.unwrap();
}

#[tokio::test]
async fn without_retention_a_key_goes_with_the_first_refresh_that_lacks_it() {
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
async fn a_discovery_document_of_another_authority_is_not_believed() {
    let world = World::new();
    world.documents.publish(INSTANCE, TENANT, &v2_issuer("https://evil.example", TENANT));
    let rejection = world.with_key("a", 0).await.unwrap_err();
    assert!(matches!(rejection.refusal(), Refusal::KeysUnavailable(_)), "{rejection}");
    assert_eq!(world.validator.readiness(), Readiness::NoKeys);
    world.documents.publish(INSTANCE, TENANT, &v2_issuer(INSTANCE, TENANT));
    world.clock.advance(60);
    world.with_key("a", 0).await.unwrap();
}
