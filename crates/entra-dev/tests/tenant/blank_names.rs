//! Blank names, which nobody could see on a page or in a token.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    live_directory_input::{assert_refused, zoe_with},
    support::TestTenant,
};

#[tokio::test]
async fn a_blank_name_is_refused_wherever_it_is() {
    let tenant = TestTenant::start().await;
    let app = |field: &str, value: Value| {
        let mut app = json!({ "name": "Shop", "tenant": "Contoso" });
        app[field] = value;
        app
    };
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
