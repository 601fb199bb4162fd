//! Isolated tenants, one for each test, in one process.

use entra_dev::{
    Directory, Edit, Endpoint, FaultPlan, Forgery,
    ids::{API_CLIENT_ID, CONTOSO, SWAGGER_UI_CLIENT_ID},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Browser, Form, NOW, PublishedKeys, TestTenant, claims};

/// An isolated tenant over HTTP.
pub(crate) struct Isolated {
    pub(crate) id: String,
    pub(crate) description: Value,
}

impl Isolated {
    pub(crate) async fn create(tenant: &TestTenant, directory: &Value) -> Self {
        let isolated = Self::of(&tenant.post_json("/_dev/tenants", directory).await);
        let id = &isolated.id;
        assert_eq!(isolated.description["authority"], tenant.url(&format!("/{id}")));
        assert_eq!(isolated.description["controls"], tenant.url(&isolated.controls("")));
        isolated
    }

    /// The tenant that this response describes.
    pub(crate) fn of(created: &Answer) -> Self {
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
        let description = created.json();
        let id = description["id"].as_str().unwrap().to_owned();
        assert_eq!(created.header("location"), Some(format!("/_dev/tenants/{id}").as_str()));
        Self { id, description }
    }

    /// A path of its controls.
    pub(crate) fn controls(&self, path: &str) -> String {
        format!("/_dev/tenants/{}{path}", self.id)
    }

    pub(crate) fn client_id(&self, name: &str) -> String {
        let apps = self.description["directory"]["apps"].as_array().unwrap();
        let app = apps.iter().find(|app| app["name"] == name).unwrap();
        app["client_id"].as_str().unwrap().to_owned()
    }

    /// The authorization request of its Swagger UI.
    pub(crate) fn authorization(&self) -> Form {
        let scope = format!("openid api://{}/access_as_user", self.client_id("Todo API"));
        let client_id = self.client_id("Todo API - Swagger UI");
        Form::authorization().with("client_id", &client_id).with("scope", &scope)
    }

    async fn sign_in(&self, tenant: &TestTenant, name: &str) -> Value {
        let code = tenant.code_for(&self.id, &self.authorization(), name).await;
        let client_id = self.client_id("Todo API - Swagger UI");
        let form = Form::redemption(&code).with("client_id", &client_id);
        let answer = tenant.redeem(&self.id, &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }
}

#[tokio::test]
async fn a_copy_has_its_own_ids() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let other = Isolated::create(&tenant, &json!({})).await;
    assert_ne!(one.id, other.id);
    let token = claims(&one.sign_in(&tenant, "ada").await, "access_token");
    assert_eq!(token["tid"], one.id);
    assert_eq!(token["iss"], tenant.url(&format!("/{}/v2.0", one.id)));
    assert_eq!(token["aud"], one.client_id("Todo API"));
    assert_eq!((&token["name"], &token["roles"]), (&json!("Ada Adler"), &json!(["Admin"])));
    let shared = tenant.sign_in(CONTOSO, &Form::authorization(), "ada").await;
    let shared = claims(&shared, "access_token");
    let others = claims(&other.sign_in(&tenant, "ada").await, "access_token");
    for claim in ["aud", "azp", "iss", "oid", "sub", "tid"] {
        assert_ne!(token[claim], shared[claim], "{claim}");
        assert_ne!(token[claim], others[claim], "{claim}");
    }
    // Ids in other texts are replaced, too. Nothing of the original is left.
    let description = one.description.to_string();
    for id in [API_CLIENT_ID, SWAGGER_UI_CLIENT_ID, CONTOSO, "ada00000-"] {
        assert!(!description.contains(id), "{id}");
    }
    let listed = tenant.get_json("/_dev/tenants").await;
    let ids: Vec<_> = listed["tenants"].as_array().unwrap().iter().map(|t| &t["id"]).collect();
    assert_eq!(ids, [&json!(one.id), &json!(other.id)]);
    assert_eq!(tenant.get_json(&one.controls("")).await, one.description);
}

