//! Revoked callers: from when on, for how long, and how many.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use http::{HeaderMap, header};
use poem_entra::{
    Clock, ObjectId, Policy, Requirement, RevocationList, RevokeError, Rule, Settings, TenantId,
    User, Validator, revocation::REVOCATION_LIMIT, transport::Transport,
};
use serde_json::json;

use crate::support::{API, OTHER_TENANT, TENANT, World, token};

const PERSON: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const HOUR: u64 = 3_600;
const LEEWAY: u64 = 60;

#[tokio::test]
async fn a_cached_token_is_refused_as_soon_as_its_caller_is_revoked() {
    let world = World::new();
    let old = token(&world.claims());
    world.validator.validate(&old).await.unwrap();
    assert_eq!(world.validator.cached_tokens(), 1);
    world.clock.advance(10);
    let now = world.clock.now();
    world.validator.revoke(tenant(TENANT), person(), now).unwrap();
    for _ in 0..2 {
        let rejection = world.validator.validate(&old).await.unwrap_err();
        assert_eq!((rejection.rule(), rejection.code()), (Rule::NotRevoked, "invalid_token"));
        assert_eq!(rejection.expected(), Some(&*format!("iat >= {now}")));
        assert_eq!(rejection.received(), Some(&*(now - 10).to_string()));
    }
    // A token that was issued in the same second as the revocation is a new one.
    let new = token(&world.claims());
    world.validator.validate(&new).await.unwrap();
    world.validator.validate(&new).await.unwrap();
}

#[tokio::test]
async fn a_revoked_callers_token_is_not_cached() {
    let world = World::new();
    let old = token(&world.claims());
    revoke_until(&world, 1);
    world.validator.validate(&old).await.unwrap_err();
    assert_eq!(world.validator.cached_tokens(), 0);
}

#[tokio::test]
async fn only_this_caller_of_this_tenant_is_revoked() {
    let world = World::new();
    let token = token(&world.claims());
    let later = world.clock.now() + 1;
    world.validator.revoke(tenant(OTHER_TENANT), person(), later).unwrap();
    let other = ObjectId::parse("aaaaaaaa-0000-4000-8000-000000000002").unwrap();
    world.validator.revoke(tenant(TENANT), other, later).unwrap();
    world.validator.validate(&token).await.unwrap();
    world.validator.validate(&token).await.unwrap();
}

#[tokio::test]
async fn a_revocation_lasts_for_28_hours_and_the_leeway() {
    let world = World::new();
    let mut claims = world.claims();
    claims["exp"] = (world.clock.now() + 100 * HOUR).into();
    let old = token(&claims);
    // The entry lasts as long as a token that was issued a second before the revocation.
    revoke_until(&world, 1);
    world.clock.advance(1 + 28 * HOUR + LEEWAY);
    let rejection = world.validator.validate(&old).await.unwrap_err();
    assert_eq!(rejection.rule(), Rule::NotRevoked);
    world.clock.advance(1);
    world.validator.validate(&old).await.unwrap();
}

#[tokio::test]
async fn a_second_revocation_only_moves_the_time_to_a_later_one() {
    let world = World::new();
    let token = token(&world.claims());
    let now = world.clock.now();
    for (not_before, accepted) in [(now - 5, true), (now + 1, false), (now - 5, false)] {
        world.validator.revoke(tenant(TENANT), person(), not_before).unwrap();
        assert_eq!(world.validator.validate(&token).await.is_ok(), accepted, "{not_before}");
    }
    // The entry ends 28 hours after the last call.
    world.clock.advance(HOUR);
    world.validator.revoke(tenant(TENANT), person(), now - 5).unwrap();
    let mut claims = world.claims();
    claims["iat"] = now.into();
    claims["exp"] = (now + 100 * HOUR).into();
    world.clock.advance(28 * HOUR);
    assert!(world.validator.validate(&crate::support::token(&claims)).await.is_err());
}

#[tokio::test]
async fn a_caller_cannot_be_revoked_until_a_time_in_the_future() {
    let world = World::new();
    let now = world.clock.now();
    let revoke = |not_before| world.validator.revoke(tenant(TENANT), person(), not_before);
    for future in [now + LEEWAY + 1, now * 1_000, u64::MAX] {
        assert_eq!(revoke(future), Err(RevokeError::InFuture), "{future}");
    }
    assert!(world.judge(|_| {}).await.is_ok());
    // The clock of the authority may be ahead.
    assert_eq!(revoke(now + LEEWAY), Ok(()));
    let outcome = world.validator.validate(&token(&world.claims())).await;
    World::assert_refuses(&outcome, Rule::NotRevoked, "a token before the revocation");
}

