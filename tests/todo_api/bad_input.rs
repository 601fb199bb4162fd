//! Invalid requests, and the clear response to each of them.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Answer, App};

#[tokio::test]
async fn an_authorization_header_must_be_one_bearer_token() {
    let app = App::start().await;
    let token = app.token("uma").await;
    let long = "a".repeat(20_000);
    for (value, code) in [
        ("Bearer".to_owned(), "invalid_token"),
        ("Bearer ".to_owned(), "invalid_token"),
        (format!("Bearer \t{token}"), "invalid_token"),
        (format!("Bearer {token} {token}"), "invalid_token"),
        (format!("Bearer {token}, Bearer {token}"), "invalid_token"),
        (format!("Bearer {long}"), "invalid_token"),
        ("Bearer a.b".to_owned(), "invalid_token"),
        ("Bearer ...".to_owned(), "invalid_token"),
        ("Basic dW1hOnBhc3N3b3Jk".to_owned(), "missing_token"),
        (token.clone(), "missing_token"),
    ] {
        let answer = with_headers(&app, &[("authorization", &value)]).await;
        answer.assert_problem(401, code);
        assert!(!answer.body.to_string().contains(&token), "the response contains the token");
    }
    let bearer = format!("Bearer {token}");
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    with_headers(&app, &twice).await.assert_problem(400, "invalid_request");
    let lower = format!("bearer {token}");
    assert_eq!(with_headers(&app, &[("authorization", &lower)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_in_the_query_or_the_body_is_ignored() {
    let app = App::start().await;
    let token = app.token("uma").await;
    let path = format!("/todoitems?access_token={token}");
    app.send(None, Method::GET, &path, None).await.assert_problem(401, "missing_token");
    let body = Some(json!({ "access_token": token }));
    app.send(None, Method::POST, "/todoitems", body).await.assert_problem(401, "missing_token");
}

#[tokio::test]
async fn headers_over_64_kib_are_refused_with_a_problem() {
    let app = App::start().await;
    for size in [70_000, 1_000_000, 1_048_576] {
        let answer = with_headers(&app, &[("x-padding", &"a".repeat(size))]).await;
        answer.assert_problem(431, "headers_too_large");
    }
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_refused_and_nothing_is_stored() {
    let app = App::start().await;
    let name = "a".repeat(1_048_576);
    let body = json!({ "item": { "name": name } });
    let answer = app.send_as("uma", Method::POST, "/todoitems", Some(body)).await;
    answer.assert_problem(413, "payload_too_large");

    // A body without a declared length is counted while it arrives.
    let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", name.len(), name);
    let head = head(&app, "uma", "transfer-encoding: chunked").await;
    let answer = app.send_bytes(format!("{head}{chunked}").as_bytes()).await;
    answer.assert_problem(413, "payload_too_large");
    assert!(app.names("uma").await.is_empty());
}

#[tokio::test]
async fn the_largest_body_is_64_kib() {
    let app = App::start().await;
    for (size, status) in [(65_536, 201), (65_537, 413)] {
        let text = r#"{"item":{"name":"Rest"}}"#;
        let body = text.to_owned() + &" ".repeat(size - text.len());
        let answer = post(&app, Some("application/json"), body.into_bytes()).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
}

#[tokio::test]
async fn only_application_json_is_read() {
    let app = App::start().await;
    let body = br#"{"item":{"name":"Walk the dog"}}"#;
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json", ""]
    {
        let answer = post(&app, Some(media_type), body.to_vec()).await;
        answer.assert_problem(415, "unsupported_media_type");
    }
    post(&app, None, body.to_vec()).await.assert_problem(415, "unsupported_media_type");
    for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let answer = post(&app, Some(media_type), body.to_vec()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{media_type}");
    }
}

#[tokio::test]
async fn only_an_uncompressed_body_is_read() {
    let app = App::start().await;
    for (coding, status) in [
        ("gzip", 415),
        ("GZIP", 415),
        ("br", 415),
        ("identity, gzip", 415),
        ("identity", 201),
        ("", 201),
    ] {
        let headers = [("content-encoding", coding)];
        let body = Some(json!({ "item": { "name": "Walk the dog" } }));
        let answer = app.send_with("uma", Method::POST, "/todoitems", &headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{coding}: {answer:?}");
        if status == 415 {
            answer.assert_problem(415, "unsupported_media_type");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("Content-Encoding"), "{detail}");
            assert_eq!(answer.header("accept-encoding"), "identity");
        }
    }
}

/// RFC 5789, section 2.2.
#[tokio::test]
async fn an_unsupported_patch_is_told_which_media_type_is_accepted() {
    let app = App::start().await;
    let id = app.create("uma", "Walk the dog").await["id"].to_string();
    let token = app.token("uma").await;
    for (method, path, accepted) in [
        (Method::PATCH, format!("/todoitems/{id}"), "application/json"),
        (Method::POST, "/todoitems".to_owned(), ""),
    ] {
        let request = app.request(Some(&token), method, &path);
        let request = request.header(header::CONTENT_TYPE, "application/merge-patch+json");
        let answer = Answer::of(request.body("{}").send().await.unwrap()).await;
        answer.assert_problem(415, "unsupported_media_type");
        assert_eq!(answer.header("accept-patch"), accepted, "{path}");
    }
}

/// RFC 9112, section 3.2.
#[tokio::test]
async fn a_request_has_one_valid_host() {
    let app = App::start().await;
    for (version, hosts, status) in [
        ("1.1", &[] as &[&str], 400),
        ("1.1", &["localhost", "localhost"], 400),
        ("1.1", &[""], 400),
        ("1.1", &["http://localhost"], 400),
        ("1.1", &["local host"], 400),
        ("1.1", &["localhost:http"], 400),
        ("1.1", &["\u{e9}"], 400),
        ("1.0", &["localhost", "localhost"], 400),
        ("1.0", &["a/b"], 400),
        ("1.1", &["todo.example:8000"], 200),
        ("1.1", &["[::1]:8000"], 200),
        ("1.0", &[], 200),
    ] {
        for path in ["/health", "/docs", "http://todo.example/health"] {
            let fields: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
            let request = format!("GET {path} HTTP/{version}\r\nconnection: close\r\n{fields}\r\n");
            let answer = app.send_bytes(request.as_bytes()).await;
            assert_eq!(answer.status.as_u16(), status, "{request}: {answer:?}");
            if status == 400 {
                answer.assert_field_error("header:Host", "");
            }
        }
    }
}

#[tokio::test]
async fn an_invalid_body_is_refused_with_a_pointer_to_the_error() {
    let app = App::start().await;
    for (body, pointer, text) in [
        (r#""#, "#", "EOF"),
        (r#"{"#, "#", "EOF"),
        (r#"[]"#, "#", "invalid type: sequence, expected an object"),
        (r#"[["a"]]"#, "#", "invalid type: sequence, expected an object"),
        (r#"[{"name":"a"}]"#, "#", "invalid type: sequence, expected an object"),
        (r#"{"item":["a"]}"#, "#/item", "invalid type: sequence, expected an object"),
        (r#"null"#, "#", "invalid type: null, expected an object"),
        (r#"{"item":{"name":"a"}} trailing"#, "#", "trailing"),
        (r#"{}"#, "#", "missing field `item`"),
        (r#"{"item":{}}"#, "#/item", "missing field `name`"),
        (r#"{"item":null}"#, "#/item", "invalid type: null"),
        (r#"{"item":{"name":null}}"#, "#/item/name", "invalid type: null"),
        (r#"{"item":{"name":7}}"#, "#/item/name", "invalid type: integer"),
        (r#"{"item":{"name":["a"]}}"#, "#/item/name", "invalid type: sequence"),
        (r#"{"item":{"name":"a"},"admin":true}"#, "#/admin", "unknown field `admin`"),
        (r#"{"item":{"name":"a","id":7}}"#, "#/item/id", "unknown field `id`"),
        (r#"{"item":{"name":"a","owner_id":"x"}}"#, "#/item/owner_id", "unknown field `owner_id`"),
        (r#"{"item":{"name":"a","name":"b"}}"#, "#/item", "duplicate field `name`"),
        (r#"{"item":{"name":"\ud800"}}"#, "#/item/name", "escape"),
        (r#"{"item":{"name":""}}"#, "#/item/name", "at least 1"),
        (r#"{"item":{"name":" \t "}}"#, "#/item/name", "at least 1"),
        (r#"{"item":{"name":"a\u0000b"}}"#, "#/item/name", "control"),
        (r#"{"item":{"name":"a\nb"}}"#, "#/item/name", "control"),
    ] {
        let answer = post(&app, Some("application/json"), body.as_bytes().to_vec()).await;
        println!("{body}");
        answer.assert_field_error(pointer, text);
    }
    let answer =
        post(&app, Some("application/json"), b"{\"item\":{\"name\":\"\xff\"}}".to_vec()).await;
    answer.assert_problem(400, "invalid_request");
    assert!(app.names("uma").await.is_empty(), "part of an invalid body was stored");
}

#[tokio::test]
async fn a_name_has_1_to_200_characters_whatever_their_bytes() {
    let app = App::start().await;
    for (name, accepted) in [
        ("a".to_owned(), true),
        ("a".repeat(200), true),
        ("a".repeat(201), false),
        ("\u{1f415}".repeat(200), true),
        ("\u{1f415}".repeat(201), false),
        ("\u{202e}\u{5d0}\u{e9}".to_owned(), true),
    ] {
        let body = json!({ "item": { "name": name } });
        let answer = app.send_as("uma", Method::POST, "/todoitems", Some(body)).await;
        if accepted {
            assert_eq!(answer.body["item"]["name"], name);
        } else {
            answer.assert_field_error("#/item/name", "at most 200");
        }
    }
}

#[tokio::test]
async fn an_invalid_change_is_refused() {
    let app = App::start().await;
    let id = app.create("uma", "Walk the dog").await["id"].clone();
    let path = format!("/todoitems/{id}");
    for (change, pointer, text) in [
        (json!({ "item": null }), "#/item", "invalid type: null"),
        (json!({ "item": { "is_complete": "yes" } }), "#/item/is_complete", "invalid type: string"),
        (json!({ "item": { "id": 9 } }), "#/item/id", "unknown field `id`"),
        (json!({ "item": { "name": "" } }), "#/item/name", "at least 1"),
        (json!({ "name": "Rest" }), "#/name", "unknown field `name`"),
    ] {
        let answer = app.send_as("uma", Method::PATCH, &path, Some(change)).await;
        answer.assert_field_error(pointer, text);
    }
    assert_eq!(app.names("uma").await, ["Walk the dog"]);
}

#[tokio::test]
async fn an_id_is_a_positive_integer_in_canonical_form() {
    let app = App::start().await;
    let id = app.create("uma", "Walk the dog").await["id"].clone();
    assert_eq!(id, 1);
    let token = app.token("uma").await;
    for id in [
        "abc",
        "0",
        "-1",
        "+1",
        "01",
        "1.0",
        "1e0",
        "%20",
        "%31%20",
        "%00",
        "%D9%A1",
        "%FF",
        "9223372036854775808",
        "99999999999999999999999",
        "1%27%20OR%20%271",
    ] {
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let body = (method == Method::PATCH).then(|| json!({ "item": {} }));
            let answer = app.send(Some(&token), method, &format!("/todoitems/{id}"), body).await;
            println!("{id}");
            answer.assert_field_error("path:id", "whole number");
        }
    }
    let largest = "/todoitems/9223372036854775807";
    app.send(Some(&token), Method::GET, largest, None).await.assert_problem(404, "not_found");
    assert_eq!(app.names("uma").await, ["Walk the dog"]);
}

#[tokio::test]
async fn an_invalid_limit_or_cursor_is_refused() {
    let app = App::start().await;
    let token = app.token("uma").await;
    for (query, pointer) in [
        ("limit=0", "query:limit"),
        ("limit=1001", "query:limit"),
        ("limit=-1", "query:limit"),
        ("limit=%2B1", "query:limit"),
        ("limit=many", "query:limit"),
        ("limit=", "query:limit"),
        ("limit=99999999999", "query:limit"),
        ("after=1", "query:after"),
        ("after=", "query:after"),
        ("after=djE6MA", "query:after"),
        ("after=djE6LTE", "query:after"),
        ("after=djI6MQ", "query:after"),
        ("after=%00", "query:after"),
        ("after=djE6MQ%3D%3D", "query:after"),
        ("limit=1&limit=2", "query:limit"),
        ("limit=1&after=djE6MQ&limit=1", "query:limit"),
        ("limit=1&limit=", "query:limit"),
        ("after=djE6MQ&after=djE6MQ", "query:after"),
    ] {
        let path = format!("/todoitems?{query}");
        let answer = app.send(Some(&token), Method::GET, &path, None).await;
        println!("{query}");
        answer.assert_field_error(pointer, "");
    }
    for query in ["limit=1", "limit=1000", "unknown=1&unknown=2", "after=djE6MQ"] {
        let path = format!("/todoitems?{query}");
        let answer = app.send(Some(&token), Method::GET, &path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn an_unknown_path_causes_404_and_an_unknown_method_405() {
    let app = App::start().await;
    for path in ["/nothing", "/todoitems/1/2", "/todoitems/", "/docs/../nothing", "/%00"] {
        app.send(None, Method::GET, path, None).await.assert_problem(404, "not_found");
    }
    let unknown: Method = "PROPFIND".parse().unwrap();
    app.send(None, unknown, "/nothing", None).await.assert_problem(404, "not_found");
    for (method, path, allow) in [
        ("PUT", "/todoitems", "DELETE, GET, HEAD, POST"),
        ("OPTIONS", "/todoitems", "DELETE, GET, HEAD, POST"),
        ("TRACE", "/todoitems", "DELETE, GET, HEAD, POST"),
        ("QUERY", "/todoitems", "DELETE, GET, HEAD, POST"),
        ("PROPFIND", "/todoitems/1", "DELETE, GET, HEAD, PATCH"),
        // Methods are case-sensitive (RFC 9110, section 9.1).
        ("get", "/health", "GET, HEAD"),
        ("PUT", "/todoitems/1", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/todoitems/1", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/health", "GET, HEAD"),
        ("POST", "/docs", "GET, HEAD"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
        ("POST", "/oauth2-redirect", "GET, HEAD"),
        ("PUT", "/.well-known/oauth-protected-resource", "GET, HEAD"),
    ] {
        let answer = app.send(None, method.parse().unwrap(), path, None).await;
        answer.assert_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn head_responds_like_get_without_a_body() {
    let app = App::start().await;
    let token = app.token("uma").await;
    for path in ["/health", "/todoitems", "/docs"] {
        let answer = app.send(Some(&token), Method::HEAD, path, None).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, Value::Null), "{path}");
    }
}

async fn with_headers(app: &App, headers: &[(&str, &str)]) -> Answer {
    app.send_all(None, Method::GET, "/todoitems", headers, None).await
}

async fn post(app: &App, media_type: Option<&str>, body: Vec<u8>) -> Answer {
    let token = app.token("uma").await;
    let mut request = app.client.post(format!("{}/todoitems", app.url)).bearer_auth(token);
    if let Some(media_type) = media_type {
        request = request.header(header::CONTENT_TYPE, media_type);
    }
    Answer::of(request.body(body).send().await.unwrap()).await
}

/// The head of a POST request, for bodies that no HTTP client sends.
async fn head(app: &App, person: &str, extra: &str) -> String {
    let token = app.token(person).await;
    format!(
        "POST /todoitems HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nconnection: close\r\n{extra}\r\n\r\n"
    )
}
