//! Deleting all todos only if the list has not changed since the caller read it.

mod on_postgres_only;
mod race;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, Database, on_both};

use self::race::delete_all_never_removes_what_the_tag_did_not_cover;

on_both!(
    a_todo_created_after_the_caller_looked_survives,
    a_todo_added_after_the_first_page_survives,
    a_changed_or_deleted_todo_refuses_delete_all,
    the_current_tag_lets_delete_all_through,
    if_none_match_refuses_the_current_tag,
    a_star_matches_every_list,
    if_match_and_if_none_match_must_both_hold,
    a_malformed_condition_deletes_nothing,
    authorization_comes_before_conditions,
    delete_all_never_removes_what_the_tag_did_not_cover,
);

async fn a_todo_created_after_the_caller_looked_survives(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    let tag = ada.tag().await;
    ada.app.create("ulf", "unseen").await;
    ada.delete_all(&[("if-match", &tag)]).await.assert_problem(412, "precondition_failed");
    assert_eq!(ada.app.names("ada").await, ["seen", "unseen"]);
}

async fn a_todo_added_after_the_first_page_survives(database: Database) {
    let ada = Ada::on(&database).await;
    database.fill(150).await;
    let tag = ada.tag().await;
    ada.app.create("uma", "unseen").await;
    ada.delete_all(&[("if-match", &tag)]).await.assert_problem(412, "precondition_failed");
    assert_eq!(ada.todos().await, 151);
    // An admin's list has the todos of the whole tenant; the list of the owner has another tag.
    let owners = ada.app.send_as("uma", Method::GET, "/todoitems", None).await;
    let owners = owners.header("etag").to_owned();
    ada.app.create("uma", "also unseen").await;
    let again = ada.app.send_as("uma", Method::GET, "/todoitems", None).await;
    assert_ne!(again.header("etag"), owners);
}

async fn a_changed_or_deleted_todo_refuses_delete_all(database: Database) {
    let ada = Ada::on(&database).await;
    for method in [Method::PATCH, Method::DELETE] {
        let path = format!("/todoitems/{}", ada.app.create("uma", "seen").await["id"]);
        let tag = ada.tag().await;
        let body = (method == Method::PATCH).then(|| json!({ "item": { "is_complete": true } }));
        ada.app.send_as("uma", method, &path, body).await;
        ada.delete_all(&[("if-match", &tag)]).await.assert_problem(412, "precondition_failed");
    }
    assert_eq!(ada.todos().await, 1);
}

async fn the_current_tag_lets_delete_all_through(database: Database) {
    let ada = Ada::on(&database).await;
    for todos in [0, 1, 100, 101, 250] {
        database.fill(todos).await;
        let tag = ada.tag().await;
        let tags = format!("\"another\", {tag}");
        let answer = ada.delete_all(&[("if-match", &tags)]).await;
        assert_eq!((answer.status, answer.body), (StatusCode::NO_CONTENT, Value::Null), "{todos}");
        assert_eq!(ada.todos().await, 0);
        // The list has changed, unless it was empty before.
        let answer = ada.delete_all(&[("if-match", &tag)]).await;
        assert_eq!(answer.status == StatusCode::NO_CONTENT, todos == 0, "{todos}: {answer:?}");
    }
}

async fn if_none_match_refuses_the_current_tag(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    let tag = ada.tag().await;
    for value in [tag.clone(), format!("W/{tag}"), format!("\"another\", {tag}")] {
        let answer = ada.delete_all(&[("if-none-match", &value)]).await;
        answer.assert_problem(412, "precondition_failed");
    }
    assert_eq!(ada.todos().await, 1);
    let answer = ada.delete_all(&[("if-none-match", "\"another\"")]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(ada.todos().await, 0);
}

async fn a_star_matches_every_list(database: Database) {
    let ada = Ada::on(&database).await;
    for todos in [0, 1] {
        database.fill(todos).await;
        let answer = ada.delete_all(&[("if-none-match", "*")]).await;
        answer.assert_problem(412, "precondition_failed");
        assert_eq!(ada.todos().await, todos);
        let answer = ada.delete_all(&[("if-match", "*")]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{todos}");
        assert_eq!(ada.todos().await, 0);
    }
}

async fn if_match_and_if_none_match_must_both_hold(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    let tag = ada.tag().await;
    for (expected, unexpected, status) in [
        (tag.as_str(), tag.as_str(), 412),
        ("\"another\"", "\"another\"", 412),
        ("\"another\"", &tag, 412),
        (&tag, "\"another\"", 204),
    ] {
        let conditions = [("if-match", expected), ("if-none-match", unexpected)];
        let answer = ada.delete_all(&conditions).await;
        assert_eq!(answer.status.as_u16(), status, "{conditions:?}: {answer:?}");
    }
}

async fn a_malformed_condition_deletes_nothing(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    for name in ["if-match", "if-none-match"] {
        let empty = Some("").filter(|_| name == "if-match");
        for value in ["1", "\"1", "*, \"1\""].into_iter().chain(empty) {
            let answer = ada.delete_all(&[(name, value)]).await;
            answer.assert_problem(400, "invalid_request");
            let place = answer.body["errors"][0]["pointer"].as_str().unwrap();
            assert!(place.eq_ignore_ascii_case(&format!("header:{name}")), "{place}");
        }
    }
    assert_eq!(ada.todos().await, 1);
}

async fn authorization_comes_before_conditions(database: Database) {
    let ada = Ada::on(&database).await;
    let uma = ada.app.token("uma").await;
    for value in ["1", "\"another\"", "*"] {
        for name in ["if-match", "if-none-match"] {
            let answer = delete_all(&ada.app, None, &[(name, value)]).await;
            answer.assert_problem(401, "missing_token");
            let answer = delete_all(&ada.app, Some(&uma), &[(name, value)]).await;
            answer.assert_problem(403, "insufficient_role");
        }
    }
}

/// An admin of Contoso with a token.
struct Ada {
    app: App,
    token: String,
}

impl Ada {
    async fn on(database: &Database) -> Self {
        let app = App::on(database.clone()).await;
        let token = app.token("ada").await;
        Self { app, token }
    }

    /// The list of todos.
    async fn list(&self) -> Answer {
        let answer = self.app.send(Some(&self.token), Method::GET, "/todoitems", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer
    }

    /// The `ETag` of the list.
    async fn tag(&self) -> String {
        self.list().await.header("etag").to_owned()
    }

    /// How many todos the tenant has, up to 1,000.
    async fn todos(&self) -> usize {
        let path = "/todoitems?limit=1000";
        let answer = self.app.send(Some(&self.token), Method::GET, path, None).await;
        answer.body["items"].as_array().unwrap().len()
    }

    async fn delete_all(&self, conditions: &[(&str, &str)]) -> Answer {
        delete_all(&self.app, Some(&self.token), conditions).await
    }
}

async fn delete_all(app: &App, token: Option<&str>, conditions: &[(&str, &str)]) -> Answer {
    app.send_all(token, Method::DELETE, "/todoitems", conditions, None).await
}
