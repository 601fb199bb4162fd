//! Conditional requests for the directory: nobody overwrites the changes of another client.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestTenant};

const DIRECTORY: &str = "/_dev/directory";

impl TestTenant {
    /// Sends a request with a JSON body, if there is one, and this condition.
    async fn send_if(
        &self,
        (name, tag): (&str, &str),
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.browser.request(method, self.url(path)).header(name, tag);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Answer::of(request).await
    }

    /// The value and the entity tag of a part of the directory.
    async fn read(&self, path: &str) -> (Value, String) {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let tag = answer.header("etag").unwrap_or_else(|| panic!("{path} has no ETag")).to_owned();
        (answer.json(), tag)
    }
}

/// The directory with another name for a person.
fn renamed(mut directory: Value, person: usize, name: &str) -> Value {
    directory["people"][person]["display_name"] = name.into();
    directory
}

#[tokio::test]
async fn of_two_clients_that_write_the_whole_directory_the_second_is_refused() {
    let tenant = TestTenant::start().await;
    let (mine, tag) = tenant.read(DIRECTORY).await;
    let theirs = mine.clone();
    let put = |body: Value, tag: String| {
        let tenant = &tenant;
        async move { tenant.send_if(("if-match", &tag), Method::PUT, DIRECTORY, Some(&body)).await }
    };
    let first = put(renamed(mine, 0, "Ada the first"), tag.clone()).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let second = put(renamed(theirs, 1, "Uma the second"), tag.clone()).await;
    let (current, new_tag) = tenant.read(DIRECTORY).await;
    second.assert_problem(412, "the directory has changed since you read it");
    assert!(second.body.contains(new_tag.trim_matches('"')), "{}", second.body);
    assert_eq!(current["people"][0]["display_name"], "Ada the first");
    assert_eq!(current["people"][1]["display_name"], "Uma Ulrich");
    assert_ne!(tag, new_tag);
    let third = put(renamed(current, 1, "Uma the second"), new_tag).await;
    assert_eq!(third.status, 200, "{}", third.body);
    let people = tenant.get_json("/_dev/directory/people").await;
    assert_eq!(people[0]["display_name"], "Ada the first");
    assert_eq!(people[1]["display_name"], "Uma the second");
}

#[tokio::test]
async fn of_clients_that_write_at_once_one_is_accepted() {
    let tenant = TestTenant::start().await;
    let (directory, tag) = tenant.read(DIRECTORY).await;
    let put = |number: usize| {
        let body = renamed(directory.clone(), 0, &format!("Ada {number}"));
        let (tenant, tag) = (&tenant, tag.as_str());
        async move {
            tenant.send_if(("if-match", tag), Method::PUT, DIRECTORY, Some(&body)).await.status
        }
    };
    let statuses = tokio::join!(put(1), put(2), put(3), put(4));
    let mut statuses = Vec::from(<[_; 4]>::from(statuses).map(|status| status.as_u16()));
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412]);
}

#[tokio::test]
async fn every_change_of_a_part_can_be_conditional() {
    let tenant = TestTenant::start().await;
    let uma = "/_dev/directory/people/uma";
    let (_, tag) = tenant.read(uma).await;
    let patch = json!({ "display_name": "Uma Unger" });
    let nothing = json!({});
    for (method, path, body) in [
        (Method::PATCH, uma, Some(&patch)),
        (Method::PUT, uma, Some(&patch)),
        (Method::DELETE, uma, None),
        (Method::POST, "/_dev/directory/people", Some(&patch)),
        (Method::PUT, "/_dev/directory/people/new", Some(&patch)),
        (Method::POST, "/_dev/directory/reset", Some(&nothing)),
    ] {
        for other in ["\"another\"", &format!("W/{tag}"), tag.trim_matches('"'), ""] {
            let answer = tenant.send_if(("if-match", other), method.clone(), path, body).await;
            answer.assert_problem(412, "");
        }
    }
    assert_eq!(tenant.read(uma).await.1, tag, "nothing has changed");
    // Another person may change: the condition is about this part.
    let ada = "/_dev/directory/people/ada";
    assert_eq!(tenant.patch_json(ada, &json!({ "guest": true })).await.status, 200);
    let several = format!("\"another\", {tag}");
    let changed = tenant.send_if(("if-match", &several), Method::PATCH, uma, Some(&patch)).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, None));
    tenant.send_if(("if-match", &tag), Method::DELETE, uma, None).await.assert_problem(412, "read");
    let (_, tag) = tenant.read(uma).await;
    tenant.send_if(("if-match", &tag), Method::DELETE, uma, None).await.assert_done();
    tenant
        .send_if(("if-match", "*"), Method::DELETE, uma, None)
        .await
        .assert_problem(412, "nothing");
}

