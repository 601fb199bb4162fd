//! Invalid changes to the directory. Each is refused with what is wrong, and nothing is changed.

use entra_dev::{DevTenant, Edit, EditError, Options, ids::CONTOSO};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    live_directory::{PATH, zoe},
    support::{Answer, TestTenant},
};

/// Zoe with another value of this field, or without it.
pub(crate) fn zoe_with(field: &str, value: Value) -> Value {
    let mut zoe = zoe();
    match value {
        Value::Null => drop(zoe.as_object_mut().unwrap().remove(field)),
        value => zoe[field] = value,
    }
    zoe
}

/// Sends a change that must be refused with this status, and a fault at this pointer.
pub(crate) async fn assert_refused(
    tenant: &TestTenant,
    (method, path, body): (Method, &str, &Value),
    (pointer, detail): (&str, &str),
) {
    let before = tenant.get_json(PATH).await;
    let request = tenant.browser.request(method, tenant.url(&format!("{PATH}{path}")));
    let request = request.header("content-type", "application/json").body(body.to_string());
    let answer = Answer::of(request).await;
    answer.assert_problem(400, detail);
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
    let at = |error: &&Value| error["pointer"] == pointer;
    let error = errors.iter().find(at).unwrap_or_else(|| panic!("{pointer}: {problem}"));
    assert!(error["detail"].as_str().unwrap().contains(detail), "{problem}");
    if pointer != "#" {
        assert!(problem["detail"].as_str().unwrap().contains(&format!("{pointer}: ")), "{problem}");
    }
    assert_eq!(tenant.get_json(PATH).await, before);
}

#[tokio::test]
async fn a_fault_in_an_added_entry_is_named() {
    let tenant = TestTenant::start().await;
    for (body, pointer, detail) in [
        (zoe_with("colour", json!("red")), "#/colour", "unknown field `colour`"),
        (zoe_with("tenant", Value::Null), "#", "missing field `tenant`"),
        (zoe_with("tenant", json!("Nowhere")), "#/tenant", "there is no tenant \"Nowhere\""),
        (zoe_with("tenant", json!(1)), "#/tenant", "invalid type: integer"),
        (zoe_with("guest", json!("yes")), "#/guest", "invalid type: string"),
        (zoe_with("groups", json!(["Sales", "Art"])), "#/groups/1", "there is no group \"Art\""),
        (zoe_with("groups", json!(["Sales", null])), "#/groups/1", "null is not allowed"),
        (zoe_with("roles", json!({ "X": [] })), "#/roles/X", "there is no app \"X\""),
        (
            zoe_with("roles", json!({ "Todo API": ["User", "Emperor"] })),
            "#/roles/Todo API/1",
            "\"Todo API\" declares no app role \"Emperor\"",
        ),
        (zoe_with("oid", json!("1")), "#/oid", "an id must be a GUID in lower case"),
        (zoe_with("name", json!("ADA")), "#/name", "there is another person \"ADA\""),
        (json!("zoe"), "#", "invalid type: string"),
        (json!(["zoe"]), "#", "invalid type: sequence"),
        (Value::Null, "#", "null is not allowed"),
    ] {
        assert_refused(&tenant, (Method::POST, "/people", &body), (pointer, detail)).await;
    }
    let app = |more: Value| {
        let mut app = json!({ "name": "Shop", "tenant": "Contoso" });
        app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app
    };
    for (body, pointer, detail) in [
        (app(json!({ "redirect_uris": { "web": ["/x"] } })), "#/redirect_uris/web/0", "absolute"),
        (app(json!({ "redirect_uris": { "ios": [] } })), "#/redirect_uris/ios", "unknown field"),
        (app(json!({ "access_token_version": 3 })), "#/access_token_version", "must be 1 or 2"),
        (
            app(json!({ "certificates": ["/etc/hostname"] })),
            "#/certificates/0",
            "a certificate must be PEM text here, not the path of a file",
        ),
        (app(json!({ "certificates": ["-----BEGIN x"] })), "#/certificates/0", "not an X.509"),
        (app(json!({ "app_id_uri": "a/~b" })), "#/app_id_uri", "an app id URI must be absolute"),
    ] {
        assert_refused(&tenant, (Method::POST, "/apps", &body), (pointer, detail)).await;
    }
}

