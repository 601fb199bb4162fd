//! An answer is a promise: what was acknowledged is there after the program was killed.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::join_all;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    databases::{Database, on_both},
    program::{Launch, Program},
};

on_both!(a_program_that_is_killed_50_times_keeps_all_it_has_acknowledged);

const KILLS: u64 = 50;
const WRITERS: usize = 16;
/// A round ends with one of this many answers, at random.
const ANSWERS: u64 = 120;
/// After this many rounds an admin deletes all, so that lists stay short and ids have a chance to
/// come again.
const ROUNDS_TO_KEEP: u64 = 10;

async fn a_program_that_is_killed_50_times_keeps_all_it_has_acknowledged(database: Database) {
    let launch = Launch::dev().with("DATABASE_URL", database.url());
    let mut program = Program::launch(launch).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let tokens = ["uma", "ada"].map(|person| program.todo_api(&["token", "--as", person]));
    let [uma, ada] = tokens.each_ref().map(|token| token.trim());
    let list = format!("{}/todoitems", program.url);
    let mut kept = Kept::default();
    for round in 1..=KILLS {
        let load = Load {
            list: &list,
            token: uma,
            client: &client,
            round,
            known: Mutex::default(),
            answers: AtomicU64::new(0),
            last: uuid::Uuid::new_v4().as_u64_pair().0 % ANSWERS + 1,
            over: Notify::new(),
        };
        let writing = join_all((0..WRITERS).map(|writer| load.write(writer)));
        let killing = async {
            load.over.notified().await;
            program.kill();
        };
        tokio::join!(writing, killing);
        program.restart().await;
        kept.add(load.known.into_inner().unwrap());
        kept.compare(read(&client, &list, uma).await, round);
        if round % ROUNDS_TO_KEEP == 0 {
            let answer = client.delete(&list).bearer_auth(ada).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            kept.forget();
        }
    }
}

/// Sixteen who write until nobody answers any more.
struct Load<'a> {
    list: &'a str,
    token: &'a str,
    client: &'a Client,
    round: u64,
    /// What was sent, by its name.
    known: Mutex<BTreeMap<String, Item>>,
    answers: AtomicU64,
    /// With this answer the program is killed, whatever else is under way.
    last: u64,
    over: Notify,
}

/// What is known of an item, of which the last request may have had no answer.
#[derive(Debug, Clone, Default)]
struct Item {
    id: Option<i64>,
    complete: Sent,
    deleted: Sent,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Sent {
    #[default]
    No,
    /// It may have arrived.
    InDoubt,
    Acknowledged,
}

impl Load<'_> {
    /// Makes an item, completes it, and deletes every other one.
    async fn write(&self, writer: usize) -> Option<()> {
        for number in 0.. {
            let name = format!("round {}, writer {writer}, item {number}", self.round);
            self.note(&name, |_| {});
            let body = json!({ "item": { "name": name } });
            let made = self.send(self.client.post(self.list).json(&body)).await?;
            let id = made["item"]["id"].as_i64().unwrap();
            self.note(&name, |item| (item.id, item.complete) = (Some(id), Sent::InDoubt));
            let path = format!("{}/{id}", self.list);
            let body = json!({ "item": { "is_complete": true } });
            self.send(self.client.patch(&path).json(&body)).await?;
            self.note(&name, |item| item.complete = Sent::Acknowledged);
            if number % 2 == 0 {
                self.note(&name, |item| item.deleted = Sent::InDoubt);
                self.send(self.client.request(Method::DELETE, &path)).await?;
                self.note(&name, |item| item.deleted = Sent::Acknowledged);
            }
        }
        None
    }

    fn note(&self, name: &str, change: impl FnOnce(&mut Item)) {
        change(self.known.lock().unwrap().entry(name.to_owned()).or_default());
    }

    /// The body of the answer; `None` when there is none any more.
    async fn send(&self, request: RequestBuilder) -> Option<Value> {
        let answer = request.bearer_auth(self.token).send().await.ok()?;
        let status = answer.status();
        let body = answer.bytes().await.ok()?;
        assert!(status.is_success(), "{status}: {body:?}");
        if self.answers.fetch_add(1, Ordering::Relaxed) + 1 == self.last {
            self.over.notify_one();
        }
        Some(serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// What must be there.
#[derive(Default)]
struct Kept {
    items: BTreeMap<String, Item>,
    /// Every id that was ever seen, and whose it was.
    ids: BTreeMap<i64, String>,
    /// Of those of the rounds before this one.
    highest: i64,
}

impl Kept {
    fn add(&mut self, known: BTreeMap<String, Item>) {
        self.highest = self.ids.last_key_value().map_or(0, |(id, _)| *id);
        for (name, item) in &known {
            item.id.into_iter().for_each(|id| self.claim(id, name));
        }
        self.items.extend(known);
    }

    /// An id is of one item, and higher than all that were there when it was made.
    fn claim(&mut self, id: i64, name: &str) {
        match self.ids.get(&id) {
            Some(owner) => assert_eq!(owner, name, "{id} was given out twice"),
            None => {
                assert!(id > self.highest, "{id} of {name} was used before");
                self.ids.insert(id, name.to_owned());
            }
        }
    }

    fn compare(&mut self, mut found: BTreeMap<String, (i64, bool)>, round: u64) {
        for (name, item) in &self.items.clone() {
            let context = format!("round {round}: {name}: {item:?}");
            let Some((id, complete)) = found.remove(name) else {
                assert!(item.id.is_none() || item.deleted != Sent::No, "lost in {context}");
                continue;
            };
            self.claim(id, name);
            assert!(item.deleted != Sent::Acknowledged, "back again in {context}");
            match item.complete {
                Sent::No => assert!(!complete, "nobody has completed {context}"),
                Sent::InDoubt => {}
                Sent::Acknowledged => assert!(complete, "half of {context}"),
            }
        }
        assert!(found.is_empty(), "round {round}: nobody has sent {found:?}");
    }

    fn forget(&mut self) {
        self.items.clear();
    }
}

/// All of a person's items, by name.
async fn read(client: &Client, list: &str, token: &str) -> BTreeMap<String, (i64, bool)> {
    let mut items = BTreeMap::new();
    let mut url = format!("{list}?limit=1000");
    loop {
        let answer = client.get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let page: Value = answer.json().await.unwrap();
        for item in page["items"].as_array().unwrap() {
            let value = (item["id"].as_i64().unwrap(), item["is_complete"].as_bool().unwrap());
            let again = items.insert(item["name"].as_str().unwrap().to_owned(), value);
            assert!(again.is_none(), "{item} is there twice");
        }
        let Some(next) = page["next"].as_str() else { return items };
        url = format!("{list}?limit=1000&after={next}");
    }
}
