//! The audit trail, as JSON and on the page.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use entra_dev::{
    AuditOutcome,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, SWAGGER_UI_CLIENT_ID},
};
use serde_json::{Value, json};

use crate::support::{
    Answer, Form, NOW, TestTenant, UNKNOWN_CLIENT_ID, between, client_credentials, section,
};

const COMMAND_LINE: &str = "66666666-6666-4666-8666-666666666666";

#[tokio::test]
async fn the_audit_trail_records_requests_and_outcomes() {
    let tenant = TestTenant::start().await;
    tenant.authorize(CONTOSO, &Form::authorization().with("prompt", "select_account")).await;
    tenant.sign_in("common", &Form::authorization(), "uma").await;
    let entry = |endpoint, outcome, authority| {
        json!({ "time": NOW, "endpoint": endpoint, "tenant": authority,
                "client_id": SWAGGER_UI_CLIENT_ID, "outcome": outcome })
    };
    let mut redeemed = entry("token", "granted", "common");
    redeemed["detail"] = "authorization_code".into();
    redeemed["person"] = "uma@contoso.example".into();
    let mut signed_in = entry("authorize", "granted", "common");
    signed_in["person"] = "uma@contoso.example".into();
    let mut asked = entry("authorize", "asked", CONTOSO);
    asked["detail"] = "prompt=select_account".into();
    let mut trail = tenant.audit().await;
    for entry in &mut trail {
        assert!(entry.as_object_mut().unwrap().remove("request").is_some());
        let id = entry.as_object_mut().unwrap().remove("correlation_id").unwrap();
        assert!(uuid::Uuid::try_parse(id.as_str().unwrap()).is_ok());
    }
    assert_eq!(trail, [redeemed, signed_in, asked]);
}

#[tokio::test]
async fn the_audit_trail_lists_refusals_newest_first() {
    let tenant = TestTenant::start().await;
    let unknown = Form::authorization().with("client_id", UNKNOWN_CLIENT_ID);
    tenant.authorize(CONTOSO, &unknown).await;
    tenant.authorize(CONTOSO, &Form::authorization().with("prompt", "none")).await;
    tenant.pick(CONTOSO, &Form::authorization(), "bob").await;
    tenant.post("token", &Form::redemption("unknown")).await;
    tenant.post("token", &client_credentials(DAEMON_CLIENT_ID, "wrong", "x/.default")).await;
    tenant.post("devicecode", &Form::empty().with("client_id", COMMAND_LINE)).await;
    let page = tenant.url("/common/oauth2/deviceauth");
    Answer::of(Form::empty().with("user_code", "x").on(tenant.browser.post(&page))).await;
    tenant.get("/nowhere.example/oauth2/v2.0/logout?client_id=whoever").await;
    let large = Form::empty().with("padding", &"x".repeat(64 * 1024));
    for endpoint in ["authorize", "token", "devicecode", "logout"] {
        assert_eq!(tenant.post(endpoint, &large).await.status, 413, "{endpoint}");
    }
    for page in [&page, &tenant.url("/common/v2.0/adminconsent")] {
        assert_eq!(Answer::of(large.on(tenant.browser.post(page))).await.status, 413, "{page}");
    }
    let trail = tenant.audit().await;
    let found: Vec<_> = trail
        .iter()
        .map(|entry| {
            let number = entry["outcome"]["refused"]["aadsts"].as_u64().unwrap();
            (entry["endpoint"].as_str().unwrap(), number)
        })
        .collect();
    let expected = [
        ("adminconsent", 90023),
        ("deviceauth", 90023),
        ("logout", 90023),
        ("devicecode", 90023),
        ("token", 90023),
        ("authorize", 90023),
        ("logout", 90002),
        ("deviceauth", 90119),
        ("devicecode", 900_144),
        ("token", 7_000_215),
        ("token", 9_002_327),
        ("authorize", 50034),
        ("authorize", 50058),
        ("authorize", 700_016),
    ];
    assert_eq!(found, expected);
    assert_eq!(trail[6]["client_id"], "whoever");
    let reason = trail.last().unwrap()["outcome"]["refused"]["reason"].as_str().unwrap();
    assert!(reason.contains(UNKNOWN_CLIENT_ID), "{reason}");
    let page = tenant.dev_page().await;
    let rows = between(section(&page, "Audit trail"), ">AADSTS", "<");
    let numbers: Vec<u64> = rows.map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers, expected.map(|(_, number)| number), "the newest is on top");
}

