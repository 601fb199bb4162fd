//! The server, and what tests do with it.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{Request as HttpRequest, Response, header};
use http_body_util::Full;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

use super::{
    access::Account,
    applications::new_application,
    calls::Call,
    connections::{Closed, Handled, serve},
    directory::{Directory, Reply, Request},
    faults::{Fault, Faults, Moment},
    merge::merge,
    objects::Object,
    query::Query,
    refusal::Refusal,
    routes::Route,
    schemas::Schemas,
    token::{self, GraphToken},
};

/// A strict Microsoft Graph on a loopback port. It stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct StrictGraph(Arc<Shared>);

struct Shared {
    url: String,
    state: Mutex<State>,
    /// The number of calls that have reached a [`Fault::Hold`].
    held: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

struct State {
    directory: Directory,
    account: Account,
    calls: Vec<Call>,
    faults: Faults,
}

impl StrictGraph {
    /// Starts a server for a tenant without applications. `None` if a tool is missing: then the
    /// test must return.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let schemas = Schemas::load(test)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let graph = Self(Arc::new(Shared {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Mutex::new(State {
                directory: Directory::new(schemas),
                account: Account::default(),
                calls: Vec::new(),
                faults: Faults::default(),
            }),
            held: watch::Sender::new(0),
            released: watch::Sender::new(false),
        }));
        let handling = graph.clone();
        tokio::spawn(serve(listener, move |request| handling.clone().handle(request)));
        Some(graph)
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// An access token of the tenant's administrator.
    pub(crate) fn token(&self) -> String {
        GraphToken::default().encode()
    }

    /// The account that tokens are for, from now on.
    pub(crate) fn sign_in_as(&self, account: Account) {
        self.state().account = account;
    }

    /// The number of reads that do not see a new object or version, from now on.
    pub(crate) fn delay_replication(&self, reads: u32) {
        self.state().directory.delay = reads;
    }

    /// Makes the call with this number fail. The first call has the number 1.
    pub(crate) fn fail_at(&self, number: usize, fault: Fault) {
        self.state().faults.add_at(number, fault);
    }

    /// Makes the next calls with this method whose path contains a text fail, one after another.
    pub(crate) fn fail_on(
        &self,
        method: &'static str,
        path: &'static str,
        faults: impl IntoIterator<Item = Fault>,
    ) {
        self.state().faults.add_on(method, path, faults);
    }

    /// Makes the first calls of each method and path fail.
    pub(crate) fn fail_each(&self, times: usize, fault: Fault) {
        self.state().faults.add_each(times, fault);
    }

    /// Waits until a call has reached a [`Fault::Hold`].
    pub(crate) async fn wait_until_held(&self) {
        self.0.held.subscribe().wait_for(|held| *held > 0).await.unwrap();
    }

    /// Lets held calls continue.
    pub(crate) fn release(&self) {
        self.0.released.send_replace(true);
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls so far that are not reads.
    pub(crate) fn writes(&self) -> Vec<Call> {
        self.calls().into_iter().filter(Call::is_write).collect()
    }

    /// The calls so far that broke a rule. A 404 is a normal response to a question.
    pub(crate) fn refused(&self) -> Vec<Call> {
        let is_refused = |call: &Call| call.status.is_some_and(|it| it >= 400 && it != 404);
        self.calls().into_iter().filter(is_refused).collect()
    }

    /// Forgets the calls and the faults. The next call has the number 1.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.calls.clear();
        state.faults = Faults::default();
        self.0.held.send_replace(0);
        self.0.released.send_replace(false);
    }

    /// Everything in the tenant, without ids and times: two tenants are equal if they contain the
    /// same registrations.
    pub(crate) fn registrations(&self) -> Value {
        self.state().directory.snapshot()
    }

    /// The application with this unique name, in its newest version.
    pub(crate) fn application(&self, unique_name: &str) -> Value {
        self.application_with("uniqueName", unique_name)
    }

    /// The application with this value of an alternate key, in its newest version.
    pub(crate) fn application_with(&self, key: &str, value: &str) -> Value {
        self.state().find(key, value).value.clone()
    }

    /// Changes an application by hand, like a person in the portal. No rule is checked.
    pub(crate) fn edit(&self, unique_name: &str, change: impl FnOnce(&mut Value)) {
        self.edit_with("uniqueName", unique_name, change);
    }

    /// The same for the application with this value of an alternate key.
    pub(crate) fn edit_with(&self, key: &str, value: &str, change: impl FnOnce(&mut Value)) {
        change(&mut self.state().find(key, value).value);
    }

    /// Adds an application of somebody else by hand, with these members, and returns it.
    pub(crate) fn add_application(&self, members: &Value) -> Value {
        let mut application = new_application();
        merge(&mut application, members);
        let mut state = self.state();
        state.directory.others.insert(application["id"].as_str().unwrap().to_owned());
        state.directory.applications.push(Object::new(application.clone(), 0));
        application
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    async fn handle(self, request: HttpRequest<Bytes>) -> Handled {
        let method = request.method().to_string();
        let mut path = percent_decoded(request.uri().path());
        if let Some(query) = request.uri().query() {
            path += "?";
            path += &percent_decoded(&query.replace('+', " "));
        }
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        let call = Call { method, path, body, status: None, error: None };
        let (number, fault) = {
            let mut state = self.state();
            state.calls.push(call.clone());
            let number = state.calls.len();
            (number, state.faults.take(number, &call.method, &call.path))
        };
        self.fail(fault, Moment::Before).await?;
        if let Some(Fault::Throttle(status, retry_after)) = fault {
            let code = if status == 429 { "TooManyRequests" } else { "serviceUnavailable" };
            let refusal = Refusal::new(status, code, "Too many requests, or too much load.");
            return Ok(response(status, Some(&refusal.body(number)), retry_after));
        }
        if let Some(Fault::Status(Moment::Before, status)) = fault {
            return Ok(failure(status, number));
        }
        let reply = self.state().apply(&self.0.url, &request, &call);
        self.fail(fault, Moment::After).await?;
        if let Some(Fault::Status(Moment::After, status)) = fault {
            return Ok(failure(status, number));
        }
        let (status, body) = match reply {
            Ok((status, body)) => (status, body),
            Err(refusal) => (refusal.status, Some(refusal.body(number))),
        };
        // The test may have forgotten the call.
        if let Some(call) = self.state().calls.get_mut(number - 1) {
            call.status = Some(status);
            let error = body.as_ref().and_then(|body| body.pointer("/error/message"));
            call.error = error.map(|message| message.as_str().unwrap().to_owned());
        }
        Ok(response(status, body.as_ref(), None))
    }

    /// Closes the connection or holds the call, if the fault says so for this moment.
    async fn fail(&self, fault: Option<Fault>, moment: Moment) -> Result<(), Closed> {
        match fault {
            Some(Fault::Drop(it)) if it == moment => Err(Closed),
            Some(Fault::Hold(it)) if it == moment => {
                self.0.held.send_modify(|held| *held += 1);
                let _ = self.0.released.subscribe().wait_for(|released| *released).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl State {
    /// Applies a call, unless a check or a rule refuses it.
    fn apply(&mut self, base: &str, http: &HttpRequest<Bytes>, call: &Call) -> Reply {
        let header = |name: &str| http.headers().get(name).and_then(|it| it.to_str().ok());
        let scopes = token::scopes(header("authorization"))?;
        let path = percent_decoded(http.uri().path());
        let route = Route::parse(&path)?;
        self.account.check(&scopes, call.is_write(), route.collection)?;
        let has_body = !http.body().is_empty();
        let is_json = header("content-type").is_some_and(|it| {
            it.split(';').next().is_some_and(|it| it.trim() == "application/json")
        });
        if has_body && (!is_json || call.body.is_null()) {
            let message = "Unable to read JSON request payload. Please ensure Content-Type header \
                           is set and payload is of valid JSON format.";
            return Err(Refusal::new(400, "BadRequest", message));
        }
        let request = Request {
            method: call.method.clone(),
            account: self.account,
            route,
            query: Query::parse(http.uri().query().unwrap_or_default())?,
            creates: header("prefer") == Some("create-if-missing"),
            body: call.body.clone(),
            base: base.to_owned(),
        };
        self.directory.respond(&request)
    }

    fn find(&mut self, key: &str, value: &str) -> &mut Object {
        let mut all = self.directory.applications.iter_mut();
        all.find(|it| it.text(key) == value).unwrap()
    }
}

fn failure(status: u16, number: usize) -> Response<Full<Bytes>> {
    let refusal = Refusal::new(status, "InternalServerError", "Something went wrong.");
    response(status, Some(&refusal.body(number)), None)
}

fn response(status: u16, body: Option<&Value>, retry_after: Option<&str>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    if body.is_some() {
        response = response.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(value) = retry_after {
        response = response.header(header::RETRY_AFTER, value);
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    response.body(Full::from(body)).unwrap()
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
