//! Counts memory allocations. The counter is the allocator of this test program. It counts for each
//! thread, so tests that run at the same time do not disturb the count.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use http::{HeaderMap, header};
use poem_entra::{Clock, ObjectId, Policy, Requirement, TenantId, User};

use crate::support::{TENANT, World, token};

struct Writer;

impl Policy for Writer {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Writer"]);
}

#[tokio::test]
async fn a_cached_token_is_accepted_without_an_allocation() {
    assert_takes_no_allocation(&World::new()).await;
}

#[tokio::test]
async fn a_cached_token_takes_no_allocation_while_somebody_is_revoked() {
    let world = World::new();
    let tenant = TenantId::parse(TENANT).unwrap();
    let other = ObjectId::parse("aaaaaaaa-0000-4000-8000-000000000002").unwrap();
    world.validator.revoke(tenant, other, world.clock.now()).unwrap();
    assert_takes_no_allocation(&world).await;
}

async fn assert_takes_no_allocation(world: &World) {
    let mut claims = world.claims();
    claims["roles"] = vec!["Reader", "Writer"].into();
    claims["exp"] = (world.clock.now() + 60).into();
    let value = format!("Bearer {}", token(&claims)).parse().unwrap();
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);

    let first = world.validator.authorize::<Writer>(&headers).await;
    assert!(first.is_ok(), "{first:?}");
    // At once, and in the last second in which the token is accepted.
    for seconds in [0, 120] {
        world.clock.advance(seconds);
        let mut again = Poll::Pending;
        let counted = measure(|| {
            let mut context = Context::from_waker(Waker::noop());
            again = pin!(world.validator.authorize::<Writer>(&headers)).poll(&mut context);
        });
        assert_eq!(again, Poll::Ready(first.clone()));
        assert_eq!(counted.count_total, 0, "after {seconds} seconds");
    }
}
