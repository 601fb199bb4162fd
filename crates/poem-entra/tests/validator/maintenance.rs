//! `Validator::maintain`: when the keys are fetched while no requests arrive.

use std::time::Duration;

use poem_entra::{Readiness, Refusal};

use crate::support::World;

impl World {
    /// Lets a second pass, both on the validator's clock and on the timer of its task.
    async fn second(&self) {
        self.clock.advance(1);
        tokio::time::advance(Duration::from_secs(1)).await;
        self.settle().await;
    }

    /// The seconds from now in which the discovery document is fetched.
    async fn fetches_within(&self, seconds: usize) -> Vec<usize> {
        let mut fetches = Vec::new();
        for second in 1..=seconds {
            let before = self.documents.discovery_fetched();
            self.second().await;
            let times = self.documents.discovery_fetched() - before;
            fetches.extend(std::iter::repeat_n(second, times));
        }
        fetches
    }
}

#[tokio::test(start_paused = true)]
async fn the_keys_are_fetched_at_start_up_and_every_hour() {
    let world = World::new();
    world.validator.maintain();
    world.settle().await;
    assert_eq!(world.validator.readiness(), Readiness::Ready);
    assert_eq!(world.documents.keys_fetched(), 1);
    let fetches = world.fetches_within(4 * 3_600).await;
    assert!((4..=5).contains(&fetches.len()), "{fetches:?}");
    let intervals: Vec<_> = fetches.array_windows().map(|[one, next]| next - one).collect();
    // Each refresh is up to a tenth early, and up to half a minute late.
    assert!(intervals.iter().all(|interval| (3_240..=3_630).contains(interval)), "{intervals:?}");
}

#[tokio::test(start_paused = true)]
async fn failed_fetches_are_repeated_while_no_requests_arrive() {
    let world = World::new();
    let documents = world.documents.go_down();
    world.validator.maintain();
    world.settle().await;
    assert_eq!(world.documents.discovery_fetched(), 1);
    assert_eq!(world.fetches_within(190).await, [1, 3, 7, 15, 31, 63, 123, 183]);
    assert_eq!(world.validator.readiness(), Readiness::NoKeys);

    world.documents.come_back(documents);
    assert_eq!(world.fetches_within(60).await, [53]);
    assert_eq!(world.validator.readiness(), Readiness::Ready);
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_starts_later_is_found_at_the_next_attempt() {
    let world = World::new();
    let documents = world.documents.go_down();
    world.validator.maintain();
    world.settle().await;
    world.second().await;
    world.second().await;
    world.documents.come_back(documents);
    assert_eq!(world.validator.readiness(), Readiness::NoKeys);
    world.second().await;
    assert_eq!(world.validator.readiness(), Readiness::Ready);
}

#[tokio::test(start_paused = true)]
async fn the_wait_starts_at_the_end_of_a_slow_fetch() {
    let world = World::new();
    world.documents.go_down();
    world.validator.maintain();
    world.settle().await;
    assert_eq!(world.fetches_within(6).await, [1, 3]);
    let gate = world.documents.close_gate();
    // The fourth attempt is slow. It is not started a second time.
    assert_eq!(world.fetches_within(21).await, [1]);
    gate.add_permits(100);
    world.settle().await;
    assert_eq!(world.fetches_within(30).await, [8, 24]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_is_noticed_within_half_a_minute() {
    let world = World::new();
    world.validator.maintain();
    world.settle().await;
    world.clock.advance(3_600);
    assert_eq!(world.fetches_within(60).await, [30]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_up_to_five_minutes() {
    for (asked, second_fetch) in [(0, 1), (1, 1), (2, 2), (90, 90), (300, 300), (u64::MAX, 300)] {
        let world = World::new();
        let documents = world.documents.go_down_for(asked);
        let task = world.validator.maintain();
        world.settle().await;
        let rejection = world.with_key("a", 0).await.unwrap_err();
        let expected = Refusal::KeysUnavailable(second_fetch as u64);
        assert_eq!(*rejection.refusal(), expected, "{asked}");

        assert_eq!(world.fetches_within(second_fetch).await, [second_fetch], "{asked}");
        world.documents.come_back(documents);
        // The second failure in a row: without a longer `Retry-After`, the wait is two seconds.
        let third_fetch = second_fetch.max(2);
        assert_eq!(world.fetches_within(third_fetch).await, [third_fetch], "{asked}");
        assert_eq!(world.validator.readiness(), Readiness::Ready, "{asked}");
        task.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn no_request_causes_a_fetch_before_the_time_in_retry_after() {
    let world = World::new();
    world.with_key("a", 0).await.unwrap();
    world.documents.go_down_for(90);
    for kid in ["x", "y"] {
        let rejection = world.with_key(kid, 1).await.unwrap_err();
        assert_eq!(*rejection.refusal(), Refusal::KeysUnavailable(90), "{kid}");
    }
    assert_eq!(world.documents.discovery_fetched(), 2, "the first fetch, and one for x");
    // The floor of unknown keys is over, but the authority asks to wait again.
    for _ in 0..4 {
        world.clock.advance(90);
        world.with_key("a", 0).await.unwrap();
        world.settle().await;
        world.with_key("z", 1).await.unwrap_err();
    }
    assert_eq!(world.documents.discovery_fetched(), 6);
}
