//! The todos that every server lists.

use std::sync::LazyLock;

use poem_openapi::Object;
use serde::Serialize;
use uuid::{Uuid, uuid};

pub const PATH: &str = "/todoitems";
pub const MEDIA_TYPE: &str = "application/json";

#[derive(Clone, Serialize, Object)]
pub struct Todo {
    id: i64,
    name: String,
    owner_id: Uuid,
    is_complete: bool,
}

#[derive(Serialize, Object)]
pub struct Page {
    items: Vec<Todo>,
}

/// The page as it could come from a database: a new value for each request.
pub fn page() -> Page {
    static TODOS: LazyLock<Vec<Todo>> = LazyLock::new(|| {
        let names = ["Walk the dog", "Buy milk", "Water the plants"];
        let todo = |(name, id): (&str, i64)| Todo {
            id,
            name: name.to_owned(),
            owner_id: uuid!("0a000000-0000-4000-8000-000000000002"),
            is_complete: false,
        };
        names.into_iter().zip(1..).map(todo).collect()
    });
    Page { items: TODOS.clone() }
}

pub fn json() -> Vec<u8> {
    serde_json::to_vec(&page()).expect("a page is valid JSON")
}
