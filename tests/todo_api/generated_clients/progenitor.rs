//! The client of progenitor, which the Rust example app contains. Cargo generates it.

#[allow(dead_code, unreachable_pub, reason = "its main function runs only as an example")]
#[path = "../../../examples/rust-cli/examples/create.rs"]
mod example;

use std::num::NonZeroU64;

use reqwest::{StatusCode, header};
use todo_cli::{
    client::{
        Client, Error, ResponseValue,
        types::{
            Problem, ProblemCode, TodoChange, TodoChangeItem, TodoCreation, TodoCreationItem,
            TodoEnvelope,
        },
    },
    client_of,
};
use toml::{Table, Value};

use crate::support::App;

use super::documented_steps;

#[tokio::test]
async fn progenitor_generates_a_client_that_works() {
    let app = App::start().await;
    let uma = client_of(&app.url, &app.token("uma").await).unwrap();
    let ulf = client_of(&app.url, &app.token("ulf").await).unwrap();
    let mut steps = Vec::new();

    let created = create(&uma, "Walk the dog").await.unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
    let (id, first) = (NonZeroU64::try_from(created.item.id).unwrap(), tag(&created));
    let todo = created.into_inner().item;
    assert_eq!((todo.name.as_str(), todo.is_complete), ("Walk the dog", false));
    steps.push("create");

    let list = uma.list_todos().send().await.unwrap();
    assert_eq!(list.items.len(), 1);
    assert_eq!((list.items[0].id, list.next.as_deref()), (todo.id, None));
    steps.push("list");

    create(&uma, "Feed the cat").await.unwrap();
    let page = uma.list_todos().limit(1).send().await.unwrap();
    let next = page.next.clone().unwrap();
    let last = uma.list_todos().limit(1).after(next).send().await.unwrap();
    let names = [&page.items[0].name, &last.items[0].name];
    assert_eq!((names, &last.next), ([&todo.name, &"Feed the cat".to_owned()], &None));
    steps.push("page");

    let found = uma.get_todo().id(id).send().await.unwrap();
    assert_eq!((found.item.id, &found.item.owner_id), (todo.id, &todo.owner_id));
    steps.push("get");

    let completion = TodoChangeItem { is_complete: Some(true), name: None };
    let request = uma.update_todo().id(id).if_match(&*first).body(TodoChange { item: completion });
    let changed = request.send().await.unwrap();
    // The name is not in the request, and keeps its value.
    assert_eq!((changed.item.is_complete, &changed.item.name), (true, &todo.name));
    let second = tag(&changed);
    assert_ne!(first, second);
    steps.push("patch with If-Match");

    let unchanged = uma.get_todo().id(id).if_none_match(&*second).send().await;
    let Err(Error::UnexpectedResponse(unchanged)) = unchanged else { panic!("{unchanged:?}") };
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    steps.push("304");

    let item = TodoChangeItem { is_complete: None, name: Some("Walk the cat".parse().unwrap()) };
    let request = uma.update_todo().id(id).if_match(&*first).body(TodoChange { item });
    let stale = problem(request.send().await, StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.code, ProblemCode::PreconditionFailed);
    steps.push("412");

    let foreign = problem(ulf.get_todo().id(id).send().await, StatusCode::FORBIDDEN);
    assert_eq!(foreign.code, ProblemCode::NotOwner);
    steps.push("403");

    let other = id.checked_add(1_000).unwrap();
    let missing = problem(uma.get_todo().id(other).send().await, StatusCode::NOT_FOUND);
    assert_eq!(missing.code, ProblemCode::NotFound);
    steps.push("404");

    // The client refuses an invalid name itself, but a cursor is any text.
    let invalid = uma.list_todos().after("invented").send().await;
    let invalid = problem(invalid, StatusCode::BAD_REQUEST);
    assert_eq!(invalid.code, ProblemCode::InvalidRequest);
    assert_eq!(invalid.errors[0].pointer, "query:after");
    steps.push("typed error");

    let deleted = uma.delete_todo().id(id).if_match(&*second).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let gone = problem(uma.delete_todo().id(id).send().await, StatusCode::NOT_FOUND);
    assert_eq!(gone.code, ProblemCode::NotFound);
    steps.push("delete");

    assert_eq!(steps, documented_steps(&format!("progenitor {}", locked_version("progenitor"))));
}

#[tokio::test]
async fn the_example_for_progenitor_works() {
    let app = App::start().await;
    let token = app.token("uma").await;
    assert_eq!(example::create(&app.url, &token, "Sing").await.unwrap().name, "Sing");
    let refused = example::create(&app.url, "opaque", "Sing").await.unwrap_err().to_string();
    assert!(refused.starts_with("invalid_token: "), "{refused}");
    let invalid = example::create(&app.url, &token, " ").await.unwrap_err().to_string();
    assert!(!invalid.starts_with("invalid_request"), "{invalid}");
}

async fn create(
    client: &Client,
    name: &str,
) -> Result<ResponseValue<TodoEnvelope>, Error<Problem>> {
    let item = TodoCreationItem { name: name.parse().unwrap() };
    client.create_todo().body(TodoCreation { item }).send().await
}

fn tag<T>(response: &ResponseValue<T>) -> String {
    response.headers()[header::ETAG].to_str().unwrap().to_owned()
}

/// The problem in an error response with this status.
fn problem<T: std::fmt::Debug>(
    result: Result<ResponseValue<T>, Error<Problem>>,
    status: StatusCode,
) -> Problem {
    let Err(Error::ErrorResponse(response)) = result else { panic!("{result:?}") };
    assert_eq!(response.status(), status);
    response.into_inner()
}

fn locked_version(name: &str) -> String {
    let lock: Table = include_str!("../../../Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let is_it = |package: &&Value| package["name"].as_str() == Some(name);
    packages.iter().find(is_it).unwrap()["version"].as_str().unwrap().to_owned()
}
