//! The token cache: which tokens have an entry, and for how long.

use std::time::Duration;

use http::{HeaderMap, header};
use poem_entra::{Policy, Refusal, Requirement, Rule, User};
use serde_json::json;

use crate::support::{INSTANCE, TENANT, World, jwk, token, token_of, v2_issuer};

const HOUR: u64 = 3_600;

#[tokio::test]
async fn a_cached_token_expires() {
    let world = World::new();
    let token = token(&world.claims());
    world.validator.validate(&token).await.unwrap();
    assert_eq!(world.validator.cached_tokens(), 1);
    world.clock.advance(HOUR + 60);
    world.validator.validate(&token).await.unwrap();
    world.clock.advance(1);
    let rejection = world.validator.validate(&token).await.unwrap_err();
    assert_eq!(rejection.rule(), Rule::Lifetime);
    assert_eq!(world.validator.cached_tokens(), 0, "the stale entry is not removed");
}

#[tokio::test]
async fn a_cached_token_is_refused_before_its_nbf() {
    for name in ["nbf", "iat"] {
        let world = World::new();
        let mut claims = world.claims();
        claims[name] = (claims[name].as_u64().unwrap() + 60).into();
        let token = token(&claims);
        world.validator.validate(&token).await.unwrap();
        world.clock.set_back(1);
        let rejection = world.validator.validate(&token).await.unwrap_err();
        assert_eq!(rejection.rule(), Rule::Lifetime, "{name}");
    }
}

#[tokio::test]
async fn a_cached_token_is_refused_once_its_key_is_not_trusted() {
    let world = World::with(|settings| settings.key_retention = Duration::ZERO);
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None), jwk("b", 1, None)]);
    let mut claims = world.claims();
    claims["exp"] = (claims["iat"].as_u64().unwrap() + 10 * HOUR).into();
    let (by_a, by_b) = (token_of("a", 0, &claims), token_of("b", 1, &claims));
    world.validator.validate(&by_a).await.unwrap();
    world.validator.validate(&by_b).await.unwrap();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, None)]);
    refresh(&world, &by_a).await;
    world.validator.validate(&by_a).await.unwrap();
    assert_eq!(world.validator.validate(&by_b).await.unwrap_err().rule(), Rule::SigningKey);
}

#[tokio::test]
async fn a_cached_token_is_refused_once_its_kid_names_another_key() {
    let world = World::new();
    let token = token(&world.claims());
    world.validator.validate(&token).await.unwrap();
    world.documents.publish_keys(INSTANCE, &[jwk("a", 1, None)]);
    refresh(&world, &token).await;
    assert_eq!(world.validator.validate(&token).await.unwrap_err().rule(), Rule::Signature);
}

#[tokio::test]
async fn a_cached_token_is_refused_once_its_key_has_another_issuer() {
    let world = World::new();
    let token = token(&world.claims());
    world.validator.validate(&token).await.unwrap();
    let other = v2_issuer(INSTANCE, "22222222-2222-4222-8222-222222222222");
    world.documents.publish_keys(INSTANCE, &[jwk("a", 0, Some(&other))]);
    refresh(&world, &token).await;
    assert_eq!(world.validator.validate(&token).await.unwrap_err().rule(), Rule::KeyIssuer);
}

#[tokio::test]
async fn a_cached_token_is_refused_once_the_issuer_changes() {
    let instance = "https://login.example";
    let world = World::with(|settings| settings.instance = instance.into());
    let mut claims = world.claims();
    claims["iss"] = v2_issuer(instance, TENANT).into();
    let token = token(&claims);
    world.validator.validate(&token).await.unwrap();
    world.documents.publish(instance, TENANT, &format!("https://moved.example/{TENANT}/v2.0"));
    refresh(&world, &token).await;
    assert_eq!(world.validator.validate(&token).await.unwrap_err().rule(), Rule::Issuer);
}

#[tokio::test]
async fn the_number_of_cache_entries_is_bounded() {
    for entries in [2, 16, 64] {
        let world = World::with(|settings| settings.token_cache_entries = entries);
        let mut claims = world.claims();
        for number in 0..200 {
            claims["uti"] = number.into();
            world.validator.validate(&token(&claims)).await.unwrap();
            let cached = world.validator.cached_tokens();
            assert!(cached <= entries, "{cached} of {entries}");
        }
        let cached = world.validator.cached_tokens();
        assert!(cached > 3 * entries / 4, "only {cached} of {entries}");
    }
}

