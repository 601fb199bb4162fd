//! Sends calls to Microsoft Graph v1.0. Waits out throttling
//! (<https://learn.microsoft.com/graph/throttling>) and the delay until all of Graph's replicas
//! know a new object.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Method, StatusCode, header, redirect};
use serde_json::Value;
use url::Url;

use super::{
    call::Call,
    error::Failure,
    refusal::Refusal,
    stop::Stop,
    wait::{Patience, Pause, Waits},
};

/// The timeout for one response, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest response. A page of a list is much smaller.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The longest wait that Graph may ask for, and the longest sum of such waits for one call.
const LONGEST_THROTTLING: Duration = Duration::from_secs(300);
/// The largest number of pages of a list. If there are more, the links form a circle.
const MOST_PAGES: usize = 1_000;

/// Microsoft Graph, for one caller.
pub struct Graph {
    client: Client,
    url: Url,
    token: String,
    pause: Arc<dyn Pause>,
    stop: Stop,
    notify: Box<dyn Fn(&str) + Send + Sync>,
}

impl Graph {
    /// `url` is Graph's address without the version: https, or http on this machine. `notify` gets
    /// a sentence before each wait.
    ///
    /// # Errors
    ///
    /// If the machine has no CA certificates, or the token contains a character that is not
    /// allowed.
    pub fn new(
        url: Url,
        token: String,
        pause: Arc<dyn Pause>,
        stop: Stop,
        notify: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        if let Some(found) = token.chars().find_map(unusual) {
            return Err(Failure::TokenCharacter(found));
        }
        let client = client(&url).map_err(Failure::Client)?;
        Ok(Self { client, url, token, pause, stop, notify: Box::new(notify) })
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the resource. `None` if there is none.
    pub(super) async fn get(&self, call: &Call) -> Result<Option<Value>, Failure> {
        self.get_url(&call.url(&self.url)).await
    }

    async fn get_url(&self, url: &Url) -> Result<Option<Value>, Failure> {
        let mut waits = Waits::default();
        loop {
            let answer = tokio::select! {
                answer = self.send(Method::GET, url, None, false) => answer?,
                () = self.stop.requested() => return Err(Failure::Stopped),
            };
            if answer.status.is_success() {
                let is_object = answer.body.is_object();
                return is_object.then_some(Some(answer.body)).ok_or_else(|| self.not_graph());
            }
            if answer.status == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            self.wait_out_throttling(&answer, &mut waits).await?;
        }
    }

    pub(super) fn not_graph(&self) -> Failure {
        Failure::NotGraph { host: self.url.host_str().unwrap_or_default().to_owned() }
    }

    /// The resource, which must have an id: the path of a later call contains it.
    pub(super) fn identified(&self, resource: Value) -> Result<Value, Failure> {
        let has_id = resource["id"].as_str().is_some_and(|id| !id.is_empty());
        has_id.then_some(resource).ok_or_else(|| self.not_graph())
    }

    /// Returns all items of a list, from all of its pages.
    pub(super) async fn list(&self, call: &Call) -> Result<Vec<Value>, Failure> {
        let mut url = call.url(&self.url);
        let mut items = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(mut page) = self.get_url(&url).await? else { return Ok(items) };
            if let Some(values) = page["value"].as_array_mut() {
                items.append(values);
            }
            let Some(next) = page["@odata.nextLink"].as_str() else { return Ok(items) };
            // The token must not be sent to another server.
            let next = Url::parse(next).ok().filter(|next| next.origin() == self.url.origin());
            url = next.ok_or(Failure::OtherServer)?;
        }
        Err(Failure::OtherServer)
    }

    /// Makes a change and returns the response's body. If Graph does not know an object yet that
    /// the change names, tries again.
    pub(super) async fn write(&self, call: &Call, patience: Patience) -> Result<Answer, Failure> {
        let url = call.url(&self.url);
        let (mut throttling, mut replication) = (Waits::default(), Waits::default());
        loop {
            if self.stop.is_requested() {
                return Err(Failure::Stopped);
            }
            let sent =
                self.send(call.method.clone(), &url, call.body.as_ref(), call.creates_if_missing);
            let answer = sent.await.map_err(Failure::after_write)?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            let refusal = answer.refusal();
            if refusal.may_be_early() {
                let wait = replication.next();
                if replication.total > patience.limit() {
                    return Err(Failure::Refused(refusal));
                }
                let why = format!("refuses a change, perhaps because of a new object ({refusal})");
                self.wait(wait, &why).await?;
            } else {
                let waited = self.wait_out_throttling(&answer, &mut throttling).await;
                waited.map_err(Failure::after_write)?;
            }
        }
    }

