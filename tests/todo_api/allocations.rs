//! Counts the memory allocations of a request, between the parsed header and the response.

use allocation_counter::measure;
use futures_util::FutureExt;
use poem::{
    Endpoint, Request, Response,
    http::{Method, StatusCode, header},
};

use crate::support::{App, wait_until};

#[tokio::test]
async fn a_page_of_three_todos_takes_at_most_40_allocations() {
    let app = App::start().await;
    for name in ["Walk the dog", "Buy milk", "Call Ada"] {
        app.create("uma", name).await;
    }
    let token = app.token("uma").await;
    let server = app.assemble_another().await;
    let request = || {
        Request::builder()
            .method(Method::GET)
            .uri_str("/todoitems")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .finish()
    };
    // The server fetches the keys. Then it remembers the token.
    let accepts =
        async || server.endpoint().get_response(request()).await.status() == StatusCode::OK;
    wait_until("the server accepts the token", accepts).await;

    let request = request();
    let mut response: Option<Response> = None;
    let counted = measure(|| response = server.endpoint().get_response(request).now_or_never());

    let mut response = response.expect("a request for a page never waits");
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.take_body().into_string().await.unwrap();
    assert_eq!(body.matches("\"id\"").count(), 3, "{body}");
    assert!(counted.count_total <= 40, "{}", counted.count_total);
}
