//! Counts memory allocations. The counter is the allocator of this test program. It counts for each
//! thread, so tests that run at the same time do not disturb the count.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use http::{HeaderMap, header};
use poem_entra::{Policy, Requirement, User};

use crate::support::{World, token};

struct Writer;

impl Policy for Writer {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Writer"]);
}

#[tokio::test]
async fn a_cached_token_is_accepted_without_an_allocation() {
    let world = World::new();
    let mut claims = world.claims();
    claims["roles"] = vec!["Reader", "Writer"].into();
    let value = format!("Bearer {}", token(&claims)).parse().unwrap();
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);

    let first = world.validator.authorize::<Writer>(&headers).await;
    let mut second = Poll::Pending;
    let counted = measure(|| {
        let mut context = Context::from_waker(Waker::noop());
        second = pin!(world.validator.authorize::<Writer>(&headers)).poll(&mut context);
    });

    assert!(first.is_ok(), "{first:?}");
    assert_eq!(second, Poll::Ready(first));
    assert_eq!(counted.count_total, 0);
}
