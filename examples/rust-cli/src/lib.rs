//! A command-line client of the todo API. [`run`] is the program, and [`client`] is what progenitor
//! generates from the OpenAPI document.

mod sign_in;

use std::num::NonZeroU64;

use anyhow::{Context, anyhow, bail};
use reqwest::header;

use self::{
    client::{
        Client, Error,
        types::{Problem, Todo, TodoChange, TodoChangeItem, TodoCreation, TodoCreationItem},
    },
    sign_in::sign_in,
};

/// The generated client.
#[allow(missing_docs, unreachable_pub, reason = "generated")]
pub mod client {
    progenitor::generate_api!(
        spec = { path = "openapi.json", relative_to = OutDir },
        interface = Builder,
    );
}

/// Where the API and its tenant are.
#[derive(Debug)]
pub struct Settings {
    /// The URL of the API.
    pub api_url: String,
    /// The scope to request, as a URI.
    pub scope: String,
    /// The URL of Microsoft Entra ID, such as `https://login.microsoftonline.com`.
    pub instance: String,
    /// The tenant's id.
    pub tenant: String,
    /// The id of this program's app registration, a public client.
    pub client_id: String,
}

/// Where a person signs in for this program.
#[derive(Debug)]
pub struct DeviceCode {
    /// The page to open.
    pub page: String,
    /// The code to enter there.
    pub code: String,
}

const USAGE: &str = "usage: todo-cli list | add NAME | done ID | delete ID";

/// Signs somebody in and carries out one command. Returns the lines to print. `show` tells the
/// person where to sign in.
///
/// # Errors
///
/// If the command is unknown, the person does not sign in, or the API refuses the request.
pub async fn run(
    settings: &Settings,
    command: &[&str],
    show: impl AsyncFnOnce(DeviceCode),
) -> anyhow::Result<Vec<String>> {
    let command = Command::parse(command)?;
    let token = sign_in(settings, show).await?;
    let client = client_of(&settings.api_url, &token)?;
    match command {
        Command::List => list(&client).await,
        Command::Add(name) => add(&client, name).await,
        Command::Done(id) => complete(&client, id).await,
        Command::Delete(id) => {
            client.delete_todo().id(id).send().await.map_err(explain)?;
            Ok(Vec::new())
        }
    }
}

enum Command<'a> {
    List,
    Add(&'a str),
    Done(NonZeroU64),
    Delete(NonZeroU64),
}

impl<'a> Command<'a> {
    fn parse(arguments: &[&'a str]) -> anyhow::Result<Self> {
        Ok(match arguments {
            ["list"] => Self::List,
            ["add", name] => Self::Add(name),
            ["done", id] => Self::Done(id.parse().context(USAGE)?),
            ["delete", id] => Self::Delete(id.parse().context(USAGE)?),
            _ => bail!(USAGE),
        })
    }
}

/// A generated client that sends this access token.
///
/// # Errors
///
/// If the token is not ASCII, or TLS cannot be set up.
pub fn client_of(api_url: &str, token: &str) -> anyhow::Result<Client> {
    let mut authorization = header::HeaderValue::try_from(format!("Bearer {token}"))?;
    authorization.set_sensitive(true);
    let headers = header::HeaderMap::from_iter([(header::AUTHORIZATION, authorization)]);
    let http = reqwest::Client::builder().default_headers(headers).build()?;
    Ok(Client::new_with_client(api_url, http))
}

async fn list(client: &Client) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let request = client.list_todos();
        let request = match after {
            Some(after) => request.after(after),
            None => request,
        };
        let page = request.send().await.map_err(explain)?.into_inner();
        lines.extend(page.items.iter().map(line));
        after = page.next;
        if after.is_none() {
            return Ok(lines);
        }
    }
}

async fn add(client: &Client, name: &str) -> anyhow::Result<Vec<String>> {
    // The document says what a name may be, so an invalid one is not even sent.
    let name = name.parse().map_err(|error| anyhow!("this name is not allowed: {error}"))?;
    let body = TodoCreation { item: TodoCreationItem { name } };
    let created = client.create_todo().body(body).send().await.map_err(explain)?;
    Ok(vec![line(&created.item)])
}

/// Completes a todo unless somebody changes it at the same time.
async fn complete(client: &Client, id: NonZeroU64) -> anyhow::Result<Vec<String>> {
    let found = client.get_todo().id(id).send().await.map_err(explain)?;
    let tag = found.headers().get(header::ETAG).context("the API has sent no ETag")?.to_str()?;
    let item = TodoChangeItem { is_complete: Some(true), name: None };
    let request = client.update_todo().id(id).if_match(tag).body(TodoChange { item });
    let changed = request.send().await.map_err(explain)?;
    Ok(vec![line(&changed.item)])
}

fn line(todo: &Todo) -> String {
    let mark = if todo.is_complete { "x" } else { " " };
    format!("{} [{mark}] {}", todo.id, todo.name)
}

/// The stable code and the text of the problem that the API has sent, or another error.
fn explain(error: Error<Problem>) -> anyhow::Error {
    match error {
        Error::ErrorResponse(problem) => anyhow!("{}: {}", problem.code, problem.detail),
        other => other.into(),
    }
}
