//! Two tenants share a database, and no caller and no query reaches the todos of the other tenant.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use todo_api::{
    store::{self, Creation, StoreError},
    todo::{Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoName},
};
use uuid::Uuid;

use crate::support::{App, Database, TestClock, config, on_both};

on_both!(
    no_caller_reaches_a_todo_outside_their_access,
    no_store_query_reaches_a_todo_outside_the_given_access,
    an_idempotency_key_is_valid_for_its_owner_only,
);

/// A caller, their tenant, and whether they are an admin there.
struct Person {
    name: &'static str,
    tenant: &'static str,
    admin: bool,
    token: String,
}

async fn no_caller_reaches_a_todo_outside_their_access(database: Database) {
    let app = App::start_on(database.clone(), TestClock::default(), |environment| {
        environment.with("AAD_TENANT_ID", "organizations").with("ALLOWED_TENANTS", "any")
    })
    .await;
    let people = people(&app).await;
    // Two todos for each person, so that one can be deleted and the other must stay.
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
                // Not 403, which would reveal that the id exists.
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

    // An admin deletes the todos of one tenant; the other tenant keeps all of its todos.
    let admins: Vec<_> = people.iter().filter(|person| person.admin).collect();
    let mut deleted = Vec::new();
    for admin in &admins {
        let answer = app.send(Some(&admin.token), Method::DELETE, "/todoitems", None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        deleted.push(admin.tenant);
        for other in &admins {
            let left = todos.iter().filter(|(owner, _)| reaches(other, owner));
            let left = left.filter(|(owner, _)| !deleted.contains(&owner.tenant));
            let left: Vec<_> = left.map(|(_, id)| id).collect();
            assert_eq!(list(&app, other).await, json!(left), "{} after {}", other.name, admin.name);
        }
    }
}

/// The API loads a todo before it changes it. This test calls the queries directly.
async fn no_store_query_reaches_a_todo_outside_the_given_access(database: Database) {
    let store = store::open(&config(&database).database, 1, Arc::new(|| 0)).await.unwrap();
    let owners = owners();
    let name = |text: &str| TodoName::parse(text).unwrap();
    let new = NewTodo::named(name("made"));
    let change = Change { name: Some(name("changed")), is_complete: Some(true) };
    for own in owners {
        for access in [Access::Own(own), Access::Tenant(own.tenant)] {
            // Two todos for each owner: one to change, one to delete.
            let mut todos = Vec::new();
            for owner in owners.iter().chain(&owners) {
                todos.push(made(store.create(owner, &new, None).await));
            }
            let reachable = |todo: &&Todo| match access {
                Access::Own(owner) => todo.owner == owner,
                Access::Tenant(tenant) => todo.owner.tenant == tenant,
            };
            let (within, beyond): (Vec<_>, Vec<_>) = todos.iter().partition(reachable);

            let listed = store.list(&access, None, 100).await.unwrap().todos;
            assert_eq!(listed.iter().collect::<Vec<_>>(), within, "{access:?}");
            for todo in &beyond {
                for expected in [None, Some(todo.version)] {
                    let changed = store.update(&access, todo.id, expected, &change).await;
                    assert_eq!(changed.unwrap(), None, "{access:?} {todo:?}");
                    let deleted = store.delete(&access, todo.id, expected).await.unwrap();
                    assert!(!deleted, "{access:?} {todo:?}");
                }
            }
            for todo in &within {
                let tenant = todo.owner.tenant;
                let changed = store.update(&access, todo.id, None, &change).await.unwrap().unwrap();
                assert_eq!(changed.owner, todo.owner);
                assert_eq!(store.find(tenant, todo.id).await.unwrap(), Some(changed));
                assert!(store.delete(&access, todo.id, None).await.unwrap());
                assert_eq!(store.find(tenant, todo.id).await.unwrap(), None);
            }
            for todo in &beyond {
                for tenant in owners.map(|owner| owner.tenant) {
                    let expected = (tenant == todo.owner.tenant).then_some(*todo);
                    assert_eq!(store.find(tenant, todo.id).await.unwrap().as_ref(), expected);
                }
            }
            // Deleting all todos of one tenant keeps those of the other tenant.
            let rest = beyond.iter().filter(|todo| todo.owner.tenant != own.tenant);
            let rest: Vec<_> = rest.copied().cloned().collect();
            let other = rest[0].owner.tenant;
            store.delete_all(own.tenant, None).await.unwrap();
            let everything = async |tenant| {
                store.list(&Access::Tenant(tenant), None, 100).await.map(|page| page.todos)
            };
            assert_eq!(everything(own.tenant).await.unwrap(), []);
            assert_eq!(everything(other).await.unwrap(), rest);
            store.delete_all(other, None).await.unwrap();
            assert_eq!(everything(other).await.unwrap(), []);
        }
    }
    store.close().await;
}

async fn an_idempotency_key_is_valid_for_its_owner_only(database: Database) {
    let store = store::open(&config(&database).database, 1, Arc::new(|| 0)).await.unwrap();
    let key = IdempotencyKey::parse("the-same").unwrap();
    let create = async |owner: &Owner| {
        let new = NewTodo::named(TodoName::parse(&format!("of {owner:?}")).unwrap());
        made(store.create(owner, &new, Some(&key)).await)
    };
    let mut todos: Vec<Todo> = Vec::new();
    for owner in owners() {
        let todo = create(&owner).await;
        assert_eq!(todo.owner, owner);
        assert!(todos.iter().all(|other| other.id != todo.id), "{todo:?} is not new");
        todos.push(todo);
    }
    for todo in &todos {
        assert_eq!(create(&todo.owner).await, *todo);
    }
    store.close().await;
}

/// Two owners in one tenant and two in another, one of them with the object id of the first owner.
fn owners() -> [Owner; 4] {
    [(1, 1), (1, 2), (2, 1), (2, 3)].map(|(tenant, object_id)| Owner {
        tenant: Tenant(Uuid::from_u128(tenant)),
        object_id: Uuid::from_u128(object_id),
    })
}

fn made(created: Result<Creation, StoreError>) -> Todo {
    match created.unwrap() {
        Creation::Made(todo) => todo,
        refused => panic!("{refused:?}"),
    }
}

/// Three people in one tenant, one of them an admin, and two in another tenant: an admin, and a
/// user with Uma's object id.
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
