//! Stopped at any call and run again, the command ends in the same registration.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
};

use serde_json::Value;

use crate::support::{
    graph::{Fault, Moment},
    send_signal, test_name,
};

use super::{EVERYTHING, Run, Setup};

/// What is in `.env` before.
const ENV: &str = "# Mine\nPORT=8000\n\nUNKNOWN='kept' # as well\n";

/// A new tenant, and a folder with settings. `None` if a tool is missing: then the test must
/// return.
async fn new_setup(test: &str) -> Option<Setup> {
    let setup = Setup::new(test).await?;
    fs::write(setup.env_file(), ENV).unwrap();
    Some(setup)
}

/// What a run without interruption leads to.
struct Expected {
    registrations: Value,
    /// Whether each call changes something.
    calls: Vec<bool>,
}

impl Expected {
    async fn of(test: &str) -> Option<Self> {
        let setup = new_setup(test).await?;
        let expected = Self::of_run(&setup);
        assert_eq!(setup.graph.refused().len(), 0, "{:#?}", setup.graph.refused());
        Some(expected)
    }

    fn of_run(setup: &Setup) -> Self {
        setup.run(EVERYTHING).assert_done();
        let calls = setup.graph.calls().iter().map(|call| call.is_write()).collect();
        Self { registrations: setup.graph.registrations(), calls }
    }

    /// The number of each write, before and after it is applied.
    fn writes(&self) -> impl Iterator<Item = (usize, Moment)> {
        self.interruptions().filter(|(number, _)| self.calls[number - 1])
    }

    /// The number of each call, and the moments at which it can be interrupted. To interrupt a read
    /// before or after is the same.
    fn interruptions(&self) -> impl Iterator<Item = (usize, Moment)> {
        self.calls.iter().enumerate().flat_map(|(index, &is_write)| {
            let moments = if is_write { &Moment::BOTH[..] } else { &[Moment::Before] };
            moments.iter().map(move |&moment| (index + 1, moment))
        })
    }

