//! `ETag`, `If-Match` and `If-None-Match`, which keep two tabs from overwriting each other.

mod table;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, Database, on_both};

use self::table::every_operation_evaluates_or_refuses_each_condition;

on_both!(
    every_operation_evaluates_or_refuses_each_condition,
    a_change_to_an_outdated_copy_changes_nothing,
    one_of_many_changes_to_the_same_version_succeeds,
    a_change_without_effect_keeps_the_entity_tag,
    an_unchanged_todo_causes_304,
    an_unchanged_page_causes_304,
    if_none_match_refuses_a_change_to_the_version_it_names,
    conditions_follow_rfc_9110,
    a_condition_on_an_inaccessible_todo_is_not_evaluated,
);

async fn a_change_to_an_outdated_copy_changes_nothing(database: Database) {
    let app = App::on(database).await;
    let (path, first) = created(&app).await;
    let answer = change(&app, &path, &first, "first tab").await;
    assert_eq!(answer.status, StatusCode::OK);
    let second = answer.header("etag").to_owned();
    assert_ne!(first, second);

    change(&app, &path, &first, "second tab").await.assert_problem(412, "precondition_failed");
    let headers = [("if-match", first.as_str())];
    let answer = send(&app, Method::DELETE, &path, &headers, None).await;
    answer.assert_problem(412, "precondition_failed");
    let answer = send(&app, Method::GET, &path, &[], None).await;
    assert_eq!(answer.body["item"]["name"], "first tab");
    assert_eq!(answer.header("etag"), second);

    // Without a condition, the last change wins.
    assert_eq!(send(&app, Method::PATCH, &path, &[], named("third")).await.status, StatusCode::OK);
    change(&app, &path, &second, "fourth").await.assert_problem(412, "precondition_failed");
    let newest = send(&app, Method::GET, &path, &[], None).await.header("etag").to_owned();
    let headers = [("if-match", newest.as_str())];
    let answer = send(&app, Method::DELETE, &path, &headers, None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

async fn one_of_many_changes_to_the_same_version_succeeds(database: Database) {
    let app = App::on(database).await;
    let (path, tag) = created(&app).await;
    let names: Vec<_> = (0..16).map(|number| format!("tab {number}")).collect();
    let changes = names.iter().map(|name| change(&app, &path, &tag, name));
    let answers = futures_util::future::join_all(changes).await;
    let (won, lost): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(won.len(), 1, "{won:?}");
    lost.iter().for_each(|answer| answer.assert_problem(412, "precondition_failed"));
    let kept = send(&app, Method::GET, &path, &[], None).await;
    assert_eq!(kept.body, won[0].body);
    assert_eq!(kept.header("etag"), won[0].header("etag"));
}

async fn a_change_without_effect_keeps_the_entity_tag(database: Database) {
    let app = App::on(database).await;
    let (path, tag) = created(&app).await;
    let name = send(&app, Method::GET, &path, &[], None).await.body["item"]["name"].clone();
    for (item, same) in [
        (json!({}), true),
        (json!({ "name": name, "is_complete": false }), true),
        (json!({ "is_complete": true }), false),
    ] {
        let body = Some(json!({ "item": item }));
        let answer = send(&app, Method::PATCH, &path, &[("if-match", &tag)], body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.header("etag") == tag, same, "{item}");
    }
}

async fn an_unchanged_todo_causes_304(database: Database) {
    let app = App::on(database).await;
    let (path, tag) = created(&app).await;
    let weak = format!("\"other\", W/{tag}");
    for known in [tag.as_str(), &weak, "*"] {
        let answer = send(&app, Method::GET, &path, &[("if-none-match", known)], None).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::NOT_MODIFIED, &Value::Null));
        assert_eq!(answer.header("etag"), tag);
    }
    change(&app, &path, &tag, "Walk the cat").await;
    let answer = send(&app, Method::GET, &path, &[("if-none-match", &tag)], None).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["item"]["name"], "Walk the cat");
}