    /// Reads until there is a result.
    pub(super) async fn until<T>(
        &self,
        patience: Patience,
        mut read: impl AsyncFnMut() -> Result<Option<T>, Failure>,
    ) -> Result<Option<T>, Failure> {
        let mut waits = Waits::default();
        loop {
            if let Some(found) = read().await? {
                return Ok(Some(found));
            }
            let wait = waits.next();
            if waits.total > patience.limit() {
                return Ok(None);
            }
            self.wait(wait, "does not show the latest state yet").await?;
        }
    }

    /// Waits if the response says that there are too many requests. Any other response is an error.
    async fn wait_out_throttling(&self, answer: &Answer, waits: &mut Waits) -> Result<(), Failure> {
        let is_throttled = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE]
            .contains(&answer.status);
        if !is_throttled {
            return Err(Failure::Refused(answer.refusal()));
        }
        if let Some(wait) = answer.retry_after.filter(|wait| *wait > LONGEST_THROTTLING) {
            return Err(Failure::LongWait { wait, refusal: answer.refusal() });
        }
        let wait = waits.next_or(answer.retry_after);
        if waits.total > LONGEST_THROTTLING {
            return Err(Failure::Throttled(answer.refusal()));
        }
        let why = match answer.status {
            StatusCode::TOO_MANY_REQUESTS => "has too many requests",
            _ => "is busy",
        };
        self.wait(wait, why).await
    }

    async fn wait(&self, time: Duration, why: &str) -> Result<(), Failure> {
        if time >= Duration::from_secs(1) {
            let seconds = time.as_secs();
            (self.notify)(&format!("Microsoft Graph {why}; trying again in {seconds} s"));
        }
        tokio::select! {
            () = self.pause.pause(time) => Ok(()),
            () = self.stop.requested() => Err(Failure::Stopped),
        }
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        creates_if_missing: bool,
    ) -> Result<Answer, Failure> {
        let mut request = self.client.request(method, url.clone()).bearer_auth(&self.token);
        request = request.header(header::ACCEPT, "application/json");
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json");
            request = request.body(body.to_string());
        }
        if creates_if_missing {
            request = request.header("prefer", "create-if-missing");
        }
        let unreachable = |error: reqwest::Error| Failure::Unreachable {
            host: self.url.host_str().unwrap_or_default().to_owned(),
            // The sentence contains the host.
            source: error.without_url(),
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(seconds);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        // A change has a response without a body. A gateway's error page is not JSON.
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer { status, retry_after, body })
    }
}

/// What kind of character this is, if tokens must not contain it (RFC 6750, section 2.1). Some of
/// these characters could not even be sent.
fn unusual(character: char) -> Option<&'static str> {
    match character {
        '\n' | '\r' => Some("a line break"),
        '"' | '\'' => Some("a quote"),
        character if character.is_whitespace() => Some("a space"),
        character if !character.is_ascii() => Some("a character that is not ASCII"),
        character if character.is_control() => Some("a control character"),
        _ => None,
    }
}

fn client(url: &Url) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .user_agent(concat!("todo-api/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        // A redirect could lead to a server that must not get the token.
        .redirect(redirect::Policy::none());
    if url.scheme() == "http" {
        // The server is on this machine, where no proxy is needed.
        builder = builder.tls_certs_only([]).no_proxy();
    }
    builder.build()
}

/// A response.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    retry_after: Option<Duration>,
    pub(super) body: Value,
}

impl Answer {
    fn refusal(&self) -> Refusal {
        Refusal::new(self.status, &self.body)
    }
}

/// `Retry-After` in seconds, which is the form that Graph sends.
fn seconds(value: &header::HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
