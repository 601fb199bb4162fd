//! Faults that tests plan.

use std::time::{Duration, Instant};

use entra_dev::{Endpoint, FaultPlan, ids::CONTOSO};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, Form, ORIGIN, TestTenant};

const METADATA: &str = "/common/v2.0/.well-known/openid-configuration";

/// Each endpoint with the status of a request without parameters.
const ENDPOINTS: [(&str, u16); 10] = [
    ("metadata", 200),
    ("keys", 200),
    ("instance", 200),
    ("authorize", 400),
    ("adminconsent", 400),
    ("token", 400),
    ("devicecode", 400),
    ("deviceauth", 200),
    ("userinfo", 401),
    ("logout", 200),
];

#[tokio::test]
async fn endpoints_work_without_planned_faults() {
    let tenant = TestTenant::start().await;
    assert_eq!(tenant.get_json("/_dev/faults").await, json!({ "faults": [] }));
    for (endpoint, status) in ENDPOINTS {
        assert_eq!(tenant.statuses(endpoint).await, [status; 4], "{endpoint}");
    }
}

#[tokio::test]
async fn each_endpoint_fails_until_its_fault_is_cleared() {
    let tenant = TestTenant::start().await;
    for (endpoint, status) in ENDPOINTS {
        tenant.plan(endpoint, &json!({ "status": 503 })).await;
        for (other, well) in ENDPOINTS {
            let expected = if other == endpoint { 503 } else { well };
            assert_eq!(tenant.ask(other).await.status, expected, "{endpoint}, {other}");
        }
        let answer = tenant.ask(endpoint).await;
        assert_eq!(answer.body, "This fails on purpose.\n");
        tenant.delete(&format!("/_dev/faults/{endpoint}")).await.assert_done();
        assert_eq!(tenant.ask(endpoint).await.status, status, "{endpoint}");
    }
}

#[tokio::test]
async fn an_endpoint_can_be_slow() {
    let tenant = TestTenant::start().await;
    tenant.plan("metadata", &json!({ "latency_ms": 50 })).await;
    let asked = Instant::now();
    let document = tenant.get_json(METADATA).await;
    assert!(asked.elapsed() >= Duration::from_millis(50));
    assert!(document["issuer"].is_string(), "it is right all the same");
}

#[tokio::test]
async fn a_response_can_be_truncated() {
    let tenant = TestTenant::start().await;
    let whole = tenant.get(METADATA).await;
    tenant.plan("metadata", &json!({ "truncate": 100 })).await;
    let cut = tenant.get(METADATA).await;
    assert_eq!(cut.status, StatusCode::OK);
    assert_eq!(cut.header("content-type"), whole.header("content-type"));
    assert_eq!(cut.body, whole.body[..100]);
    // A length beyond the body changes nothing.
    tenant.plan("metadata", &json!({ "truncate": 1_000_000 })).await;
    assert_eq!(tenant.get(METADATA).await.body, whole.body);
}

#[tokio::test]
async fn a_fault_can_be_intermittent_and_limited() {
    let tenant = TestTenant::start().await;
    tenant.plan("keys", &json!({ "status": 500, "every": 3 })).await;
    assert_eq!(tenant.statuses("keys").await, [200, 200, 500, 200, 200, 500, 200]);
    tenant.plan("keys", &json!({ "status": 500, "times": 2 })).await;
    assert_eq!(tenant.statuses("keys").await, [500, 500, 200, 200]);
    tenant.plan("keys", &json!({ "status": 500, "every": 2, "times": 1 })).await;
    assert_eq!(tenant.statuses("keys").await, [200, 500, 200, 200]);
    tenant.plan("keys", &json!({ "status": 500, "times": 0 })).await;
    assert_eq!(tenant.statuses("keys").await, [200, 200]);
}

#[tokio::test]
async fn faults_apply_to_scripts_but_not_to_preflights() {
    let tenant = TestTenant::start().await;
    tenant.plan("token", &json!({ "status": 503, "times": 1 })).await;
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/token"));
    for (method, status) in
        [(Method::OPTIONS, 204), (Method::OPTIONS, 204), (Method::POST, 503), (Method::POST, 400)]
    {
        let request = tenant.browser.request(method, &url).header("origin", ORIGIN);
        let answer = Answer::of(Form::empty().on(request)).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    }
}

