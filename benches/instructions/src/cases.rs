//! What is counted.

use std::{cell::RefCell, hint::black_box, io, pin::pin, sync::Arc, task};

use async_trait::async_trait;
use poem::{
    Endpoint, EndpointExt, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use poem_entra::{Policy, Requirement, User};
use todo_api::{
    api::{
        self,
        health::HealthApi,
        http::{
            edge::{self, Edge},
            limits::Limits,
            pages::Pages,
        },
        todos::TodosApi,
    },
    list::Listing,
    proxies::TrustedProxies,
    store::{Creation, ListCondition, StoreError, TodoStore},
    todo::{
        Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, TodoName, Version,
    },
};
use uuid::Uuid;

use crate::support::{World, sign, token};

/// The number of counted calls of each case. Their average is less sensitive to the random keys of
/// hash maps.
pub(crate) const CALLS: u64 = 50;

/// The cases, in the order in which [`run`] runs them.
pub(crate) const NAMES: &[&str] =
    &["authorization-header", "cached-token", "new-token", "problem", "page-of-three"];

/// Runs every case.
pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let cached = World::new();
    let uncached = World::with(|settings| settings.token_cache_entries = 0);
    runtime.block_on(async {
        cached.validator.warm_up().await;
        uncached.validator.warm_up().await;
    });
    let mut claims = cached.claims();
    claims["roles"] = vec!["Reader", "Writer"].into();
    claims["name"] = "Uma Ulrich".into();
    claims["preferred_username"] = "uma@contoso.example".into();
    claims["aio"] = "A".repeat(180).into();
    claims["rh"] = "B".repeat(60).into();
    claims["uti"] = "C".repeat(22).into();
    let authorized = bearer(&token(&claims));
    // Refused after its header is parsed.
    let header = r#"{"typ":"JWT","alg":"RS512","kid":"a"}"#;
    let refused = bearer(&sign(header, &claims.to_string(), 0));

    case(|| {
        assert!(ready(uncached.validator.authorize::<Writer>(black_box(&refused))).is_err());
    });
    case(|| {
        assert!(ready(cached.validator.authorize::<Writer>(black_box(&authorized))).is_ok());
    });
    case(|| {
        assert!(ready(uncached.validator.authorize::<Writer>(black_box(&authorized))).is_ok());
    });

    let endpoint = endpoint(&cached);
    requests(&endpoint, &HeaderMap::new(), StatusCode::UNAUTHORIZED);
    requests(&endpoint, &authorized, StatusCode::OK);
}

/// Counts calls of this function, after one call that fills caches.
fn case(call: impl Fn()) {
    call();
    counted(&call);
}

/// Callgrind finds this function by its name.
#[inline(never)]
fn counted(call: &dyn Fn()) {
    for _ in 0..CALLS {
        call();
    }
}

/// Counts requests for a list. The requests themselves are made before.
fn requests(endpoint: &BoxEndpoint<'static>, headers: &HeaderMap, status: StatusCode) {
    let request = || {
        let mut request = Request::builder().uri_str("/todoitems").finish();
        request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
        request.headers_mut().extend(headers.clone());
        request
    };
    let prepared: RefCell<Vec<_>> = RefCell::new((0..=CALLS).map(|_| request()).collect());
    case(|| {
        let request = prepared.borrow_mut().pop().unwrap();
        let response: Response = ready(endpoint.call(request)).unwrap();
        assert_eq!(response.status(), status);
    });
}

/// The result of a future that waits for nothing.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(future).poll(&mut context) {
        task::Poll::Ready(result) => result,
        task::Poll::Pending => panic!("a counted call waits for something"),
    }
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
}

/// A user with the scope and an app role.
struct Writer;

impl Policy for Writer {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Writer"]);
}

/// The API with todos in memory, without the log and the network.
fn endpoint(world: &World) -> BoxEndpoint<'static> {
    let store = Arc::new(OnePage);
    let validator = Arc::clone(&world.validator);
    let todos = TodosApi { store: store.clone(), base: String::new() };
    let health = HealthApi { validator: Arc::clone(&validator), store, stopping: Arc::default() };
    let routes = api::endpoint(todos, health, Pages::default());
    let edge = Arc::new(Edge {
        limits: Limits::new(TrustedProxies::default(), None),
        cors: None,
        requires_tls: false,
        explains_refusals: false,
    });
    let edge = move |next, request| edge::around_routes(Arc::clone(&edge), next, request);
    routes.data(validator).around(edge).boxed()
}

/// A store that always has the same three todos, and can only list them.
struct OnePage;

#[async_trait]
impl TodoStore for OnePage {
    async fn list(&self, _: &Access, _: Option<TodoId>, _: u16) -> Result<Listing, StoreError> {
        let owner = Owner { tenant: Tenant(Uuid::from_u128(1)), object_id: Uuid::from_u128(2) };
        let todo = |(id, name): (i64, &str)| Todo {
            id: TodoId::from_stored(id),
            name: TodoName::from_stored(name.to_owned()),
            owner,
            is_complete: false,
            version: Version::FIRST,
        };
        let names = ["Write the report", "Call the plumber", "Buy milk"];
        Ok(Listing { todos: (1..).zip(names).map(todo).collect(), rest: None })
    }

    async fn create(
        &self,
        _: &Owner,
        _: &NewTodo,
        _: Option<&IdempotencyKey>,
    ) -> Result<Creation, StoreError> {
        Err(not_counted())
    }

    async fn find(&self, _: Tenant, _: TodoId) -> Result<Option<Todo>, StoreError> {
        Err(not_counted())
    }

    async fn update(
        &self,
        _: &Access,
        _: TodoId,
        _: Option<Version>,
        _: &Change,
    ) -> Result<Option<Todo>, StoreError> {
        Err(not_counted())
    }

    async fn delete(&self, _: &Access, _: TodoId, _: Option<Version>) -> Result<bool, StoreError> {
        Err(not_counted())
    }

    async fn delete_all(
        &self,
        _: Tenant,
        _: Option<ListCondition>,
    ) -> Result<Option<u64>, StoreError> {
        Err(not_counted())
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

fn not_counted() -> StoreError {
    StoreError::Internal(Arc::new(io::Error::other("only lists are counted")))
}
