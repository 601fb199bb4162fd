//! Microsoft Graph: groups and directory roles.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, GraphToken, TestTenant, text};

const ENGINEERING: &str = "9a000000-0000-4000-8000-000000000001";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// A person in seven groups.
fn entries() -> String {
    let id = |number: usize| format!("9b000000-0000-4000-8000-00000000000{number}");
    let group = |number: usize| {
        format!("[[groups]]\nid = \"{}\"\nname = \"G{number}\"\ntenant = \"Contoso\"\n", id(number))
    };
    let ids: Vec<_> = (0..7).map(id).collect();
    let groups: String = (0..7).map(group).collect();
    format!(
        "{groups}[[people]]\nname = \"many\"\ndisplay_name = \"Many\"\nsign_in_name = \
         \"many@contoso.example\"\noid = \"9b000000-0000-4000-8000-0000000000aa\"\ntenant = \
         \"Contoso\"\ngroups = {ids:?}\n"
    )
}

#[tokio::test]
async fn the_groups_and_directory_roles_of_a_person() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("ada", "Directory.Read.All").await;
    let answer = tenant.graph(&token, "/me/memberOf").await.json();
    let role = &answer["value"][1]["id"];
    assert_eq!(
        answer,
        json!({
            "@odata.context": tenant.url("/graph/v1.0/$metadata#directoryObjects"),
            "value": [
                {
                    "@odata.type": "#microsoft.graph.group",
                    "id": ENGINEERING,
                    "description": null,
                    "displayName": "Engineering",
                    "groupTypes": [],
                    "mail": null,
                    "mailEnabled": false,
                    "securityEnabled": true,
                },
                {
                    "@odata.type": "#microsoft.graph.directoryRole",
                    "id": role,
                    "description": "Can consent for everybody in the tenant.",
                    "displayName": "Global Administrator",
                    "roleTemplateId": GLOBAL_ADMINISTRATOR,
                },
            ],
        })
    );
    for (path, expected) in [
        ("/users/ada@contoso.example/memberOf", json!([ENGINEERING, role])),
        ("/me/transitiveMemberOf", json!([ENGINEERING, role])),
        ("/me/memberOf/microsoft.graph.group", json!([ENGINEERING])),
        ("/me/memberOf/microsoft.graph.directoryRole", json!([role])),
        ("/users/noel@contoso.example/memberOf", json!([])),
    ] {
        let answer = tenant.graph(&token, path).await;
        assert_eq!(ids(&answer.json()), expected, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn without_a_permission_for_groups_only_their_ids_are_visible() {
    let tenant = TestTenant::start().await;
    for (scopes, group, role) in [
        ("User.Read", Value::Null, Value::Null),
        ("User.Read GroupMember.Read.All", json!("Engineering"), Value::Null),
        ("Directory.Read.All", json!("Engineering"), json!("Global Administrator")),
    ] {
        let token = tenant.graph_token("ada", scopes).await;
        let path = "/me/memberOf?$select=displayName,id";
        let answer = tenant.graph(&token, path).await.json();
        assert_eq!(ids(&answer)[0], ENGINEERING, "{scopes}");
        let names = [&answer["value"][0]["displayName"], &answer["value"][1]["displayName"]];
        assert_eq!(names, [&group, &role], "{scopes}");
        let content = "/graph/v1.0/$metadata#directoryObjects(displayName,id)";
        assert_eq!(answer["@odata.context"], tenant.url(content));
        assert_eq!(answer["value"][0].as_object().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn memberships_come_in_pages() {
    let tenant = TestTenant::start_having(&entries()).await;
    let token = tenant.graph_token("many", "User.Read").await;
    let mut url = tenant.url("/graph/v1.0/me/memberOf?$select=id&$top=3");
    let mut pages = Vec::new();
    loop {
        let answer = Answer::of(tenant.browser.get(&url).bearer_auth(&token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let body = answer.json();
        pages.push(body["value"].as_array().unwrap().len());
        let Some(next) = body.get("@odata.nextLink") else { break };
        url = next.as_str().unwrap().to_owned();
        let start = tenant.url("/graph/v1.0/me/memberOf?$select=id&$top=3&$skiptoken=");
        assert!(url.starts_with(&start), "{url}");
    }
    assert_eq!(pages, [3, 3, 1]);
    let all = tenant.graph(&token, "/me/memberOf").await.json();
    assert_eq!(ids(&all).as_array().unwrap().len(), 7);
    assert!(all.get("@odata.nextLink").is_none(), "{all}");
    let full = tenant.graph(&token, "/me/memberOf?$top=7").await.json();
    assert!(full.get("@odata.nextLink").is_none(), "a full last page has no next one");
    // The next page starts after a membership that has ended.
    tenant.delete("/_dev/directory/groups/G5").await.assert_done();
    let answer = Answer::of(tenant.browser.get(&url).bearer_auth(&token)).await;
    answer.assert_graph_error(400, "Directory_ExpiredPageToken", "page token");
    for (query, code, said) in [
        ("$top=0", "Request_UnsupportedQuery", "'0'. Must be between 1 and 999"),
        ("$top=1000", "Request_UnsupportedQuery", "'1000'"),
        ("$top=-1", "Request_UnsupportedQuery", "'-1'"),
        ("$top=x", "Request_UnsupportedQuery", "'x'"),
        ("$skiptoken=x", "Directory_ExpiredPageToken", "page token"),
        ("$filter=id%20eq%20'x'", "Request_UnsupportedQuery", "'$filter'"),
        ("$select=members", "BadRequest", "'members' on type 'microsoft.graph.directoryObject'"),
    ] {
        let answer = tenant.graph(&token, &format!("/me/memberOf?{query}")).await;
        answer.assert_graph_error(400, code, said);
    }
}

#[tokio::test]
async fn the_ids_of_all_memberships_come_in_one_response() {
    let tenant = TestTenant::start_having(&entries()).await;
    let token = tenant.graph_token("ada", "User.Read.All").await;
    let all = json!({ "securityEnabledOnly": false });
    let groups = json!({ "securityEnabledOnly": true });
    let answer = tenant.graph_action(&token, "/me/getMemberObjects", &all).await.json();
    let content = "/graph/v1.0/$metadata#Collection(Edm.String)";
    assert_eq!(answer["@odata.context"], tenant.url(content));
    let [group, role] = &answer["value"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!(group, ENGINEERING);
    assert_ne!(role, GLOBAL_ADMINISTRATOR, "a directory role has its own id in each tenant");
    for (path, body, expected) in [
        ("/me/getMemberObjects", &groups, 1),
        ("/me/getMemberGroups", &all, 1),
        ("/me/microsoft.graph.getMemberObjects", &all, 2),
        ("/users/many@contoso.example/getMemberObjects", &all, 7),
        ("/users/9b000000-0000-4000-8000-0000000000aa/getMemberObjects", &groups, 7),
    ] {
        let answer = tenant.graph_action(&token, path, body).await;
        let value = answer.json()["value"].clone();
        assert_eq!(value.as_array().map(Vec::len), Some(expected), "{path} {}", answer.body);
    }
}

#[tokio::test]
async fn a_bad_body_is_named() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    for (body, said) in [
        (json!({}), "needs the parameter 'securityEnabledOnly'"),
        (json!([]), "needs the parameter 'securityEnabledOnly'"),
        (json!({ "securityEnabledOnly": "true" }), "'\"true\"' to the expected type 'Edm.Boolean'"),
        (json!({ "securityEnabledOnly": null }), "'null'"),
    ] {
        let answer = tenant.graph_action(&token, "/me/getMemberObjects", &body).await;
        answer.assert_graph_error(400, "Request_BadRequest", said);
    }
    let url = tenant.url("/graph/v1.0/me/getMemberObjects");
    let broken = tenant.browser.post(&url).bearer_auth(&token).body("{");
    Answer::of(broken).await.assert_graph_error(400, "Request_BadRequest", "not JSON");
    let large = tenant.browser.post(url).bearer_auth(&token).body(" ".repeat(70_000));
    Answer::of(large).await.assert_graph_error(413, "BadRequest", "64 KiB");
}

#[tokio::test]
async fn whose_memberships_a_token_may_read_depends_on_its_permissions() {
    let tenant = TestTenant::start().await;
    let app = |role: &str| GraphToken::App(role.to_owned());
    let person = |scopes: &str| GraphToken::Person("uma", scopes.to_owned());
    let both = "User.ReadBasic.All GroupMember.Read.All";
    for (token, of_self, of_other) in [
        (person("openid"), 403, 403),
        (person("User.Read"), 200, 403),
        (person("User.ReadBasic.All"), 403, 403),
        (person("GroupMember.Read.All"), 403, 403),
        (person(both), 200, 200),
        (person("User.Read.All"), 200, 200),
        (person("Directory.Read.All"), 200, 200),
        (app("User.Read.All"), 400, 200),
        (app("Group.Read.All"), 400, 403),
    ] {
        let token = token.get(&tenant).await;
        let body = json!({ "securityEnabledOnly": false });
        for (path, status) in [("/me", of_self), ("/users/ulf@contoso.example", of_other)] {
            let list = tenant.graph(&token, &format!("{path}/memberOf")).await;
            assert_eq!(list.status, status, "{path} {}", list.body);
            let path = format!("{path}/getMemberObjects");
            let ids = tenant.graph_action(&token, &path, &body).await;
            assert_eq!(ids.status, status, "{path} {}", ids.body);
        }
    }
    let denied = tenant.graph(&person("User.Read").get(&tenant).await, "/users/x/memberOf").await;
    let said = "the token needs User.Read.All, or Directory.Read.All, or User.ReadBasic.All and";
    denied.assert_graph_error(403, "Authorization_RequestDenied", said);
    assert!(!text(&denied.json()["error"], "message").contains("'x'"));
}

/// The ids of the objects in a response.
fn ids(body: &Value) -> Value {
    let objects = body["value"].as_array().unwrap_or_else(|| panic!("{body}"));
    objects.iter().map(|object| object["id"].clone()).collect()
}