#[tokio::test]
async fn everybody_may_read_the_planned_status_of_a_public_endpoint() {
    let tenant = TestTenant::start().await;
    for (endpoint, path, origin) in [
        ("metadata", "/common/v2.0/.well-known/openid-configuration", Some("*")),
        ("keys", "/common/discovery/v2.0/keys", Some("*")),
        ("userinfo", "/oidc/userinfo", Some("*")),
        ("graph", "/graph/v1.0/me", Some("*")),
        ("authorize", "/common/oauth2/v2.0/authorize", None),
    ] {
        tenant.plan(endpoint, &json!({ "status": 503, "times": 1 })).await;
        let request = tenant.browser.get(tenant.url(path)).header("origin", "https://any.example");
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 503, "{endpoint}");
        assert_eq!(answer.header("access-control-allow-origin"), origin, "{endpoint}");
    }
}

#[tokio::test]
async fn faults_are_listed_and_can_be_cleared_together() {
    let tenant = TestTenant::start().await;
    tenant.plan("token", &json!({ "status": 429, "times": 3 })).await;
    tenant.plan("keys", &json!({ "hide_signing_key": true, "every": 2 })).await;
    let document = tenant.get_json("/_dev/faults").await;
    let plans = document["faults"].as_array().unwrap();
    assert_eq!(plans.len(), 2);
    assert_eq!(plans[0]["endpoint"], "keys");
    assert_eq!(plans[0]["plan"]["hide_signing_key"], true);
    assert_eq!(plans[0]["plan"]["every"], 2);
    assert_eq!(plans[1]["endpoint"], "token");
    assert_eq!(plans[1]["plan"]["status"], 429);
    assert_eq!(plans[1]["plan"]["times"], 3);
    let page = tenant.get("/_dev").await.body;
    assert!(page.contains("<th scope=\"row\">token</th>"), "{page}");
    // A listed plan can be sent again.
    tenant.plan("token", &plans[1]["plan"]).await;

    tenant.delete("/_dev/faults").await.assert_done();
    assert_eq!(tenant.get_json("/_dev/faults").await, json!({ "faults": [] }));
    assert_eq!(tenant.statuses("token").await, [400, 400]);
}

#[tokio::test]
async fn an_unknown_endpoint_error_lists_the_endpoints() {
    let tenant = TestTenant::start().await;
    for path in ["/_dev/faults/nothing", "/_dev/faults/Keys"] {
        let known = "expected one of `metadata`, `keys`, `instance`, `authorize`, `adminconsent`, \
                     `token`, `devicecode`, `deviceauth`, `userinfo`, `logout`, \
                     `graph`, `managedidentity`";
        tenant.put_json(path, &json!({ "status": 500 })).await.assert_problem(404, known);
        tenant.delete(path).await.assert_problem(404, known);
    }
}

#[tokio::test]
async fn an_invalid_fault_plan_is_refused() {
    let tenant = TestTenant::start().await;
    for (plan, detail) in [
        (json!({ "status": 399 }), "status must be from 400 to 599"),
        (json!({ "status": 600 }), "status must be from 400 to 599"),
        (json!({ "status": 65536 }), "invalid value"),
        (json!({ "status": "500" }), "invalid type: string"),
        (json!({ "latency_ms": -1 }), "invalid value"),
        (json!({ "sometimes": true }), "unknown field `sometimes`"),
        (json!({}), "the plan does nothing"),
        (json!({ "every": 2, "times": 3 }), "the plan does nothing"),
        (json!({ "status": 503, "every": 0 }), "every must be at least 1"),
    ] {
        tenant.put_json("/_dev/faults/keys", &plan).await.assert_problem(400, detail);
    }
    let plan = json!({ "hide_signing_key": true });
    let answer = tenant.put_json("/_dev/faults/token", &plan).await;
    answer.assert_problem(400, "hide_signing_key is allowed only for the endpoint keys");
    let request = tenant.browser.put(tenant.url("/_dev/faults/keys")).body("{\"status\":500}");
    Answer::of(request).await.assert_problem(415, "application/json");
    assert_eq!(tenant.get_json("/_dev/faults").await, json!({ "faults": [] }));
}

#[tokio::test]
async fn faults_can_be_planned_without_http() {
    let tenant = TestTenant::start().await;
    let mut plan = FaultPlan::default();
    plan.status = Some(502);
    tenant.tenant.plan_fault(Endpoint::Keys, Some(plan));
    assert_eq!(tenant.statuses("keys").await, [502, 502]);
    let document = tenant.get_json("/_dev/faults").await;
    assert_eq!(document["faults"][0]["endpoint"], "keys");
    tenant.tenant.plan_fault(Endpoint::Keys, None);
    assert_eq!(tenant.statuses("keys").await, [200]);
}
