//! Creates a todo with the access token in `TOKEN`.

use anyhow::bail;
use todo_cli::{
    client::{
        Error,
        types::{Todo, TodoCreation, TodoCreationItem},
    },
    client_of,
};

/// Creates a todo with this name.
pub async fn create(api_url: &str, token: &str, name: &str) -> anyhow::Result<Todo> {
    let body = TodoCreation { item: TodoCreationItem { name: name.parse()? } };
    match client_of(api_url, token)?.create_todo().body(body).send().await {
        Ok(created) => Ok(created.into_inner().item),
        Err(Error::ErrorResponse(problem)) => bail!("{}: {}", problem.code, problem.detail),
        Err(other) => bail!(other),
    }
}

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::disallowed_methods, reason = "the example reads its settings from the environment")]
async fn main() -> anyhow::Result<()> {
    let api_url = std::env::var("API_URL").unwrap_or_else(|_| "http://localhost:8000".to_owned());
    let todo = create(&api_url, &std::env::var("TOKEN")?, "Sing").await?;
    println!("created {}: {}", todo.id, todo.name);
    Ok(())
}