    /// Runs the command again, and checks the result.
    fn assert_completed(&self, setup: &Setup, context: &str) {
        setup.graph.forget();
        let run = setup.run(EVERYTHING);
        assert_eq!(run.code, Some(0), "{context}: {run:#?}");
        let registrations = setup.graph.registrations();
        assert_eq!(registrations, self.registrations, "{context}: {run:#?}");
        assert!(setup.env().starts_with(ENV), "{context}: {}", setup.env());
        for name in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "AAD_TENANT_ID", "API_CLIENT_SECRET"]
        {
            assert!(!setup.setting(name).is_empty(), "{context}: {name}: {}", setup.env());
        }
        let api = setup.graph.application(super::API);
        assert_eq!(setup.setting("API_CLIENT_ID"), api["appId"].as_str().unwrap(), "{context}");
        let secret = setup.setting("API_CLIENT_SECRET");
        let hint = api["passwordCredentials"][0]["hint"].as_str().unwrap();
        assert!(secret.starts_with(hint), "{context}: the secret is not the registered one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_any_call_is_completed_by_the_next() {
    let Some(expected) = Expected::of(test_name!()).await else { return };
    for (number, moment) in expected.interruptions() {
        let Some(setup) = new_setup(test_name!()).await else { return };
        setup.graph.fail_at(number, Fault::Hold(moment));
        let mut process = setup.begin(EVERYTHING);
        setup.graph.wait_until_held().await;
        process.kill().unwrap();
        process.wait().unwrap();
        let line = setup.graph.calls().last().unwrap().line();
        expected.assert_completed(&setup, &format!("killed {moment:?} {number}. {line}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_created_is_found_although_it_is_replicated_late() {
    let Some(setup) = new_setup(test_name!()).await else { return };
    setup.graph.delay_replication(1);
    let expected = Expected::of_run(&setup);
    let calls = setup.graph.calls();
    let creations = calls.iter().enumerate().filter(|(_, call)| call.status == Some(201));
    for (index, call) in creations {
        let Some(setup) = new_setup(test_name!()).await else { return };
        setup.graph.delay_replication(1);
        setup.graph.fail_at(index + 1, Fault::Hold(Moment::After));
        let mut process = setup.begin(EVERYTHING);
        setup.graph.wait_until_held().await;
        process.kill().unwrap();
        process.wait().unwrap();
        expected.assert_completed(&setup, &format!("killed at {}. {}", index + 1, call.line()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_connection_breaks_at_any_write_is_completed_by_the_next() {
    let Some(expected) = Expected::of(test_name!()).await else { return };
    for (number, moment) in expected.writes() {
        let Some(setup) = new_setup(test_name!()).await else { return };
        setup.graph.fail_at(number, Fault::Drop(moment));
        let run = setup.run(EVERYTHING);
        let line = setup.graph.calls()[number - 1].line();
        let context = format!("broken {moment:?} {number}. {line}");
        run.assert_failed(&[]);
        assert_reported(&setup, &run, moment, &context);
        expected.assert_completed(&setup, &context);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_gets_an_internal_error_at_any_write_is_completed_by_the_next() {
    let Some(expected) = Expected::of(test_name!()).await else { return };
    for (number, moment) in expected.writes() {
        let Some(setup) = new_setup(test_name!()).await else { return };
        // Also if the command retries.
        for number in number..number + 10 {
            setup.graph.fail_at(number, Fault::Status(moment, 500));
        }
        let run = setup.run(EVERYTHING);
        let line = setup.graph.calls()[number - 1].line();
        let context = format!("500 {moment:?} {number}. {line}");
        run.assert_failed(&[]);
        assert_reported(&setup, &run, moment, &context);
        expected.assert_completed(&setup, &context);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_any_call_finishes_a_write_and_says_what_was_changed() {
    let Some(expected) = Expected::of(test_name!()).await else { return };
    for (index, &is_write) in expected.calls.iter().enumerate() {
        let Some(setup) = new_setup(test_name!()).await else { return };
        let number = index + 1;
        setup.graph.fail_at(number, Fault::Hold(Moment::Before));
        let mut process = setup.begin(EVERYTHING);
        setup.graph.wait_until_held().await;
        send_signal(process.id(), "INT");
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("Stopping") {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
        }
        // The program does not wait for the response to a question.
        if is_write {
            setup.graph.release();
        }
        stderr.read_to_string(&mut said).unwrap();
        let run = Run { stderr: said, ..Run::of(&process.wait_with_output().unwrap()) };
        let line = setup.graph.calls()[index].line();
        let context = format!("stopped at {number}. {line}");
        let calls = setup.graph.calls();
        assert_eq!(calls.len(), number, "{context}: {run:#?}");
        if number < expected.calls.len() {
            assert_eq!(run.code, Some(130), "{context}: {run:#?}");
            let changed = match setup.graph.writes().len() {
                0 => "Nothing was changed.".to_owned(),
                count => format!("Changed so far: {count}, "),
            };
            assert!(run.stderr.contains(&changed), "{context}: {run:#?}");
        } else {
            // The last write completes the work.
            run.assert_done();
        }
        expected.assert_completed(&setup, &context);
    }
}

/// Asserts that the report says what is known.
fn assert_reported(setup: &Setup, run: &Run, moment: Moment, context: &str) {
    let writes = setup.graph.writes();
    let done = writes.iter().filter(|call| call.status.is_some_and(|status| status < 300)).count();
    let is_known = done == writes.len();
    let context = format!("{context}, {moment:?}: {done} writes: {run:#?}");
    assert_eq!(run.stderr.contains("Nothing was changed."), done == 0 && is_known, "{context}");
    assert_eq!(run.stderr.contains(&format!("Changed so far: {done}")), done > 0, "{context}");
    assert_eq!(run.stderr.contains("It is not known whether"), !is_known, "{context}");
}
