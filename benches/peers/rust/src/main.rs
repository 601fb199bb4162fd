//! Small servers that `make bench` compares the todo API with. Each has one operation,
//! `GET /todoitems`, and answers from memory with the same bytes as the todo API. The todos are
//! serialized for each request.
//!
//!     bench-peers SERVER PORT
//!
//! `main` lists the servers. Those with authentication read `INSTANCE`, `TENANT` and `CLIENT_ID`
//! from the environment. `bench-peers commits` is not a server; see `commits.rs`.

mod actix;
mod authority;
mod axum;
mod commits;
mod openapi;
mod poem;
mod todos;

use std::env;

use anyhow::{Context, bail};

use self::authority::Authority;

fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let server = arguments.next().context("name a server")?;
    if server == "commits" {
        return commits::measure(arguments);
    }
    let port = arguments.next().context("name a port")?.parse()?;
    match server.as_str() {
        "poem" => run(poem::serve(port)),
        "poem-openapi" => run(openapi::serve(port)),
        "poem-entra" => run(openapi::serve_guarded(port, Authority::read()?, true)),
        "poem-entra-uncached" => run(openapi::serve_guarded(port, Authority::read()?, false)),
        "axum" => run(axum::serve(port, Authority::read()?)),
        // actix-web has its own runtime.
        "actix" => actix::serve(port, Authority::read()?),
        other => bail!("there is no server {other}"),
    }
}

fn run(server: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(server)
}
