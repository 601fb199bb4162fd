//! Names that nobody could see on a page or in a token, and permissions that Entra would refuse.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    live_directory_input::{assert_refused, zoe_with},
    support::TestTenant,
};

/// An app with this value of a field.
fn app(field: &str, value: Value) -> Value {
    let mut app = json!({ "name": "Shop", "tenant": "Contoso" });
    app[field] = value;
    app
}

#[tokio::test]
async fn a_blank_name_is_refused_wherever_it_is() {
    let tenant = TestTenant::start().await;
    for (path, body, pointer, detail) in [
        ("/tenants", json!({ "name": "" }), "#/name", "a name must not be blank"),
        (
            "/groups",
            json!({ "name": "", "tenant": "Contoso" }),
            "#/name",
            "a name must not be blank",
        ),
        ("/people", zoe_with("name", json!("")), "#/name", "a name must not be blank"),
        ("/people", zoe_with("name", json!(" \t")), "#/name", "a name must not be blank"),
        (
            "/people",
            zoe_with("display_name", json!("")),
            "#/display_name",
            "a display name must not be blank",
        ),
        (
            "/people",
            zoe_with("sign_in_name", json!("")),
            "#/sign_in_name",
            "a sign-in name must not be blank",
        ),
        (
            "/people",
            zoe_with("email", json!("\u{a0}")),
            "#/email",
            "an email address must not be blank",
        ),
        ("/apps", app("name", json!("")), "#/name", "a name must not be blank"),
        ("/apps", app("scopes", json!(["a", ""])), "#/scopes/1", "a scope must not be blank"),
        ("/apps", app("admin_scopes", json!([""])), "#/admin_scopes/0", "a scope must not be"),
        ("/apps", app("app_roles", json!(["A", ""])), "#/app_roles/1", "an app role must not be"),
        ("/apps", app("secrets", json!([""])), "#/secrets/0", "a secret must not be blank"),
        (
            "/apps",
            app("expired_secrets", json!([" "])),
            "#/expired_secrets/0",
            "a secret must not be blank",
        ),
    ] {
        assert_refused(&tenant, (Method::POST, path, &body), (pointer, detail)).await;
    }
    let blank = json!({ "display_name": "" });
    let change = (Method::PATCH, "/people/ada", &blank);
    assert_refused(&tenant, change, ("#/display_name", "a display name must not be")).await;
    let change = (Method::POST, "/apps/Todo%20API/scopes", &json!(""));
    assert_refused(&tenant, change, ("#", "a scope must not be blank")).await;
}

#[tokio::test]
async fn a_name_with_a_line_break_is_refused() {
    let tenant = TestTenant::start().await;
    let detail = "a name must not contain control characters";
    for (path, body) in [
        ("/people", zoe_with("name", json!("zo\ne"))),
        ("/apps", app("name", json!("Shop\r"))),
        ("/groups", json!({ "name": "A\u{0}", "tenant": "Contoso" })),
        ("/tenants", json!({ "name": "\u{1b}[1m" })),
    ] {
        assert_refused(&tenant, (Method::POST, path, &body), ("#/name", detail)).await;
    }
    let body = app("secrets", json!(["a\nb"]));
    let detail = "a secret must not contain control characters";
    assert_refused(&tenant, (Method::POST, "/apps", &body), ("#/secrets/0", detail)).await;
}

#[tokio::test]
async fn a_permission_that_entra_would_refuse_is_refused() {
    let tenant = TestTenant::start().await;
    let longest = "s".repeat(120);
    for name in ["a b", "ä", ".default", "a\"b", "a<b", "a\\b", &format!("{longest}s")] {
        for (field, detail) in [
            ("scopes", "a scope may have at most 120 ASCII characters"),
            ("admin_scopes", "a scope may have at most 120 ASCII characters"),
            ("app_roles", "an app role may have at most 120 ASCII characters"),
        ] {
            let body = app(field, json!([name]));
            let pointer = format!("#/{field}/0");
            let change = (Method::POST, "/apps", &body);
            assert_refused(&tenant, change, (&pointer, detail)).await;
        }
    }
    let body = app("scopes", json!([longest, "Todos.Read", "a:!#$%&'()*+,-./;=?@[]^_`{|}~"]));
    assert_eq!(tenant.post_json("/_dev/directory/apps", &body).await.status, 201);
}

#[tokio::test]
async fn a_group_or_role_that_is_in_a_list_twice_is_refused() {
    let tenant = TestTenant::start().await;
    let groups = tenant.get_json("/_dev/directory/groups").await;
    let id = groups[0]["id"].as_str().unwrap();
    let name = groups[0]["name"].as_str().unwrap();
    let twice = json!([name, id]);
    let detail = format!("the group {id:?} is in the list already");
    let change = (Method::PUT, "/people/uma/groups", &twice);
    assert_refused(&tenant, change, ("#/1", &detail)).await;
    let twice = json!(["User", "User"]);
    let detail = "the app role \"User\" is in the list already";
    let change = (Method::PUT, "/people/uma/roles/Todo%20API", &twice);
    assert_refused(&tenant, change, ("#/1", detail)).await;
    let body = app("app_roles", json!(["User", "Admin", "User"]));
    assert_refused(&tenant, (Method::POST, "/apps", &body), ("#/app_roles/2", detail)).await;
}
