//! Load on several servers of which some are down.

use std::{sync::Mutex, time::Instant};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{GIVE_UP_AFTER, client};

/// Writers that repeat every request without a response, and readers.
pub(crate) struct RetryLoad {
    list: String,
    token: String,
    client: Client,
    acknowledged: Mutex<Vec<(i64, String)>>,
    failed_writes: Mutex<Vec<String>>,
    failed_reads: Mutex<Vec<String>>,
    written: watch::Sender<u64>,
    over: watch::Sender<bool>,
}

impl RetryLoad {
    pub(crate) fn new(list: String, token: String) -> Self {
        Self {
            list,
            token,
            client: client(),
            acknowledged: Mutex::default(),
            failed_writes: Mutex::default(),
            failed_reads: Mutex::default(),
            written: watch::Sender::new(0),
            over: watch::Sender::new(false),
        }
    }

    /// Tells the writers and readers to stop.
    pub(crate) fn stop(&self) {
        self.over.send_replace(true);
    }

    /// The todos that the servers have acknowledged, and the errors of failed reads.
    pub(crate) fn into_results(self) -> (Vec<(i64, String)>, Vec<String>) {
        (self.acknowledged.into_inner().unwrap(), self.failed_reads.into_inner().unwrap())
    }

    /// The errors of the writes that were repeated.
    pub(crate) fn failed_writes(&self) -> Vec<String> {
        self.failed_writes.lock().unwrap().clone()
    }

    /// Waits until this many more todos are acknowledged.
    pub(crate) async fn more_writes(&self, writes: u64) {
        let target = *self.written.borrow() + writes;
        let mut written = self.written.subscribe();
        written.wait_for(|written| *written >= target).await.unwrap();
    }

    fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Creates todos until the load stops. Repeats requests without a response, which the
    /// idempotency key makes safe.
    pub(crate) async fn write(&self, writer: usize) {
        let mut number = 0;
        while !self.is_over() {
            let name = format!("writer {writer}, item {number}");
            let deadline = Instant::now() + GIVE_UP_AFTER;
            let id = loop {
                assert!(Instant::now() < deadline, "no server creates {name}");
                let request = self.client.post(&self.list).bearer_auth(&self.token);
                let request = request.header("idempotency-key", name.replace(' ', "-"));
                let body = json!({ "item": { "name": name } });
                let answer = match request.json(&body).send().await {
                    Ok(answer) => answer,
                    Err(error) => {
                        self.failed_writes.lock().unwrap().push(format!("{error:?}"));
                        continue;
                    }
                };
                if answer.status() == StatusCode::CREATED {
                    let body: Value = answer.json().await.unwrap();
                    break body["item"]["id"].as_i64().unwrap();
                }
                assert!(answer.status().is_server_error(), "{answer:?}");
                self.failed_writes.lock().unwrap().push(answer.status().to_string());
            };
            self.acknowledged.lock().unwrap().push((id, name));
            self.written.send_modify(|written| *written += 1);
            number += 1;
        }
    }

    /// Reads until the load stops.
    pub(crate) async fn read(&self) {
        while !self.is_over() {
            let request = self.client.get(format!("{}?limit=10", self.list));
            let answer = request.bearer_auth(&self.token).send().await;
            match answer {
                Ok(answer) if answer.status() == StatusCode::OK => {}
                Ok(answer) => self.failed_reads.lock().unwrap().push(answer.status().to_string()),
                Err(error) => self.failed_reads.lock().unwrap().push(error.to_string()),
            }
        }
    }
}
