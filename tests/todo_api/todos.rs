//! Creating, listing, changing and deleting todos.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, Database, TestClock, on_both};

on_both!(
    a_new_todo_is_returned_with_its_location,
    a_user_lists_their_own_todos_and_an_admin_all_of_the_tenant,
    ulf_cannot_see_change_or_delete_umas_todo_and_ada_can,
    a_change_keeps_the_fields_it_does_not_contain,
    an_id_is_never_reused_after_delete_all_and_a_restart,
    todos_and_tokens_survive_a_restart,
    two_servers_share_the_todos_of_one_database,
    an_admin_reaches_only_their_own_tenant,
    the_same_object_id_in_another_tenant_is_another_owner,
    a_list_has_pages_that_link_to_the_next_one,
    a_full_last_page_has_no_next_page,
    a_cursor_from_another_user_shows_none_of_their_todos,
);

async fn a_new_todo_is_returned_with_its_location(database: Database) {
    let app = App::on(database).await;
    let body = json!({ "item": { "name": "  Walk the dog " } });
    let answer = app.send_as("uma", Method::POST, "/todoitems", Some(body)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header("content-type"), "application/json");
    let todo = json!({
        "id": 1,
        "name": "Walk the dog",
        "owner_id": "0a000000-0000-4000-8000-000000000002",
        "is_complete": false,
    });
    assert_eq!(answer.body, json!({ "item": todo }));
    let location = answer.header("location").to_owned();
    let answer = app.send_as("uma", Method::GET, &location, None).await;
    assert_eq!(answer.body, json!({ "item": todo }));
}

async fn a_user_lists_their_own_todos_and_an_admin_all_of_the_tenant(database: Database) {
    let app = App::on(database).await;
    for (person, name) in [("uma", "u1"), ("ulf", "f1"), ("uma", "u2"), ("ada", "a1")] {
        app.create(person, name).await;
    }
    assert_eq!(app.names("uma").await, ["u1", "u2"]);
    assert_eq!(app.names("ulf").await, ["f1"]);
    assert_eq!(app.names("ada").await, ["u1", "f1", "u2", "a1"]);
}

async fn ulf_cannot_see_change_or_delete_umas_todo_and_ada_can(database: Database) {
    let app = App::on(database).await;
    let id = app.create("uma", "Walk the dog").await["id"].clone();
    let path = format!("/todoitems/{id}");
    let change = Some(json!({ "item": { "is_complete": true } }));
    for (method, body) in
        [(Method::GET, None), (Method::PATCH, change.clone()), (Method::DELETE, None)]
    {
        app.send_as("ulf", method, &path, body).await.assert_problem(403, "not_owner");
    }
    let answer = app.send_as("ada", Method::PATCH, &path, change).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["item"]["is_complete"], true);
    assert_eq!(answer.body["item"]["name"], "Walk the dog");
    let answer = app.send_as("ada", Method::DELETE, &path, None).await;
    assert_eq!((answer.status, answer.body), (StatusCode::NO_CONTENT, Value::Null));
    app.send_as("uma", Method::GET, &path, None).await.assert_problem(404, "not_found");
    app.send_as("uma", Method::DELETE, &path, None).await.assert_problem(404, "not_found");
}

async fn a_change_keeps_the_fields_it_does_not_contain(database: Database) {
    let app = App::on(database).await;
    let id = app.create("uma", "Walk the dog").await["id"].clone();
    let path = format!("/todoitems/{id}");
    for (change, name, is_complete) in [
        (json!({ "is_complete": true }), "Walk the dog", true),
        (json!({ "name": " Walk the cat" }), "Walk the cat", true),
        (json!({}), "Walk the cat", true),
        (json!({ "name": null, "is_complete": null }), "Walk the cat", true),
        (json!({ "name": "Walk the cats", "is_complete": null }), "Walk the cats", true),
        (json!({ "name": "Rest", "is_complete": false }), "Rest", false),
    ] {
        let body = Some(json!({ "item": change }));
        let answer = app.send_as("uma", Method::PATCH, &path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.body["item"]["name"], name);
        assert_eq!(answer.body["item"]["is_complete"], is_complete);
    }
}

