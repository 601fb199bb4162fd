//! The directory of a running tenant, which clients can change.

use std::path::Path;

use entra_dev::{Directory, ids::CONTOSO};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, Form, TestTenant, claims};

pub(crate) const PATH: &str = "/_dev/directory";

/// A person who is not in the built-in directory.
pub(crate) fn zoe() -> Value {
    json!({
        "name": "zoe",
        "display_name": "Zoe Zimmer",
        "sign_in_name": "zoe@contoso.example",
        "tenant": "Contoso",
        "roles": { "Todo API": ["Admin"] },
    })
}

/// The claims of an access token that this person gets by signing in.
pub(crate) async fn signed_in(tenant: &TestTenant, name: &str) -> Value {
    claims(&tenant.sign_in(CONTOSO, &Form::authorization(), name).await, "access_token")
}

#[tokio::test]
async fn the_directory_has_the_form_of_a_file() {
    let tenant = TestTenant::start().await;
    let answer = tenant.get(PATH).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let directory = Directory::parse_json(&answer.body, Path::new("")).unwrap();
    assert_eq!(format!("{:?}", directory.people()), format!("{:?}", tenant.tenant.people()));
    let document = answer.json();
    assert_eq!(document["people"][0]["name"], "ada");
    // Fields that have their default are in the document, too.
    assert_eq!(document["people"][3]["groups"], json!([]));
    assert_eq!(document["people"][3]["guest"], false);
    // So are the redirect URIs from the options of the tenant.
    let spa = &document["apps"][1]["redirect_uris"]["spa"];
    assert_eq!(spa[0], "http://localhost:8000/oauth2-redirect");
}

#[tokio::test]
async fn an_added_person_can_sign_in() {
    let tenant = TestTenant::start().await;
    let answer = tenant.post_json("/_dev/directory/people", &zoe()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let oid = answer.json()["oid"].as_str().unwrap().to_owned();
    let location = format!("/_dev/directory/people/{oid}");
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(tenant.get_json(&location).await, answer.json());
    let claims = signed_in(&tenant, "zoe").await;
    assert_eq!((&claims["oid"], &claims["roles"]), (&json!(oid), &json!(["Admin"])));
    assert_eq!(claims["name"], "Zoe Zimmer");
    let page = tenant.authorize(CONTOSO, &Form::authorization()).await;
    assert!(page.body.contains("Zoe Zimmer"));
    assert!(tenant.dev_page().await.contains("zoe@contoso.example"));
    assert!(tenant.tenant.access_token("zoe").is_ok());
}

#[tokio::test]
async fn an_entry_is_named_by_its_id_or_by_a_name() {
    let tenant = TestTenant::start().await;
    for (one, others) in [
        (
            "people/ada",
            ["people/ADA@contoso.example", "people/ada00000-0000-4000-8000-000000000001"],
        ),
        ("tenants/Contoso", ["tenants/contoso", &format!("tenants/{CONTOSO}")]),
        ("groups/Sales", ["groups/sales", "groups/9a000000-0000-4000-8000-000000000002"]),
        ("apps/Todo%20API", ["apps/todo%20api", "apps/33333333-3333-4333-8333-333333333333"]),
    ] {
        let entry = tenant.get_json(&format!("{PATH}/{one}")).await;
        for other in others {
            assert_eq!(tenant.get_json(&format!("{PATH}/{other}")).await, entry, "{other}");
        }
    }
    let people = tenant.get_json("/_dev/directory/people").await;
    assert_eq!(people.as_array().unwrap().len(), tenant.tenant.people().len());
}

#[tokio::test]
async fn changed_fields_count_at_the_next_request() {
    let tenant = TestTenant::start().await;
    let code = tenant.code("noel").await;
    let change = json!({ "display_name": "Noel North", "roles": { "Todo API": ["Auditor"] } });
    let answer = tenant.patch_json("/_dev/directory/people/noel", &change).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json()["display_name"], "Noel North");
    assert_eq!(answer.json()["sign_in_name"], "noel@contoso.example");
    // A sign-in that has begun ends with what the person has now.
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    let claims = claims(&answer.json(), "access_token");
    assert_eq!((&claims["name"], &claims["roles"]), (&json!("Noel North"), &json!(["Auditor"])));
    // `null` removes a field.
    let change = json!({ "roles": { "Todo API": null } });
    tenant.patch_json("/_dev/directory/people/noel", &change).await;
    assert_eq!(signed_in(&tenant, "noel").await.get("roles"), None);
}

#[tokio::test]
async fn put_creates_or_replaces_an_entry() {
    let tenant = TestTenant::start().await;
    let mut person = zoe();
    person.as_object_mut().unwrap().remove("name");
    let created = tenant.put_json("/_dev/directory/people/zoe", &person).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let oid = created.json()["oid"].clone();
    assert_eq!(created.json()["name"], "zoe");

    person["display_name"] = "Zoe Zander".into();
    person.as_object_mut().unwrap().remove("roles");
    let replaced = tenant.put_json("/_dev/directory/people/zoe", &person).await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.body);
    assert_eq!(replaced.header("location"), None);
    let entry = replaced.json();
    assert_eq!((&entry["oid"], &entry["display_name"]), (&oid, &json!("Zoe Zander")));
    assert_eq!(entry["roles"], json!({}), "what the new entry does not have is gone");

    // A new entry can have the id in the path.
    let id = "a1000000-0000-4000-8000-000000000009";
    let group = json!({ "name": "Support", "tenant": "Contoso" });
    let answer = tenant.put_json(&format!("/_dev/directory/groups/{id}"), &group).await;
    assert_eq!((answer.status, &answer.json()["id"]), (StatusCode::CREATED, &json!(id)));
}