/// Each token is 8,000 to 9,000 bytes large, so five fit into a cache for 16 tokens of 3,072 bytes.
#[tokio::test]
async fn a_large_token_takes_the_place_of_several_small_ones() {
    let (long, long_kid) = ("x".repeat(8_000), "k".repeat(8_000));
    let mut shapes: Vec<_> = ["sub", "scp"].map(|name| ("a", name, json!(long))).into();
    for name in ["roles", "groups", "acrs", "xms_cc"] {
        shapes.push(("a", name, (0..250).map(|number| format!("{number:08}")).collect()));
    }
    shapes.push((&long_kid, "sub", json!("short")));
    for (kid, name, value) in shapes {
        let world = World::with(|settings| settings.token_cache_entries = 16);
        world.documents.publish_keys(INSTANCE, &[jwk(kid, 0, None)]);
        let mut claims = world.claims();
        claims[name] = value;
        for number in 0..20 {
            claims["uti"] = number.into();
            world.validator.validate(&token_of(kid, 0, &claims)).await.unwrap();
        }
        let cached = world.validator.cached_tokens();
        assert_eq!(cached, 5, "a large {name}, key {kid:.9}");
    }
}

#[tokio::test]
async fn refused_tokens_are_not_cached() {
    let world = World::new();
    for change in [json!({ "aud": "other" }), json!({ "ver": "3.0" }), json!({ "exp": 1 })] {
        let mut claims = world.claims();
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        world.validator.validate(&token(&claims)).await.unwrap_err();
    }
    world.validator.validate(&token_of("a", 1, &world.claims())).await.unwrap_err();
    world.validator.validate("a.b.c").await.unwrap_err();
    assert_eq!(world.validator.cached_tokens(), 0);
}

#[tokio::test]
async fn a_token_with_a_changed_byte_does_not_hit_the_cache() {
    let world = World::new();
    let good = token(&world.claims());
    world.validator.validate(&good).await.unwrap();
    for position in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(world.validator.validate(&changed).await.is_err(), "byte {position}");
    }
    assert_eq!(world.validator.cached_tokens(), 1);
}

#[tokio::test]
async fn policies_are_evaluated_for_cached_tokens_too() {
    struct Member;
    impl Policy for Member {
        type Caller = User;
        const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]);
    }
    struct Admin;
    impl Policy for Admin {
        type Caller = User;
        const REQUIRES: Requirement = Member::REQUIRES.and_role(&["Admin"]);
    }
    let world = World::new();
    let bearer = format!("Bearer {}", token(&world.claims())).parse().unwrap();
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]);
    for _ in 0..2 {
        world.validator.authorize::<Member>(&headers).await.unwrap();
        let rejection = world.validator.authorize::<Admin>(&headers).await.unwrap_err();
        assert_eq!(rejection.code(), "insufficient_role");
    }
    assert_eq!(world.validator.cached_tokens(), 1);
}

#[tokio::test]
async fn the_cache_can_be_turned_off() {
    let world = World::with(|settings| settings.token_cache_entries = 0);
    let token = token(&world.claims());
    world.validator.validate(&token).await.unwrap();
    world.validator.validate(&token).await.unwrap();
    assert_eq!(world.validator.cached_tokens(), 0);
}

#[tokio::test]
async fn a_cached_token_is_refused_once_no_key_is_trusted() {
    let world = World::new();
    let mut claims = world.claims();
    claims["exp"] = (claims["iat"].as_u64().unwrap() + 100 * HOUR).into();
    let token = token(&claims);
    world.validator.validate(&token).await.unwrap();
    world.documents.go_down();
    world.clock.advance(24 * HOUR + 1);
    let rejection = world.validator.validate(&token).await.unwrap_err();
    assert!(matches!(rejection.refusal(), Refusal::KeysUnavailable(_)), "{rejection}");
}

/// Advances the clock by an hour and waits for the refresh that the next request starts.
async fn refresh(world: &World, token: &str) {
    let before = world.documents.keys_fetched();
    world.clock.advance(HOUR);
    let _ = world.validator.validate(token).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(world.documents.keys_fetched() > before, "there was no refresh");
}