#[tokio::test]
async fn the_audit_trail_can_be_read_without_http() {
    let tenant = TestTenant::start().await;
    tenant.sign_in(CONTOSO, &Form::authorization(), "uma").await;
    tenant.post("token", &client_credentials(DAEMON_CLIENT_ID, "wrong", "x/.default")).await;
    let trail = tenant.tenant.audit();
    assert_eq!(serde_json::to_value(&trail).unwrap(), Value::from(tenant.audit().await));
    let [refused, redeemed, _] = &trail[..] else { panic!("{trail:?}") };
    assert_eq!(refused.client_id.as_deref(), Some(DAEMON_CLIENT_ID));
    assert!(matches!(refused.outcome, AuditOutcome::Refused { aadsts: 7_000_215, .. }));
    assert_eq!(redeemed.person.as_deref(), Some("uma@contoso.example"));
    assert_eq!(redeemed.outcome, AuditOutcome::Granted);
}

#[tokio::test]
async fn the_audit_trail_has_the_client_id_of_any_credential() {
    let tenant = TestTenant::start().await;
    let nameless = client_credentials("", "", "x/.default");
    for endpoint in ["token", "devicecode"] {
        let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/{endpoint}"));
        let asked = tenant.browser.post(url).basic_auth(DAEMON_CLIENT_ID, Some("wrong"));
        Answer::of(nameless.on(asked)).await;
        let part = |part: Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        for claims in [json!({ "sub": API_CLIENT_ID }), json!({ "iss": API_CLIENT_ID })] {
            let assertion = format!("{}.{}.", part(json!({})), part(claims));
            tenant.post(endpoint, &nameless.clone().with("client_assertion", &assertion)).await;
        }
    }
    let trail = tenant.audit().await;
    let clients: Vec<_> = trail.iter().map(|entry| entry["client_id"].as_str().unwrap()).collect();
    let expected = [API_CLIENT_ID, API_CLIENT_ID, DAEMON_CLIENT_ID].repeat(2);
    assert_eq!(clients, expected);
    let page = tenant.dev_page().await;
    let rows = section(&page, "Audit trail");
    for (client, name, times) in
        [(API_CLIENT_ID, "Todo API", 4), (DAEMON_CLIENT_ID, "Nightly job", 2)]
    {
        let cell = format!("<span title=\"{client}\">{name}</span>");
        assert_eq!(rows.matches(&cell).count(), times, "{rows}");
    }
}

#[tokio::test]
async fn the_audit_trail_keeps_200_requests() {
    let tenant = TestTenant::start().await;
    for number in 0..205 {
        tenant.refused_authorization(&format!("client-{number}")).await;
    }
    let trail = tenant.audit().await;
    let clients: Vec<_> = trail.iter().map(|entry| entry["client_id"].clone()).collect();
    let expected: Vec<_> =
        (5..205).rev().map(|number| Value::from(format!("client-{number}"))).collect();
    assert_eq!(clients, expected);
    let page = tenant.dev_page().await;
    let rows = section(&page, "Audit trail");
    assert_eq!(rows.matches("<th scope=\"row\">").count(), 200);
    assert!(!rows.contains("client-4<") && rows.contains("client-5<"));
    assert!(rows.contains("200 requests, newest first"), "{rows}");
}

#[tokio::test]
async fn the_audit_trail_shortens_long_values() {
    let tenant = TestTenant::start().await;
    tenant.refused_authorization(&"é".repeat(1000)).await;
    let trail = tenant.audit().await;
    let expected = format!("{}…", "é".repeat(400));
    assert_eq!(trail[0]["client_id"], expected);
    let reason = trail[0]["outcome"]["refused"]["reason"].as_str().unwrap();
    assert_eq!(reason.chars().count(), 401);
}