async fn an_unchanged_page_causes_304(database: Database) {
    let app = App::on(database).await;
    let page = "/todoitems?limit=2";
    let list = async |known: &[(&str, &str)]| send(&app, Method::GET, page, known, None).await;
    let mut tags = vec![list(&[]).await.header("etag").to_owned()];
    let (path, first) = created(&app).await;

    let changed = async |tags: &mut Vec<String>| {
        let known = tags.join(", ");
        let answer = list(&[("if-none-match", &known)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{tags:?}");
        let tag = answer.header("etag").to_owned();
        assert!(!tags.contains(&tag), "{tags:?} {answer:?}");
        for known in [tag.as_str(), &format!("\"other\", W/{tag}"), "*"] {
            let answer = list(&[("if-none-match", known)]).await;
            assert_eq!((answer.status, &answer.body), (StatusCode::NOT_MODIFIED, &Value::Null));
            assert_eq!(answer.header("etag"), tag);
        }
        tags.push(tag);
    };
    changed(&mut tags).await;
    created(&app).await;
    changed(&mut tags).await;
    change(&app, &path, &first, "Walk the cat").await;
    changed(&mut tags).await;
    // A third todo is not on the page, but the page is no longer the last one.
    created(&app).await;
    changed(&mut tags).await;
    // A fourth is not on the page either, but the tag covers todos after the page.
    created(&app).await;
    changed(&mut tags).await;
    // A todo of another user is not in the list.
    app.create("ulf", "Walk the cat").await;
    let newest = tags.last().unwrap().clone();
    let answer = list(&[("if-none-match", &newest)]).await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
    assert_eq!(send(&app, Method::DELETE, &path, &[], None).await.status, StatusCode::NO_CONTENT);
    changed(&mut tags).await;

    // The page of another user has another tag.
    let answer = app.send_with("ulf", Method::GET, page, &[("if-none-match", &newest)], None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

async fn if_none_match_refuses_a_change_to_the_version_it_names(database: Database) {
    let app = App::on(database).await;
    let (path, tag) = created(&app).await;
    for method in [Method::PATCH, Method::DELETE] {
        let body = || named("Rest").filter(|_| method == Method::PATCH);
        let unexpected = [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()];
        for value in &unexpected {
            let headers = [("if-none-match", value.as_str())];
            let answer = send(&app, method.clone(), &path, &headers, body()).await;
            answer.assert_problem(412, "precondition_failed");
        }
        // Both must hold.
        let headers = [("if-match", tag.as_str()), ("if-none-match", &tag)];
        let answer = send(&app, method.clone(), &path, &headers, body()).await;
        answer.assert_problem(412, "precondition_failed");
    }
    let kept = send(&app, Method::GET, &path, &[], None).await;
    assert_eq!((kept.header("etag"), &kept.body["item"]["name"]), (&*tag, &json!("Walk the dog")));
    let headers = [("if-match", tag.as_str()), ("if-none-match", "\"other\"")];
    let answer = send(&app, Method::PATCH, &path, &headers, named("Rest")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let headers = [("if-none-match", tag.as_str())];
    let answer = send(&app, Method::DELETE, &path, &headers, None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
}

async fn conditions_follow_rfc_9110(database: Database) {
    let app = App::on(database).await;
    let (path, tag) = created(&app).await;
    for (value, status) in [
        (format!("W/{tag}, \"other\""), 412),
        ("\"other\"  ,, \"and,another\"".into(), 412),
        (format!("W/\"other\", {tag}"), 200),
        (format!("\"other\",{}", "\"2\""), 200),
    ] {
        let answer = change(&app, &path, &value, &format!("matches {value}")).await;
        assert_eq!(answer.status.as_u16(), status, "{value}: {answer:?}");
    }
    for value in [",", "1", "\"1", "*, \"1\"", "\"\u{e9}\""] {
        for (method, name, body) in [
            (Method::GET, "if-match", None),
            (Method::GET, "if-none-match", None),
            (Method::PATCH, "if-match", named("Rest")),
            (Method::DELETE, "if-match", None),
            (Method::PATCH, "if-none-match", named("Rest")),
            (Method::DELETE, "if-none-match", None),
        ] {
            let answer = send(&app, method, &path, &[(name, value)], body).await;
            answer.assert_problem(400, "invalid_request");
            let place = answer.body["errors"][0]["pointer"].as_str().unwrap();
            assert!(place.eq_ignore_ascii_case(&format!("header:{name}")), "{place}");
        }
    }
    // A list may consist of several header lines.
    let headers = [("if-none-match", "\"other\""), ("if-none-match", "\"3\"")];
    let answer = send(&app, Method::GET, &path, &headers, None).await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{answer:?}");
    for (name, status) in [("if-match", 400), ("if-none-match", 200)] {
        let answer = send(&app, Method::GET, &path, &[(name, ""), (name, "")], None).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {answer:?}");
    }
    // `If-Match` comes first: the client must not believe that its copy is current.
    let headers = [("if-match", "\"other\""), ("if-none-match", "\"3\"")];
    let answer = send(&app, Method::GET, &path, &headers, None).await;
    answer.assert_problem(412, "precondition_failed");
}

/// RFC 9110, section 13.2.1: a request that would fail anyway fails as without the condition.
async fn a_condition_on_an_inaccessible_todo_is_not_evaluated(database: Database) {
    let app = App::on(database).await;
    let (path, tag) = created(&app).await;
    let token = app.token("ulf").await;
    for (path, status) in [(path.as_str(), 403), ("/todoitems/999", 404)] {
        for value in [tag.as_str(), "\"other\"", "*"] {
            let request = app.client.delete(format!("{}{path}", app.url));
            let request = request.header("if-match", value).bearer_auth(&token);
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(answer.status.as_u16(), status, "{value}: {answer:?}");
        }
    }
}

/// Creates a todo of Uma and returns its path and `ETag`.
async fn created(app: &App) -> (String, String) {
    let answer = send(app, Method::POST, "/todoitems", &[], named("Walk the dog")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    (answer.header("location").to_owned(), answer.header("etag").to_owned())
}

async fn change(app: &App, path: &str, expected: &str, name: &str) -> Answer {
    send(app, Method::PATCH, path, &[("if-match", expected)], named(name)).await
}

async fn send(
    app: &App,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    app.send_with("uma", method, path, headers, body).await
}

fn named(name: &str) -> Option<Value> {
    Some(json!({ "item": { "name": name } }))
}
