//! The request and response bodies of the operations on todos.
//!
//! A member whose type has a schema of its own gets no doc comment: poem-openapi would write an
//! `allOf`, from which some generators make a class that inherits from an enum.

use poem_openapi::{Object, types::Example};
use serde::{Deserialize, Serialize};

use crate::todo::{Change, NewTodo, Todo, TodoName};

use super::http::problem::Problem;

/// A todo.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Todo", example)]
pub(super) struct TodoBody {
    /// The id. It is never reused.
    #[oai(validator(minimum(value = "1")))]
    pub(super) id: i64,
    /// What to do.
    pub(super) name: String,
    /// The owner's object id (`oid`) in the tenant.
    pub(super) owner_id: uuid::Uuid,
    /// Whether the todo is complete.
    pub(super) is_complete: bool,
}

/// One todo.
#[derive(Debug, Serialize, Object)]
pub(super) struct TodoEnvelope {
    pub(super) item: TodoBody,
}

/// A page of todos, oldest first.
#[derive(Debug, Serialize, Object)]
pub(super) struct TodoPage {
    /// The todos on the page.
    pub(super) items: Vec<TodoBody>,
    /// The cursor of the next page, for `after`; absent on the last page.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// A todo to create.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[oai(deny_unknown_fields)]
pub(super) struct TodoCreation {
    pub(super) item: TodoCreationItem,
}

/// The members of a new todo.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[oai(deny_unknown_fields, example)]
pub(super) struct TodoCreationItem {
    /// What to do: 1 to 200 characters after trimming, without control characters.
    pub(super) name: String,
}

/// A change to a todo.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[oai(deny_unknown_fields)]
pub(super) struct TodoChange {
    pub(super) item: TodoChangeItem,
}

/// The members to change. Those that are absent or null keep their values.
#[derive(Debug, Deserialize, Object)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[oai(deny_unknown_fields, example)]
pub(super) struct TodoChangeItem {
    /// The new name: 1 to 200 characters after trimming, without control characters.
    #[oai(nullable, skip_serializing_if_is_none)]
    #[serde(default)]
    pub(super) name: Option<String>,
    /// Whether the todo is complete.
    #[oai(nullable, skip_serializing_if_is_none)]
    #[serde(default)]
    pub(super) is_complete: Option<bool>,
}

impl TodoCreationItem {
    pub(super) fn parse(&self) -> Result<NewTodo, Problem> {
        let Self { name } = self;
        Ok(NewTodo { name: parse_name(name)? })
    }
}

impl TodoChangeItem {
    pub(super) fn parse(&self) -> Result<Change, Problem> {
        let Self { name, is_complete } = self;
        let name = name.as_deref().map(parse_name).transpose()?;
        Ok(Change { name, is_complete: *is_complete })
    }
}

/// Parses the name in a request body.
pub(super) fn parse_name(text: &str) -> Result<TodoName, Problem> {
    TodoName::parse(text).map_err(|error| Problem::invalid("#/item/name", error.to_string()))
}

impl From<Todo> for TodoBody {
    fn from(todo: Todo) -> Self {
        let Todo { id, name, owner, is_complete, version: _ } = todo;
        Self { id: id.get(), name: name.into_string(), owner_id: owner.object_id, is_complete }
    }
}

impl From<Todo> for TodoEnvelope {
    fn from(todo: Todo) -> Self {
        Self { item: todo.into() }
    }
}

impl Example for TodoBody {
    fn example() -> Self {
        Self {
            id: 1,
            name: "Walk the dog".into(),
            owner_id: uuid::uuid!("0a000000-0000-4000-8000-000000000002"),
            is_complete: false,
        }
    }
}

impl Example for TodoCreationItem {
    fn example() -> Self {
        Self { name: "Walk the dog".into() }
    }
}

impl Example for TodoChangeItem {
    fn example() -> Self {
        Self { name: Some("Walk the dog twice".into()), is_complete: Some(true) }
    }
}
