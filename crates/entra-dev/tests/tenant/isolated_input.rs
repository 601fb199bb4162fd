//! Invalid requests for isolated tenants.

use entra_dev::ids::{CONSUMERS, CONTOSO};
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    isolated_tenants::Isolated,
    support::{Answer, TestTenant},
};

#[tokio::test]
async fn a_faulty_directory_is_refused_with_its_faults() {
    let tenant = TestTenant::start().await;
    let globex = json!([{ "name": "Globex" }]);
    let issuer = "http://elsewhere:8001";
    let api = json!([{ "name": "API", "tenant": "Globex", "token_issuer": issuer }]);
    let personal = json!([{ "id": CONSUMERS, "name": "Personal", "personal": true }]);
    for (body, pointer, detail) in [
        (json!([]), "#", "invalid type: sequence"),
        (json!({ "people": [] }), "#", "missing field `tenants`"),
        (json!({ "tenants": globex, "persons": [] }), "#/persons", "unknown field `persons`"),
        (
            json!({ "tenants": globex, "groups": [{ "name": "A", "tenant": "B" }] }),
            "#/groups/0/tenant",
            "there is no tenant \"B\"",
        ),
        (json!({ "tenants": globex, "apps": api }), "apps/API/token_issuer", issuer),
        (json!({ "tenants": [] }), "#/tenants", "there must be a tenant other than that of"),
        (json!({ "tenants": personal }), "#/tenants", "there must be a tenant other than that of"),
    ] {
        let answer = tenant.post_json("/_dev/tenants", &body).await;
        answer.assert_problem(400, detail);
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.body);
    }
    for media in ["text/plain", "application/x-www-form-urlencoded", "application/toml"] {
        let request = tenant.browser.post(tenant.url("/_dev/tenants"));
        let answer = Answer::of(request.header("content-type", media).body("{}")).await;
        answer.assert_problem(415, "send application/json");
    }
    assert_eq!(tenant.get_json("/_dev/tenants").await, json!({ "tenants": [] }));
}

#[tokio::test]
async fn an_id_or_domain_of_another_tenant_is_refused() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    let other = Isolated::create(&tenant, &json!({})).await;
    let domains = one.controls("/directory/tenants/Contoso/domains");
    let contoso = tenant.post_json(&domains, &json!("contoso.example")).await;
    contoso.assert_problem(400, "there is another tenant \"contoso.example\" in this process");
    let answer = tenant.post_json(&domains, &json!("one.example")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let metadata = "/one.example/v2.0/.well-known/openid-configuration";
    let issuer = tenant.get_json(metadata).await["issuer"].clone();
    assert_eq!(issuer, tenant.url(&format!("/{}/v2.0", one.id)));

    let taken = json!({ "id": one.id, "name": "Taken" });
    for controls in ["/_dev".to_owned(), other.controls("")] {
        let path = format!("{controls}/directory/tenants");
        tenant.post_json(&path, &taken).await.assert_problem(400, &one.id);
    }
    let contoso = json!({ "id": CONTOSO, "name": "Taken" });
    let answer = tenant.post_json(&one.controls("/directory/tenants"), &contoso).await;
    answer.assert_problem(400, CONTOSO);
    // The names of a removed tenant are free again.
    tenant.delete(&one.controls("")).await.assert_done();
    let answer = tenant.post_json("/_dev/directory/tenants", &taken).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
}

#[tokio::test]
async fn an_isolated_tenant_has_no_isolated_tenants() {
    let tenant = TestTenant::start().await;
    let one = Isolated::create(&tenant, &json!({})).await;
    for path in ["/tenants", "/tenants/x", "/nothing", "/directory/people/nobody"] {
        let path = one.controls(path);
        tenant.get(&path).await.assert_problem(404, "there is no");
    }
    tenant
        .post_json(&one.controls("/tenants"), &json!({}))
        .await
        .assert_problem(404, "there is no");
    for path in ["/_dev/tenants/nobody", "/_dev/tenants/nobody/directory"] {
        tenant.get(path).await.assert_problem(404, "there is no isolated tenant \"nobody\"");
    }
    let answer = tenant.put_json("/_dev/tenants", &json!({})).await;
    answer.assert_problem(405, "send one of HEAD, GET, POST");
}

#[tokio::test]
async fn a_fault_of_a_shared_endpoint_is_refused() {
    let tenant = TestTenant::start().await;
    let isolated = Isolated::create(&tenant, &json!({})).await;
    let plan = json!({ "status": 503 });
    let answer = tenant.put_json(&isolated.controls("/faults/instance"), &plan).await;
    answer.assert_problem(400, "instance discovery is shared by the whole process");
    assert_eq!(tenant.get_json(&isolated.controls("/faults")).await, json!({ "faults": [] }));
    tenant.put_json("/_dev/faults/instance", &plan).await.assert_done();
}

#[tokio::test]
async fn there_is_a_limit_to_isolated_tenants() {
    let tenant = TestTenant::start().await;
    let directory = json!({ "tenants": [{ "name": "T" }] });
    let one = Isolated::create(&tenant, &directory).await;
    for _ in 1..1_000 {
        Isolated::create(&tenant, &directory).await;
    }
    let answer = tenant.post_json("/_dev/tenants", &directory).await;
    answer.assert_problem(409, "there are 1000 isolated tenants already");
    tenant.delete(&one.controls("")).await.assert_done();
    Isolated::create(&tenant, &directory).await;
}
