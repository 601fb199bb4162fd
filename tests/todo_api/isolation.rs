//! Two tenants share a database and see nothing of each other, whoever asks and whatever is asked.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    databases::{Database, on_both},
    support::{App, TestClock},
};

on_both!(nobody_reaches_a_todo_beyond_their_own_and_an_admin_none_of_another_tenant);

/// Who asks, where they belong, and whether they are admins there.
struct Person {
    name: &'static str,
    tenant: &'static str,
    admin: bool,
    token: String,
}

async fn nobody_reaches_a_todo_beyond_their_own_and_an_admin_none_of_another_tenant(
    database: Database,
) {
    let app = App::start_on(database.clone(), TestClock::default(), |environment| {
        environment.with("AAD_TENANT_ID", "organizations").with("ALLOWED_TENANTS", "any")
    })
    .await;
    let people = people(&app).await;
    // Two todos each, so that one can be deleted and the other one found untouched.
    let mut todos = Vec::new();
    for person in people.iter().chain(&people) {
        let body = json!({ "item": { "name": person.name } });
        let answer = app.send(Some(&person.token), Method::POST, "/todoitems", Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        todos.push((person, answer.body["item"]["id"].clone()));
    }

    for caller in &people {
        let reached: Vec<_> = todos.iter().filter(|(owner, _)| reaches(caller, owner)).collect();
        let reached: Vec<&Value> = reached.iter().map(|(_, id)| id).collect();
        assert_eq!(list(&app, caller).await, json!(reached), "{}", caller.name);
        for (owner, id) in todos.iter().filter(|(owner, _)| !reaches(caller, owner)) {
            let (status, code) = match owner.tenant == caller.tenant {
                true => (403, "not_owner"),
                // That it exists is another tenant's business.
                false => (404, "not_found"),
            };
            let path = format!("/todoitems/{id}");
            let change = Some(json!({ "item": { "name": "Mine now" } }));
            for (method, body) in
                [(Method::GET, None), (Method::PATCH, change), (Method::DELETE, None)]
            {
                let answer = app.send(Some(&caller.token), method, &path, body).await;
                answer.assert_problem(status, code);
            }
        }
    }
    let changed = database.number("SELECT count(*) FROM todos WHERE name = 'Mine now'").await;
    assert_eq!(changed, 0);

    // An admin empties one tenant; the other one keeps every row.
    for (emptied, remaining) in [("tia", 6), ("ada", 0)] {
        let admin = people.iter().find(|person| person.name == emptied).unwrap();
        let answer = app.send(Some(&admin.token), Method::DELETE, "/todoitems", None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        let mut seen = 0;
        for person in people.iter().filter(|person| person.admin) {
            seen += list(&app, person).await.as_array().unwrap().len();
        }
        assert_eq!(seen, remaining, "after {emptied}");
    }
}

#[test]
fn every_statement_is_limited_to_a_tenant() {
    let source = fs::read_to_string("src/store/queries.rs").unwrap();
    let statements: Vec<_> = source.split("\nconst ").skip(1).collect();
    assert!(statements.len() >= 7, "{}", statements.len());
    for statement in statements {
        let text = statement.split(';').next().unwrap();
        if text.starts_with("CHECK:") || text.contains("_LIMIT:") || text.contains("_LIFETIME:") {
            continue;
        }
        let limited = text.contains("tenant = ") || text.contains("(tenant, ");
        assert!(limited, "{text}");
    }
}

/// Three people of one tenant, one of whom is an admin, and two of another one: its admin, and
/// somebody with Uma's object id.
async fn people(app: &App) -> [Person; 5] {
    let (contoso, fabrikam) = (entra_dev::ids::CONTOSO, entra_dev::ids::FABRIKAM);
    let namesake = app.forged(|claims| {
        claims["iss"] = format!("{}/{fabrikam}/v2.0", app.tenant.base_url()).into();
        claims["tid"] = fabrikam.into();
    });
    let person = |name, tenant, admin, token| Person { name, tenant, admin, token };
    [
        person("uma", contoso, false, app.token("uma").await),
        person("ulf", contoso, false, app.token("ulf").await),
        person("ada", contoso, true, app.token("ada").await),
        person("tia", fabrikam, true, app.token("tia").await),
        person("namesake", fabrikam, false, namesake),
    ]
}

fn reaches(caller: &Person, owner: &Person) -> bool {
    caller.name == owner.name || caller.admin && caller.tenant == owner.tenant
}

async fn list(app: &App, person: &Person) -> Value {
    let answer = app.send(Some(&person.token), Method::GET, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
}