#[tokio::test]
async fn a_given_directory_keeps_its_names_and_references() {
    let tenant = TestTenant::start().await;
    let api = "a1000000-0000-4000-8000-000000000003";
    let directory = json!({
        "tenants": [
            { "name": "Globex", "domains": ["globex.example"] },
            { "id": CONTOSO, "name": "Contoso" },
        ],
        "people": [{
            "name": "hank",
            "display_name": "Hank Hale",
            "sign_in_name": "hank@globex.example",
            "tenant": "Globex",
            "roles": { api: ["Reader"] },
        }],
        "apps": [{
            "client_id": api,
            "name": "Stock API",
            "tenant": CONTOSO,
            "app_id_uri": format!("https://stock.example/{api}"),
            "scopes": ["read"],
            "app_roles": ["Reader"],
        }],
    });
    let isolated = Isolated::create(&tenant, &directory).await;
    let entries = &isolated.description["directory"];
    assert_eq!(entries["tenants"][0]["id"], isolated.id);
    assert_eq!(entries["tenants"][0]["domains"], json!([]));
    let client_id = isolated.client_id("Stock API");
    assert_ne!(client_id, api);
    assert_eq!(entries["people"][0]["roles"], json!({ client_id.as_str(): ["Reader"] }));
    assert_eq!(entries["apps"][0]["app_id_uri"], format!("https://stock.example/{client_id}"));
    assert_eq!(entries["apps"][0]["tenant"], entries["tenants"][1]["id"]);
    // Without a name, the forged token is for the first API of this directory.
    let answer = tenant.post_json(&isolated.controls("/tokens"), &json!({})).await;
    let claims = TestTenant::claims(&answer.token("access_token"));
    assert_eq!((&claims["aud"], &claims["name"]), (&json!(client_id), &json!("Hank Hale")));
    // Its second tenant is reached, too.
    let second = entries["tenants"][1]["id"].as_str().unwrap();
    let metadata = format!("/{second}/v2.0/.well-known/openid-configuration");
    assert_eq!(tenant.get(&metadata).await.status, StatusCode::OK);
}

#[tokio::test]
async fn each_tenant_has_its_own_audit_trail() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let other = Isolated::create(&tenant, &json!({})).await;
    one.sign_in(&tenant, "uma").await;
    let trail = tenant.get_json(&one.controls("/audit")).await;
    let entries = trail["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{trail}");
    assert_eq!((&entries[0]["endpoint"], &entries[0]["tenant"]), (&json!("token"), &json!(one.id)));
    assert_eq!(tenant.get_json(&other.controls("/audit")).await, json!({ "entries": [] }));
    assert_eq!(tenant.get_json("/_dev/audit").await, json!({ "entries": [] }));
}

#[tokio::test]
async fn each_tenant_has_its_own_clock() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let other = Isolated::create(&tenant, &json!({})).await;
    let shift = json!({ "offset": 3600 });
    tenant.put_json(&one.controls("/clock"), &shift).await.assert_done();
    let issued = |body: Value| claims(&body, "access_token")["iat"].clone();
    assert_eq!(issued(one.sign_in(&tenant, "ada").await), NOW + 3600);
    assert_eq!(issued(other.sign_in(&tenant, "ada").await), NOW);
    assert_eq!(tenant.get_json("/_dev/clock").await["offset"], 0);
    // All of them follow the clock of the process.
    tenant.clock.advance(60);
    assert_eq!(tenant.get_json(&one.controls("/clock")).await["now"], NOW + 3660);
}

#[tokio::test]
async fn each_tenant_has_its_own_faults() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let other = Isolated::create(&tenant, &json!({})).await;
    let fault = json!({ "status": 503 });
    tenant.put_json(&one.controls("/faults/keys"), &fault).await.assert_done();
    for (id, status) in [(one.id.as_str(), 503), (&other.id, 200), (CONTOSO, 200)] {
        let answer = tenant.get(&format!("/{id}/discovery/v2.0/keys")).await;
        assert_eq!(answer.status, status, "{id}");
    }
    tenant.delete(&one.controls("/faults")).await.assert_done();
    let answer = tenant.get(&format!("/{}/discovery/v2.0/keys", one.id)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn each_tenant_has_its_own_keys() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let kids = |id: String| {
        let url = tenant.url(&format!("/{id}/discovery/v2.0/keys"));
        let browser = &tenant.browser;
        async move { PublishedKeys::at(browser, &url).await.kids().join(" ") }
    };
    let before = kids(CONTOSO.to_owned()).await;
    let token = one.sign_in(&tenant, "ada").await["access_token"].as_str().unwrap().to_owned();
    let published = PublishedKeys::of(&tenant).await;
    assert!(published.signer(&token).is_some(), "they begin with the same keys, as in Entra");
    let rotation = json!({ "overlap": false });
    let answer = tenant.post_json(&one.controls("/keys/rotate"), &rotation).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(kids(CONTOSO.to_owned()).await, before);
    assert_ne!(kids(one.id.clone()).await, before);
    assert!(one.sign_in(&tenant, "ada").await["access_token"].is_string());
}

#[tokio::test]
async fn each_tenant_has_its_own_directory() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let other = Isolated::create(&tenant, &json!({})).await;
    let rename = json!({ "display_name": "Ada Adams" });
    let answer = tenant.patch_json(&one.controls("/directory/people/ada"), &rename).await;
    assert_eq!(answer.status, StatusCode::OK);
    let name = |path: String| {
        let path = format!("{path}/people/ada/display_name");
        let tenant = &tenant;
        async move { tenant.get_json(&path).await }
    };
    assert_eq!(name(one.controls("/directory")).await, "Ada Adams");
    assert_eq!(name(other.controls("/directory")).await, "Ada Adler");
    assert_eq!(name("/_dev/directory".to_owned()).await, "Ada Adler");
    let group = json!({ "name": "Art", "tenant": "Contoso" });
    let answer = tenant.post_json(&one.controls("/directory/groups"), &group).await;
    let location = answer.header("location").unwrap();
    assert!(location.starts_with(&one.controls("/directory/groups/")), "{location}");
    assert_eq!(tenant.get_json(location).await["name"], "Art");
    tenant.post_json(&one.controls("/directory/reset"), &json!({})).await.assert_done();
    assert_eq!(tenant.get_json(&one.controls("/directory")).await, one.description["directory"]);
    let file = tenant.get(&one.controls("/directory.toml")).await;
    assert!(file.body.contains(&one.id), "{}", file.body);
}