async fn an_id_is_never_reused_after_delete_all_and_a_restart(database: Database) {
    let mut app = App::on(database).await;
    app.create("uma", "first").await;
    let last = app.create("uma", "second").await["id"].as_i64().unwrap();
    let answer = app.send_as("ada", Method::DELETE, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(app.names("ada").await.is_empty());
    app.stop().await;
    let app = app.another().await;
    assert!(app.create("uma", "third").await["id"].as_i64().unwrap() > last);
}

async fn todos_and_tokens_survive_a_restart(database: Database) {
    let mut app = App::on(database).await;
    let token = app.token("uma").await;
    app.create("uma", "Walk the dog").await;
    app.stop().await;
    let app = app.another().await;
    let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
    assert_eq!(answer.body["items"][0]["name"], "Walk the dog");
}

async fn two_servers_share_the_todos_of_one_database(database: Database) {
    let first = App::on(database).await;
    let second = first.another().await;
    first.create("uma", "from the first").await;
    second.create("uma", "from the second").await;
    let names = ["from the first", "from the second"];
    assert_eq!(first.names("uma").await, names);
    assert_eq!(second.names("uma").await, names);
}

async fn an_admin_reaches_only_their_own_tenant(database: Database) {
    let both = format!("{},{}", entra_dev::ids::CONTOSO, entra_dev::ids::FABRIKAM);
    let app = App::start_on(database, TestClock::default(), |environment| {
        environment.with("AAD_TENANT_ID", "organizations").with("ALLOWED_TENANTS", both)
    })
    .await;
    let umas = app.create("uma", "Contoso's").await["id"].clone();
    app.create("tia", "Fabrikam's").await;
    assert_eq!(app.names("tia").await, ["Fabrikam's"]);
    assert_eq!(app.names("ada").await, ["Contoso's"]);
    let path = format!("/todoitems/{umas}");
    let change = Some(json!({ "item": { "name": "Mine" } }));
    for (method, body) in [(Method::GET, None), (Method::PATCH, change), (Method::DELETE, None)] {
        // Not 403, which would reveal that the id exists.
        app.send_as("tia", method, &path, body).await.assert_problem(404, "not_found");
    }
    let answer = app.send_as("tia", Method::DELETE, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(app.names("tia").await.is_empty());
    assert_eq!(app.names("ada").await, ["Contoso's"]);
}

async fn the_same_object_id_in_another_tenant_is_another_owner(database: Database) {
    let app = App::start_on(database, TestClock::default(), |environment| {
        environment.with("AAD_TENANT_ID", "organizations").with("ALLOWED_TENANTS", "any")
    })
    .await;
    app.create("uma", "Walk the dog").await;
    let namesake = app.forged(|claims| {
        let iss = format!("{}/{}/v2.0", app.tenant.base_url(), entra_dev::ids::FABRIKAM);
        claims["iss"] = iss.into();
        claims["tid"] = entra_dev::ids::FABRIKAM.into();
    });
    let answer = app.send(Some(&namesake), Method::GET, "/todoitems", None).await;
    assert_eq!(answer.body, json!({ "items": [] }));
}

async fn a_list_has_pages_that_link_to_the_next_one(database: Database) {
    let app = App::on(database).await;
    for number in 1..=5 {
        app.create("uma", &number.to_string()).await;
        app.create("ulf", "in between").await;
    }
    let token = app.token("uma").await;
    let mut path = "/todoitems?limit=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = app.send(Some(&token), Method::GET, &path, None).await;
        let items = answer.body["items"].as_array().unwrap();
        let names: Vec<_> = items.iter().map(|item| item["name"].clone()).collect();
        pages.push(names);
        let Some(next) = answer.body["next"].as_str() else {
            assert_eq!(answer.header("link"), "", "the last page has no link");
            break;
        };
        path = format!("/todoitems?limit=2&after={next}");
        assert_eq!(answer.header("link"), format!("<{path}>; rel=\"next\""));
    }
    assert_eq!(json!(pages), json!([["1", "2"], ["3", "4"], ["5"]]));
}

async fn a_full_last_page_has_no_next_page(database: Database) {
    let app = App::on(database).await;
    for name in ["1", "2"] {
        app.create("uma", name).await;
    }
    let answer = app.send_as("uma", Method::GET, "/todoitems?limit=2", None).await;
    assert_eq!(answer.body["items"].as_array().unwrap().len(), 2);
    assert!(answer.body.get("next").is_none(), "{answer:?}");
}

async fn a_cursor_from_another_user_shows_none_of_their_todos(database: Database) {
    let app = App::on(database).await;
    for name in ["1", "2", "3"] {
        app.create("uma", name).await;
    }
    app.create("ulf", "Ulf's").await;
    let umas = app.send_as("uma", Method::GET, "/todoitems?limit=1", None).await;
    let path = format!("/todoitems?after={}", umas.body["next"].as_str().unwrap());
    let answer = app.send_as("ulf", Method::GET, &path, None).await;
    assert_eq!(answer.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(answer.body["items"][0]["name"], "Ulf's");
}