#[tokio::test]
async fn an_entry_is_only_created_if_there_is_none() {
    let tenant = TestTenant::start().await;
    let group = json!({ "name": "Testers", "tenant": "Contoso" });
    let path = "/_dev/directory/groups/Testers";
    let create = ("if-none-match", "*");
    let created = tenant.send_if(create, Method::PUT, path, Some(&group)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let again = tenant.send_if(create, Method::PUT, path, Some(&group)).await;
    again.assert_problem(412, "already");
}

#[tokio::test]
async fn a_client_that_has_the_directory_does_not_get_it_again() {
    let tenant = TestTenant::start().await;
    for path in [DIRECTORY, "/_dev/directory/people", "/_dev/directory.toml"] {
        let tag = tenant.get(path).await.header("etag").unwrap().to_owned();
        let same = tenant.send_if(("if-none-match", &tag), Method::GET, path, None).await;
        assert_eq!((same.status.as_u16(), same.body.as_str()), (304, ""), "{path}");
        assert_eq!(same.header("etag"), Some(tag.as_str()));
        let other = tenant.send_if(("if-match", "\"x\""), Method::GET, path, None).await;
        other.assert_problem(412, &tag);
        let name = json!({ "display_name": format!("{path} was read") });
        assert_eq!(tenant.patch_json("/_dev/directory/people/uma", &name).await.status, 200);
        let new = tenant.send_if(("if-none-match", &tag), Method::GET, path, None).await;
        assert_eq!(new.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_exported_file_is_written_back_unless_the_directory_has_changed() {
    let tenant = TestTenant::start().await;
    let exported = tenant.get("/_dev/directory.toml").await;
    let tag = exported.header("etag").unwrap();
    assert_eq!(tag, tenant.read(DIRECTORY).await.1);
    let put = |text: String| {
        let request = tenant.browser.put(tenant.url(DIRECTORY)).header("if-match", tag);
        Answer::of(request.header("content-type", "application/toml").body(text))
    };
    let changed = exported.body.replace("Uma Ulrich", "Uma Unger");
    assert_eq!(put(changed.clone()).await.status, 200);
    put(changed).await.assert_problem(412, "has changed");
}

#[tokio::test]
async fn a_restored_directory_has_its_old_entity_tag() {
    let tenant = TestTenant::start().await;
    let (_, tag) = tenant.read(DIRECTORY).await;
    tenant.delete("/_dev/directory/people/uma").await.assert_done();
    assert_ne!(tenant.read(DIRECTORY).await.1, tag);
    tenant.post_json("/_dev/directory/reset", &json!({})).await.assert_done();
    assert_eq!(tenant.read(DIRECTORY).await.1, tag);
    // Each isolated tenant has ids of its own, so its directory is another one.
    let isolated = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let controls = isolated["controls"].as_str().unwrap().to_owned();
    let path = format!("{}/directory", controls.trim_start_matches(tenant.tenant.base_url()));
    let (directory, isolated_tag) = tenant.read(&path).await;
    assert_ne!(isolated_tag, tag);
    let put = |tag| tenant.send_if(("if-match", tag), Method::PUT, &path, Some(&directory));
    put(&tag).await.assert_problem(412, "has changed");
    assert_eq!(put(&isolated_tag).await.status, 200);
}