#[tokio::test]
async fn the_whole_directory_can_be_replaced_in_one_request() {
    let tenant = TestTenant::start().await;
    let scene = json!({
        "tenants": [{ "id": CONTOSO, "name": "Contoso" }],
        "people": [zoe()],
        "apps": [{
            "name": "Todo API",
            "client_id": "33333333-3333-4333-8333-333333333333",
            "tenant": "Contoso",
            "scopes": ["access_as_user"],
            "app_roles": ["Admin"],
        }, {
            "name": "Web",
            "client_id": "44444444-4444-4444-8444-444444444444",
            "tenant": "Contoso",
            "redirect_uris": { "spa": ["http://localhost:8000/oauth2-redirect"] },
        }],
    });
    let answer = tenant.put_json(PATH, &scene).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json(), tenant.get_json(PATH).await);
    assert_eq!(signed_in(&tenant, "zoe").await["roles"], json!(["Admin"]));
    tenant.pick(CONTOSO, &Form::authorization(), "ada").await.assert_page_refusal(50034);
    assert_eq!(tenant.tenant.people().len(), 1);

    // The body of a response can be sent again: after the reset, it sets the same scene.
    tenant.post_json("/_dev/directory/reset", &json!({})).await.assert_done();
    assert_eq!(signed_in(&tenant, "ada").await["roles"], json!(["Admin"]));
    assert_ne!(tenant.get_json(PATH).await, answer.json());
    assert_eq!(tenant.put_json(PATH, &answer.json()).await.json(), answer.json());
}

#[tokio::test]
async fn the_reset_directory_is_that_of_the_start() {
    let tenant = TestTenant::start().await;
    let at_the_start = tenant.get_json(PATH).await;
    tenant.post_json("/_dev/directory/people", &zoe()).await;
    tenant.delete("/_dev/directory/people/ada").await.assert_done();
    tenant.post_json("/_dev/directory/reset", &json!({})).await.assert_done();
    assert_eq!(tenant.get_json(PATH).await, at_the_start);
    tenant.pick(CONTOSO, &Form::authorization(), "zoe").await.assert_page_refusal(50034);
}

#[tokio::test]
async fn the_exported_file_describes_the_same_directory() {
    let tenant = TestTenant::start().await;
    tenant.post_json("/_dev/directory/people", &zoe()).await;
    let app = json!({
        "name": "Shop",
        "tenant": "Contoso",
        "single_tenant": true,
        "app_id_uri": ["https://shop.example", "api://shop"],
        "token_issuer": "https",
        "access_token_version": 1,
        "optional_claims": ["groups"],
        "secrets": ["a \"quoted\" secret"],
        "permissions": { "Todo API": [] },
    });
    let answer = tenant.post_json("/_dev/directory/apps", &app).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let file = tenant.get("/_dev/directory.toml").await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.header("content-type"), Some("application/toml"));
    let exported = Directory::parse(&file.body, Path::new("")).unwrap();
    let document = tenant.get_json(PATH).await;
    assert_eq!(exported.to_json(), document);
    // It is as short as a file that somebody would write.
    for default in ["= false", "= []", "= {}"] {
        let lines: Vec<_> = file.body.lines().filter(|line| line.contains(default)).collect();
        let expected: &[&str] = if default == "= []" { &["\"Todo API\" = []"] } else { &[] };
        assert_eq!(lines, expected, "{default}");
    }
    assert!(file.body.starts_with("[[tenants]]\nid = "), "{}", file.body);

    // A running tenant reads it, too.
    tenant.post_json("/_dev/directory/reset", &json!({})).await.assert_done();
    let request = tenant.browser.put(tenant.url(PATH));
    let request = request.header("content-type", "application/toml").body(file.body);
    let answer = Answer::of(request).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, document));
}

#[tokio::test]
async fn simultaneous_changes_are_all_made() {
    let tenant = TestTenant::start().await;
    let people = tenant.tenant.people().len();
    let mut requests = JoinSet::new();
    for number in 0..20 {
        let mut person = zoe();
        person["name"] = format!("zoe{number}").into();
        person["sign_in_name"] = format!("zoe{number}@contoso.example").into();
        let uri = json!(format!("http://localhost/{number}"));
        for (path, body) in [("people", person), ("apps/Web%20site/redirect_uris/web", uri)] {
            let request = tenant.browser.post(tenant.url(&format!("{PATH}/{path}")));
            let request = request.header("content-type", "application/json");
            requests.spawn(Answer::of(request.body(body.to_string())));
        }
    }
    for answer in requests.join_all().await {
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    }
    assert_eq!(tenant.tenant.people().len(), people + 20);
    let uris = tenant.get_json("/_dev/directory/apps/Web%20site/redirect_uris/web").await;
    assert_eq!(uris.as_array().unwrap().len(), 5 + 20);
}
