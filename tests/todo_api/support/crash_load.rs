//! Writers that keep a server busy until it is killed.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::kept::{Item, Sent};

/// What several writers have sent and received.
pub(crate) struct CrashLoad<'a> {
    list: &'a str,
    token: &'a str,
    client: &'a Client,
    round: u64,
    /// What was sent, by the name of the todo.
    known: Mutex<BTreeMap<String, Item>>,
    responses: AtomicU64,
    /// The number of responses after which the server is to be killed.
    last: u64,
    over: Notify,
}

impl<'a> CrashLoad<'a> {
    pub(crate) fn new(
        client: &'a Client,
        list: &'a str,
        token: &'a str,
        round: u64,
        last: u64,
    ) -> Self {
        let (known, responses, over) = (Mutex::default(), AtomicU64::new(0), Notify::new());
        Self { list, token, client, round, known, responses, last, over }
    }

    /// Waits until the server has sent the last response, while other requests are running.
    pub(crate) async fn last_response(&self) {
        self.over.notified().await;
    }

    /// What was sent, by the name of the todo.
    pub(crate) fn into_known(self) -> BTreeMap<String, Item> {
        self.known.into_inner().unwrap()
    }
}

impl CrashLoad<'_> {
    /// Creates todos, completes them, and deletes every other one, until the server does not
    /// respond.
    pub(crate) async fn write(&self, writer: usize) -> Option<()> {
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

    /// The body of the response; `None` if no response came.
    async fn send(&self, request: RequestBuilder) -> Option<Value> {
        let answer = request.bearer_auth(self.token).send().await.ok()?;
        let status = answer.status();
        let body = answer.bytes().await.ok()?;
        assert!(status.is_success(), "{status}: {body:?}");
        if self.responses.fetch_add(1, Ordering::Relaxed) + 1 == self.last {
            self.over.notify_one();
        }
        Some(serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// All todos of a person by name: the id, and whether the todo is complete.
pub(crate) async fn read_todos(
    client: &Client,
    list: &str,
    token: &str,
) -> BTreeMap<String, (i64, bool)> {
    let mut items = BTreeMap::new();
    let mut url = format!("{list}?limit=1000");
    loop {
        let answer = client.get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let page: Value = answer.json().await.unwrap();
        for item in page["items"].as_array().unwrap() {
            let value = (item["id"].as_i64().unwrap(), item["is_complete"].as_bool().unwrap());
            let again = items.insert(item["name"].as_str().unwrap().to_owned(), value);
            assert!(again.is_none(), "{item} is listed twice");
        }
        let Some(next) = page["next"].as_str() else { return items };
        url = format!("{list}?limit=1000&after={next}");
    }
}
