//! Deleting all todos while others create todos.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::Database;

use super::Ada;

const ROUNDS: usize = 30;
const WRITERS: usize = 4;

/// A page that Ada has read, and whether it is the whole list.
struct Look {
    ids: Vec<i64>,
    all: bool,
    at: u64,
}

struct Creation {
    id: i64,
    /// When the request was sent.
    at: u64,
}

pub(super) async fn delete_all_never_removes_what_the_tag_did_not_cover(database: Database) {
    let ada = Ada::on(&database).await;
    let uma = ada.app.token("uma").await;
    let clock = AtomicU64::new(0);
    let tick = || clock.fetch_add(1, Ordering::SeqCst);
    let (mut created, mut deleted) = (Vec::<Creation>::new(), Vec::<Look>::new());
    for round in 0..ROUNDS {
        // Every third list is longer than a page.
        database.fill(if round % 3 == 0 { 99 } else { 0 }).await;
        let writing = join_all((0..WRITERS).map(async |_| {
            let mut created = Vec::new();
            for _ in 0..3 {
                let at = tick();
                let body = json!({ "item": { "name": "raced" } });
                let answer = ada.app.send(Some(&uma), Method::POST, "/todoitems", Some(body)).await;
                assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
                created.push(Creation { id: answer.body["item"]["id"].as_i64().unwrap(), at });
            }
            created
        }));
        let deleting = async {
            let mut deleted = Vec::new();
            for _ in 0..6 {
                let (look, tag) = look(&ada, &tick).await;
                let answer = ada.delete_all(&[("if-match", &tag)]).await;
                match answer.status {
                    StatusCode::NO_CONTENT => deleted.push(look),
                    _ => answer.assert_problem(412, "precondition_failed"),
                }
            }
            deleted
        };
        let (new, gone) = tokio::join!(writing, deleting);
        created.extend(new.into_iter().flatten());
        deleted.extend(gone);
        let (look, tag) = look(&ada, &tick).await;
        let answer = ada.delete_all(&[("if-match", &tag)]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "the writers have ended: {answer:?}");
        deleted.push(look);
    }
    // Every todo is deleted, so one of the deleted lists must cover it.
    assert_eq!(ada.todos().await, 0);
    assert_eq!(created.len(), ROUNDS * WRITERS * 3);
    assert!(deleted.len() >= ROUNDS);
    for Creation { id, at } in &created {
        let covers = |look: &Look| look.ids.contains(id) || !look.all && *at < look.at;
        assert!(deleted.iter().any(covers), "no entity tag covers the deleted todo {id}");
    }
}

/// Reads the list, and returns what it contains and its entity tag.
async fn look(ada: &Ada, tick: &impl Fn() -> u64) -> (Look, String) {
    let list = ada.list().await;
    let at = tick();
    let items = list.body["items"].as_array().unwrap();
    let ids = items.iter().map(|item| item["id"].as_i64().unwrap()).collect();
    let all = list.body["next"].is_null();
    (Look { ids, all, at }, list.header("etag").to_owned())
}
