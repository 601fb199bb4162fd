//! The command waits out throttling and late replication.

use crate::support::{
    graph::{Fault, StrictGraph},
    test_name,
};

use super::{EVERYTHING, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn throttled_calls_are_repeated_after_the_time_that_graph_asks_for() {
    let Some(expected) = Setup::new(test_name!()).await else { return };
    expected.run(EVERYTHING).assert_done();
    for status in [429, 503] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        setup.graph.fail_each(2, Fault::Throttle(status, Some("0")));
        let run = setup.run(EVERYTHING);
        run.assert_done();
        assert_eq!(setup.graph.registrations(), expected.graph.registrations(), "{run:#?}");
        assert_calls_differ(&expected.graph, &setup.graph);
        run.assert_keeps(&setup.graph.token());
    }
}

/// Each call was sent more often than without throttling.
fn assert_calls_differ(without: &StrictGraph, with: &StrictGraph) {
    assert!(with.calls().len() > without.calls().len() + 20, "{:#?}", with.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_told_that_the_command_waits() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.graph.fail_on("GET", "/organization", [Fault::Throttle(429, Some("1"))]);
    let run = setup.run(&[]);
    run.assert_done();
    assert!(run.stderr.contains("1 s"), "{run:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_replicated_late_are_waited_for() {
    let Some(expected) = Setup::new(test_name!()).await else { return };
    expected.run(EVERYTHING).assert_done();
    for reads in [1, 2] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        setup.graph.delay_replication(reads);
        let run = setup.run(EVERYTHING);
        run.assert_done();
        assert_eq!(setup.graph.registrations(), expected.graph.registrations(), "{run:#?}");
        // Nothing is created twice: what Graph refused was refused because of the delay.
        let refused = setup.graph.refused();
        let is_late = |error: &str| {
            ["valid application object", "cannot be found", "was not found"]
                .iter()
                .any(|part| error.contains(part))
        };
        let is_late = refused.iter().all(|call| call.error.as_deref().is_some_and(is_late));
        assert!(is_late, "{refused:#?}");

        // The next run finds everything, although reads may still be late.
        setup.graph.forget();
        setup.run(EVERYTHING).assert_done();
        assert_eq!(setup.graph.registrations(), expected.graph.registrations());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_of_hours_is_reported_and_not_waited_for() {
    for status in [429, 503] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        setup.graph.fail_each(1, Fault::Throttle(status, Some("7200")));
        let run = setup.run(&[]);
        let asked = format!("Microsoft Graph asks to wait 120 minutes ({status} ");
        run.assert_failed(&[&asked, "Nothing was changed"]);
        assert!(!run.stderr.contains("still refuses"), "{run:#?}");
        assert_eq!(setup.graph.calls().len(), 1);
    }
}