#[tokio::test]
async fn the_number_of_revoked_callers_is_limited() {
    let world = World::new();
    let revoke = |number: usize| {
        let object_id = ObjectId::parse(&format!("aaaaaaaa-0000-4000-8000-{number:012}")).unwrap();
        world.validator.revoke(tenant(TENANT), object_id, world.clock.now() + 1)
    };
    // The first is the person of the token.
    for number in 1..=REVOCATION_LIMIT {
        assert_eq!(revoke(number), Ok(()), "{number}");
    }
    assert_eq!(revoke(REVOCATION_LIMIT + 1), Err(RevokeError::TooMany));
    assert_eq!(revoke(1), Ok(()), "a caller who is revoked already");
    let outcome = world.validator.validate(&token(&world.claims())).await;
    World::assert_refuses(&outcome, Rule::NotRevoked, "the first of them");
    world.clock.advance(28 * HOUR + LEEWAY + 2);
    assert_eq!(revoke(REVOCATION_LIMIT + 1), Ok(()), "all others are forgotten");
}

#[tokio::test]
async fn a_shared_list_is_asked_for_each_request() {
    let world = World::new();
    let list = Arc::new(Shared::default());
    let validator = validator_with(&world, Arc::clone(&list));
    let token = token(&world.claims());
    let now = world.clock.now();
    for (shared, accepted) in [(0, true), (now + 1, false), (now, true), (u64::MAX, false)] {
        list.0.store(shared, Ordering::SeqCst);
        assert_eq!(validator.validate(&token).await.is_ok(), accepted, "{shared}");
    }
}

#[tokio::test]
async fn the_later_time_of_both_lists_counts() {
    let world = World::new();
    let list = Arc::new(Shared::default());
    let validator = validator_with(&world, Arc::clone(&list));
    let token = token(&world.claims());
    let now = world.clock.now();
    for (own, shared, accepted) in
        [(now - 2, now - 1, true), (now - 1, now + 1, false), (now + 1, now - 1, false)]
    {
        validator.revoke(tenant(TENANT), person(), own).unwrap();
        list.0.store(shared, Ordering::SeqCst);
        assert_eq!(validator.validate(&token).await.is_ok(), accepted, "{own} {shared}");
    }
}

#[tokio::test]
async fn a_revoked_caller_is_refused_before_the_policy_is_checked() {
    let world = World::new();
    let mut claims = world.claims();
    claims["xms_cc"] = json!(["CP1"]);
    let headers = bearer(&token(&claims));
    let refused = async || world.validator.authorize::<Admin>(&headers).await.unwrap_err();
    assert_eq!(refused().await.code(), "insufficient_role");
    revoke_until(&world, 1);
    assert_eq!(refused().await.code(), "insufficient_claims");
}

struct Admin;

impl Policy for Admin {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Admin"]);
}

/// A list with one time for everybody; 0 if nobody is revoked.
#[derive(Default)]
struct Shared(AtomicU64);

impl RevocationList for Shared {
    fn not_before(&self, of: TenantId, object_id: ObjectId) -> Option<u64> {
        assert_eq!((of, object_id), (tenant(TENANT), person()));
        Some(self.0.load(Ordering::SeqCst)).filter(|time| *time > 0)
    }
}

/// A validator like that of the world, with this list.
fn validator_with(world: &World, list: Arc<Shared>) -> Validator {
    let documents = Arc::clone(&world.documents) as Arc<dyn Transport>;
    Validator::builder(Settings::new(TENANT, API))
        .clock(Arc::new(world.clock.clone()))
        .transport(documents)
        .revocation_list(list)
        .build()
        .unwrap()
}

/// Revokes the person of the tokens until this many seconds from now.
fn revoke_until(world: &World, seconds: u64) {
    let not_before = world.clock.now() + seconds;
    world.validator.revoke(tenant(TENANT), person(), not_before).unwrap();
}

fn tenant(guid: &str) -> TenantId {
    TenantId::parse(guid).unwrap()
}

fn person() -> ObjectId {
    ObjectId::parse(PERSON).unwrap()
}

fn bearer(token: &str) -> HeaderMap {
    let value = format!("Bearer {token}").parse().unwrap();
    HeaderMap::from_iter([(header::AUTHORIZATION, value)])
}
