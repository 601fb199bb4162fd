//! axum with jwt-authorizer.

use ::axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, Validation};
use tokio::net::TcpListener;

use super::{
    authority::{Authority, Claims},
    todos,
};

pub async fn serve(port: u16, authority: Authority) -> anyhow::Result<()> {
    let metadata = authority.metadata().await?;
    let validation =
        Validation::new().aud(&[&authority.client_id]).iss(&[&metadata.issuer]).nbf(true);
    let authorizer: Authorizer<Claims> = JwtAuthorizer::from_jwks_url(&metadata.jwks_uri)
        .validation(validation)
        .check(Claims::may_list_todos)
        .build()
        .await?;
    let routes = Router::new().route(todos::PATH, get(list_todos)).layer(authorizer.into_layer());
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(::axum::serve(listener, routes).await?)
}

async fn list_todos() -> Response {
    ([(header::CONTENT_TYPE, todos::MEDIA_TYPE)], todos::json()).into_response()
}