#[tokio::test]
async fn all_faults_of_a_change_are_reported_together() {
    let tenant = TestTenant::start().await;
    let mut person = zoe_with("tenant", json!("Nowhere"));
    person["groups"] = json!(["Art"]);
    let answer = tenant.post_json("/_dev/directory/people", &person).await;
    let group = "#/groups/0: there is no group \"Art\"";
    let tenant = "#/tenant: there is no tenant \"Nowhere\"";
    answer.assert_problem(400, group);
    answer.assert_problem(400, tenant);
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_fault_in_another_entry_is_named_by_its_path() {
    let tenant = TestTenant::start().await;
    let no_roles = json!([]);
    let change = (Method::PUT, "/apps/Todo%20API/app_roles", &no_roles);
    let detail = "\"Todo API\" declares no app role \"Admin\"";
    assert_refused(&tenant, change, ("people/ada/roles/Todo API/Admin", detail)).await;
    let change = (Method::DELETE, "/apps/Todo%20API/app_roles/Admin", &Value::Null);
    assert_refused(&tenant, change, ("people/ada/roles/Todo API/Admin", detail)).await;
    let change = (Method::DELETE, "/people/ada/display_name", &Value::Null);
    assert_refused(&tenant, change, ("people/ada", "missing field `display_name`")).await;
}

#[tokio::test]
async fn a_fault_in_a_new_directory_is_named() {
    let tenant = TestTenant::start().await;
    let tenants = json!([{ "name": "X" }]);
    for (body, pointer, detail) in [
        (json!({}), "#", "missing field `tenants`"),
        (json!([]), "#", "invalid type: sequence"),
        (json!({ "tenants": 1 }), "#/tenants", "invalid type: integer"),
        (json!({ "tenants": [{}] }), "#/tenants/0", "missing field `name`"),
        (json!({ "tenants": tenants, "users": [] }), "#/users", "unknown field `users`"),
        (json!({ "tenants": tenants, "people": [zoe()] }), "#/people/0/tenant", "\"Contoso\""),
        (json!({ "tenants": [1] }), "#/tenants/0", "invalid type: integer"),
    ] {
        assert_refused(&tenant, (Method::PUT, "", &body), (pointer, detail)).await;
    }
    let request = tenant.browser.put(tenant.url(PATH)).header("content-type", "application/toml");
    let answer = Answer::of(request.body("[[tenants]]\nid = \"x\"\nname = \"X\"\n")).await;
    answer.assert_problem(400, "line 2: an id must be a GUID");
    let request = tenant.browser.put(tenant.url(PATH)).header("content-type", "application/toml");
    Answer::of(request.body(&b"\xff"[..])).await.assert_problem(400, "not valid UTF-8");
}

#[tokio::test]
async fn a_path_that_names_nothing_is_refused_with_what_there_is() {
    let tenant = TestTenant::start().await;
    let zoe = zoe();
    for (path, detail) in [
        (
            "/users",
            "there is no collection \"users\"; choose one of: tenants, groups, people, apps",
        ),
        ("/users/ada", "there is no collection \"users\""),
        ("/people/zoe", "there is no person \"zoe\"; choose one of: ada, uma, ulf"),
        ("/apps/Shop/secrets", "there is no app \"Shop\"; choose one of: Todo API, "),
        ("/people/ada/email", "there is no \"email\" in people/ada"),
        ("/people/ada/name/x", "there is no \"x\" in people/ada/name"),
        ("/people/ada/groups/Sales", "there is no \"Sales\" in people/ada/groups"),
        ("/people/ada/roles/Todo%20API/User", "there is no \"User\" in people/ada/roles/Todo API"),
        ("/people/ada/roles/X/Y", "there is no \"X\" in people/ada/roles"),
    ] {
        let path = format!("{PATH}{path}");
        tenant.get(&path).await.assert_problem(404, detail);
        tenant.patch_json(&path, &zoe).await.assert_problem(404, detail);
        if path.matches('/').count() > 3 {
            tenant.delete(&path).await.assert_problem(404, detail);
        }
    }
    for path in ["/people/zoe", "/people/zoe/groups", "/apps/Web%20site/redirect_uris/ios"] {
        let path = format!("{PATH}{path}");
        tenant.post_json(&path, &json!("Sales")).await.assert_problem(404, "there is no");
    }
    let path = format!("{PATH}/apps/Web%20site/secrets/other");
    tenant.put_json(&path, &json!("x")).await.assert_problem(404, "there is no \"other\"");
    for path in ["/people/%FF", "/apps/x/%C3%28"] {
        let answer = tenant.get(&format!("{PATH}{path}")).await;
        answer.assert_problem(400, "the path is not valid UTF-8");
    }
    for path in ["/_dev/nothing", "/_dev/directory.json", "/_dev/audit/1", "/_dev/faults/%FF"] {
        let answer = tenant.get(path).await;
        let known = answer.status == StatusCode::METHOD_NOT_ALLOWED;
        answer.assert_problem(if known { 405 } else { 404 }, if known { "send" } else { path });
    }
    tenant.delete("/_dev/faults/%FF").await.assert_problem(404, "/_dev/faults/%FF");
}

#[tokio::test]
async fn a_change_that_is_not_possible_is_refused_with_those_that_are() {
    let tenant = TestTenant::start().await;
    let body = json!({});
    for (method, path, allowed) in [
        (Method::POST, "", "GET, PUT"),
        (Method::DELETE, "", "GET, PUT"),
        (Method::PATCH, "/people", "GET, POST, PUT"),
        (Method::DELETE, "/people", "GET, POST, PUT"),
        (Method::POST, "/people/ada", "GET, PUT, PATCH, DELETE"),
        (Method::PATCH, "/people/ada/groups", "GET, POST, PUT, DELETE"),
        (Method::POST, "/people/ada/name", "GET, PUT, DELETE"),
        (Method::POST, "/people/ada/roles", "GET, PUT, PATCH, DELETE"),
    ] {
        let request = tenant.browser.request(method, tenant.url(&format!("{PATH}{path}")));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = Answer::of(request).await;
        answer.assert_problem(405, &format!("send one of {allowed}"));
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
    }
    let answer = Answer::of(tenant.browser.request(Method::TRACE, tenant.url(PATH))).await;
    answer.assert_problem(405, "GET, POST, PUT, PATCH, DELETE");
}

#[tokio::test]
async fn an_entry_cannot_be_put_at_the_name_of_another_one() {
    let tenant = TestTenant::start().await;
    for path in ["/people/ann", "/people/ada", "/people/a1000000-0000-4000-8000-000000000001"] {
        let mut body = zoe();
        body["oid"] = json!("a1000000-0000-4000-8000-000000000002");
        let detail = "neither the id nor a name here is that";
        assert_refused(&tenant, (Method::PUT, path, &body), ("#", detail)).await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let tenant = TestTenant::start().await;
    let url = tenant.url("/_dev/directory/people");
    for (body, detail) in [
        ("", "line 1: EOF while parsing a value"),
        ("{\n\"name\": zoe }", "line 2: expected value"),
        ("{\"name\": \"zoe\", \"name\": \"ann\"}", "line 1: duplicate key \"name\""),
        ("{} {}", "line 1: trailing characters"),
    ] {
        let request = tenant.browser.post(&url).header("content-type", "application/json");
        Answer::of(request.body(body)).await.assert_problem(400, detail);
    }
    let request = tenant.browser.post(&url).header("content-type", "application/json");
    let answer = Answer::of(request.body(vec![b' '; 4 * 1024 * 1024 + 1])).await;
    answer.assert_problem(413, "the body is larger than 4096 KiB");
    // Other bodies must not be longer than 64 KiB.
    let padded = " ".repeat(1024 * 1024) + &zoe().to_string();
    let request = tenant.browser.post(&url).header("content-type", "application/json");
    assert_eq!(Answer::of(request.body(padded)).await.status, StatusCode::CREATED);
}

/// What a page of another site can send without a preflight request.
#[tokio::test]
async fn a_page_of_another_site_cannot_change_the_directory() {
    let tenant = TestTenant::start().await;
    let before = tenant.get_json(PATH).await;
    for path in ["/people", "/reset", "/apps/Web%20site/secrets"] {
        let url = tenant.url(&format!("{PATH}{path}"));
        for media in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
        {
            let request = tenant.browser.post(&url).header("origin", "https://evil.example");
            let request = request.header("content-type", media).body(zoe().to_string());
            Answer::of(request).await.assert_problem(415, "send application/json");
        }
        let request = tenant.browser.post(&url).header("origin", "https://evil.example");
        Answer::of(request).await.assert_problem(415, "send application/json");
        // Everything else needs a preflight request, which fails.
        let request = tenant.browser.request(Method::OPTIONS, &url);
        let request = request.header("origin", "https://evil.example");
        let answer = Answer::of(request.header("access-control-request-method", "PUT")).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(tenant.get_json(PATH).await, before);
}

#[tokio::test]
async fn an_issuer_without_a_listener_is_refused() {
    let options = Options { https_port: None, ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    let edit = Edit::put(["apps", "Todo API", "token_issuer"], "https");
    let EditError::Faults(faults) = tenant.edit_directory(edit).await.unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(faults[0].pointer, "apps/Todo API/token_issuer");
    assert_eq!(faults[0].detail, "there is no HTTPS listener");
    assert_eq!(tenant.directory().to_json()["apps"][0].get("token_issuer"), None);
}

#[tokio::test]
async fn an_issuer_must_have_a_name_of_the_tenant() {
    let issuer = "http://elsewhere:8001";
    let edit = Edit::put(["apps", "Todo API", "token_issuer"], issuer);
    let tenant = DevTenant::start().await.unwrap();
    let EditError::Faults(faults) = tenant.edit_directory(edit.clone()).await.unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(faults[0].pointer, "apps/Todo API/token_issuer");
    assert!(faults[0].detail.contains("does not answer to"), "{}", faults[0].detail);

    let options = Options { answer_to: vec!["elsewhere".parse().unwrap()], ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    tenant.edit_directory(edit).await.unwrap();
    assert_eq!(tenant.directory().to_json()["apps"][0]["token_issuer"], issuer);
    let claims = TestTenant::claims(&tenant.access_token("ada").unwrap());
    assert_eq!(claims["iss"], format!("{issuer}/{CONTOSO}/v2.0"));
}
