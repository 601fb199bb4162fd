//! A database that becomes slow: the server refuses requests quickly instead of answering all of
//! them late.

use std::time::Duration;

use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use reqwest::{Method, StatusCode};
use tokio::{select, time::interval};

use crate::support::{App, Database, TestClock, TodosLock, on_both, wait_until};

/// The time between two requests.
const PAUSE: Duration = Duration::from_millis(50);

on_both!(a_database_that_stands_still_causes_503_before_the_timeout);

async fn a_database_that_stands_still_causes_503_before_the_timeout(database: Database) {
    let app = App::start_on(database.clone(), TestClock::default(), |environment| {
        environment.with("DATABASE_TIMEOUT", "20")
    })
    .await;
    let token = app.token("uma").await;
    app.create("uma", "before").await;
    let lock = TodosLock::acquire(&database).await;
    let create = async |number| (number, app.try_create(&token, "meanwhile").await);
    let (mut waiting, mut arrivals) = (FuturesUnordered::new(), interval(PAUSE));
    let (number, refused) = loop {
        select! {
            _ = arrivals.tick() => waiting.push(create(waiting.len())),
            Some(answer) = waiting.next() => break answer,
        }
    };
    refused.assert_unavailable("overloaded");
    assert!(number >= 16, "{number} came before those that still wait");
    for (path, token) in [("/health", None), ("/todoitems", Some(&*token))] {
        let answer = app.send(token, Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    lock.release().await;
    let mut created = 1;
    while let Some((number, answer)) = waiting.next().await {
        match answer.status {
            StatusCode::CREATED => created += 1,
            _ if number >= 16 => answer.assert_unavailable("overloaded"),
            _ => panic!("{number}: {answer:?}"),
        }
    }
    let todos = database.number("SELECT count(*) FROM todos").await;
    assert_eq!(todos, created, "an acknowledged todo is lost, or a refused one was created");
    // The limit grows again with each quick change.
    wait_until("64 changes at once succeed", async || {
        let answers = join_all((0..64).map(|_| app.try_create(&token, "after"))).await;
        answers.iter().all(|answer| answer.status == StatusCode::CREATED)
    })
    .await;
}
