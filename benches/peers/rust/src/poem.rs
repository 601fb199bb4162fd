//! poem alone, without authentication: what the other servers are compared with.

use ::poem::{Response, Route, Server, get, handler, listener::TcpListener};

use super::todos;

pub async fn serve(port: u16) -> anyhow::Result<()> {
    let routes = Route::new().at(todos::PATH, get(list_todos));
    Ok(Server::new(TcpListener::bind(("127.0.0.1", port))).run(routes).await?)
}

#[handler]
fn list_todos() -> Response {
    Response::builder().content_type(todos::MEDIA_TYPE).body(todos::json())
}