#[tokio::test]
async fn sign_ins_at_two_tenants_do_not_disturb_each_other() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let browser = Browser::new(&tenant);
    browser.pick(CONTOSO, &Form::authorization(), "uma").await.assert_code(StatusCode::SEE_OTHER);
    let silent = one.authorization().with("prompt", "none");
    let answer = browser.authorize(&one.id, &silent).await;
    answer.assert_redirected_refusal("login_required", 50058);
    let answer = browser.pick(&one.id, &one.authorization(), "ulf").await;
    answer.assert_code(StatusCode::SEE_OTHER);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("entra-dev-") && cookie.contains(&format!("-{}=", one.id)));
}

#[tokio::test]
async fn user_information_is_that_of_the_tenant_of_the_token() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let rename = json!({ "display_name": "Uma Isolated" });
    tenant.patch_json(&one.controls("/directory/people/uma"), &rename).await;
    let scopes = json!({ "scp": "openid profile" });
    let body = json!({ "person": "uma", "resource": "Microsoft Graph", "claims": scopes });
    for (controls, name) in [(one.controls(""), "Uma Isolated"), ("/_dev".into(), "Uma Ulrich")] {
        let token = tenant.post_json(&format!("{controls}/tokens"), &body).await;
        let request = tenant.browser.get(tenant.url("/oidc/userinfo"));
        let answer = Answer::of(request.bearer_auth(token.token("access_token"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.json()["name"], name);
    }
}

#[tokio::test]
async fn a_browser_gets_the_page_of_the_tenant() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let request = tenant.browser.get(tenant.url(&one.controls("")));
    let answer = Answer::of(request.header("accept", "text/html,*/*;q=0.8")).await;
    answer.assert_page("Activity, people and apps");
    assert!(answer.body.contains(&one.id));
}

#[tokio::test]
async fn a_removed_tenant_is_gone() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    tenant.delete(&one.controls("")).await.assert_done();
    tenant.delete(&one.controls("")).await.assert_problem(404, "there is no isolated tenant");
    tenant.get(&one.controls("")).await.assert_problem(404, &one.id);
    tenant.get(&one.controls("/audit")).await.assert_problem(404, &one.id);
    tenant.authorize(&one.id, &one.authorization()).await.assert_page_refusal(90002);
    assert_eq!(tenant.get_json("/_dev/tenants").await, json!({ "tenants": [] }));
}

#[tokio::test]
async fn tenants_can_be_isolated_without_http() {
    let tenant = TestTenant::start().await;
    let process = &tenant.tenant;
    let one = process.isolate(&Directory::default()).await.unwrap();
    let other = process.isolate(&Directory::default()).await.unwrap();
    assert_eq!(one.authority(), tenant.url(&format!("/{}", one.id())));
    one.set_clock_offset(60);
    one.edit_directory(Edit::remove(["people", "uma"])).await.unwrap();
    assert!(one.access_token("uma").is_err());
    let token = TestTenant::claims(&one.access_token("ada").unwrap());
    assert_eq!((&token["tid"], &token["iat"]), (&json!(one.id()), &json!(NOW + 60)));
    assert_eq!(token["aud"].as_str(), one.directory().id_of("Todo API"));
    let token = TestTenant::claims(&other.forge(&Forgery::of("uma")).unwrap());
    assert_eq!((&token["tid"], &token["iat"]), (&json!(other.id()), &json!(NOW)));

    let mut plan = FaultPlan::default();
    plan.status = Some(502);
    one.plan_fault(Endpoint::Keys, Some(plan));
    let keys = |id: &str| format!("/{id}/discovery/v2.0/keys");
    assert_eq!(tenant.get(&keys(one.id())).await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(tenant.get(&keys(other.id())).await.status, StatusCode::OK);
    one.plan_fault(Endpoint::Keys, None);
    let before = tenant.get_json(&keys(other.id())).await;
    one.rotate_keys(true).await.unwrap();
    assert_eq!(tenant.get_json(&keys(other.id())).await, before);
    assert_ne!(tenant.get_json(&keys(one.id())).await, before);
    tenant.authorize(one.id(), &Form::empty()).await.assert_page_refusal(900_144);
    assert_eq!((one.audit().len(), other.audit().len()), (1, 0));
    one.reset_directory().await.unwrap();
    assert!(one.access_token("uma").is_ok());

    let id = one.id().to_owned();
    drop(one);
    tenant.get(&format!("/_dev/tenants/{id}")).await.assert_problem(404, &id);
}
