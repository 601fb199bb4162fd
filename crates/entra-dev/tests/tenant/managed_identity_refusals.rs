//! Refusals of managed identities, in the formats of App Service and IMDS.

use entra_dev::{
    Options,
    ids::{API_CLIENT_ID, CONTOSO},
};
use serde_json::{Value, json};

use crate::support::{
    Answer, IDENTITY_ENTRIES, IDENTITY_HEADER, MAINTENANCE, TestTenant, UNKNOWN_CLIENT_ID, WORKER,
    app_service, ask_app_service, ask_identity, ask_imds, assert_app_service_error,
    assert_imds_error, imds, shared_keys, todo_api,
};

#[tokio::test]
async fn requests_without_the_protecting_header_are_refused() {
    let tenant = TestTenant::start().await;
    let path = format!("/{CONTOSO}/msi/token");
    let form = app_service(&todo_api());
    for (headers, text) in [
        (&[][..], "is missing"),
        (&[("metadata", "true")], "is missing"),
        (
            &[("x-identity-header", IDENTITY_HEADER), ("x-identity-header", IDENTITY_HEADER)],
            "is missing or repeated",
        ),
        (&[("x-identity-header", "")], "is not the value"),
        (&[("x-identity-header", "dev-identity-heade")], "is not the value"),
    ] {
        let answer = ask_identity(&tenant, &path, &form, headers).await;
        assert_app_service_error(&answer, 401, text);
        assert!(!answer.body.contains(IDENTITY_HEADER), "{}", answer.body);
    }
    let path = "/metadata/identity/oauth2/token";
    for headers in [
        &[][..],
        &[("metadata", "True")],
        &[("metadata", "true"), ("metadata", "true")],
        &[("x-identity-header", IDENTITY_HEADER)],
    ] {
        let answer = ask_identity(&tenant, path, &imds(&todo_api()), headers).await;
        let text = "Required metadata header not specified";
        assert_imds_error(&answer, "bad_request_102", text);
    }
    let forwarded = [("metadata", "true"), ("x-forwarded-for", "10.0.0.1")];
    let answer = ask_identity(&tenant, path, &imds(&todo_api()), &forwarded).await;
    assert_imds_error(&answer, "invalid_request", "X-Forwarded-For");
    // A page of another site would have to ask first.
    let preflight = tenant.browser.request(reqwest::Method::OPTIONS, tenant.url(path));
    let preflight = preflight.header("origin", "https://evil.example");
    let answer = Answer::of(preflight.header("access-control-request-method", "GET")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let rebound = tenant.browser.get(tenant.url(path)).header("host", "evil.example");
    let answer = Answer::of(rebound.header("metadata", "true")).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("only accepts requests for localhost"), "{}", answer.body);
}

#[tokio::test]
async fn faulty_parameters_are_named() {
    let tenant = TestTenant::start_having(IDENTITY_ENTRIES).await;
    for (form, text) in [
        (app_service(&todo_api()).without("api-version"), "'api-version' is missing"),
        (app_service(&todo_api()).with("api-version", "2017-09-01"), "use '2019-08-01' or later"),
        (app_service(&todo_api()).with("api-version", "latest"), "'latest' is not supported"),
        (app_service(&todo_api()).and("api-version", "2019-08-01"), "'api-version' is given more"),
        (app_service("").without("resource"), "'resource' is missing"),
        (
            app_service(&todo_api()).and("resource", &todo_api()),
            "'resource' is given more than once",
        ),
        (app_service(&todo_api()).with("client_id", API_CLIENT_ID), "No Managed Identity found"),
        (app_service(&todo_api()).with("client_id", WORKER), "No Managed Identity found"),
        (
            app_service(&todo_api()).with("mi_res_id", "/subscriptions/x"),
            "No Managed Identity found",
        ),
    ] {
        assert_app_service_error(&ask_app_service(&tenant, &form).await, 400, text);
    }
    for (form, error, text) in [
        (imds(&todo_api()).without("api-version"), "invalid_request", "'api-version' is missing"),
        (
            imds(&todo_api()).with("api-version", "2017-01-01"),
            "invalid_request",
            "'2018-02-01' or later",
        ),
        (imds(&todo_api()).without("resource"), "invalid_request", "'resource' is missing"),
        (
            imds(&todo_api()).with("client_id", API_CLIENT_ID),
            "invalid_request",
            "Identity not found",
        ),
        (imds("https://vault.example"), "invalid_resource", "AADSTS500011: "),
        (imds("f2000000-0000-4000-8000-000000000004"), "invalid_resource", "AADSTS500011: "),
        (imds("f2000000-0000-4000-8000-000000000003"), "invalid_grant", "AADSTS501051: "),
    ] {
        assert_imds_error(&ask_imds(&tenant, &form).await, error, text);
    }
    // As in Azure, an error of Entra is an internal error of App Service.
    let answer = ask_app_service(&tenant, &app_service("https://vault.example")).await;
    assert_app_service_error(&answer, 500, "while fetching the AAD Token: AADSTS500011: ");
    let header = [("x-identity-header", IDENTITY_HEADER)];
    for segment in ["common", "nowhere", "consumers"] {
        let path = format!("/{segment}/msi/token");
        let answer = ask_identity(&tenant, &path, &app_service(&todo_api()), &header).await;
        let text =
            if segment == "consumers" { "No Managed Identity" } else { "There is no tenant" };
        assert_app_service_error(&answer, 400, text);
    }
    let posted = tenant.browser.post(tenant.url(&format!("/{CONTOSO}/msi/token")));
    assert_eq!(Answer::of(posted).await.status, 405);
}

#[tokio::test]
async fn the_identity_header_can_be_chosen() {
    let identity_header = "another-header".parse().unwrap();
    let options = Options { identity_header, ..Options::ephemeral() };
    let tenant = TestTenant::start_with(shared_keys(), options).await;
    let answer = ask_app_service(&tenant, &app_service(&todo_api())).await;
    assert_app_service_error(&answer, 401, "is not the value of IDENTITY_HEADER");
    let path = format!("/{CONTOSO}/msi/token");
    let header = [("x-identity-header", "another-header")];
    assert_eq!(ask_identity(&tenant, &path, &app_service(&todo_api()), &header).await.status, 200);
    for text in ["", "two words", "zwölf"] {
        let error = text.parse::<entra_dev::IdentityHeader>().unwrap_err().to_string();
        assert!(error.contains("visible ASCII characters"), "{error}");
    }
}

#[tokio::test]
async fn the_audit_trail_says_how_requests_for_identities_ended() {
    let tenant = TestTenant::start().await;
    ask_app_service(&tenant, &app_service(&todo_api())).await;
    ask_imds(&tenant, &imds("https://vault.example")).await;
    ask_identity(&tenant, "/metadata/identity/oauth2/token", &imds(&todo_api()), &[]).await;
    let audit = tenant.audit().await;
    let outcome = |index: usize| audit[index]["outcome"].clone();
    assert_eq!(outcome(0)["refused"]["aadsts"], 0);
    assert_eq!(outcome(0)["refused"]["reason"], "Required metadata header not specified");
    assert_eq!(outcome(1)["refused"]["aadsts"], 500_011);
    assert_eq!(audit[1]["detail"], "IMDS");
    assert_eq!(outcome(2), "granted");
    assert_eq!(audit[2]["client_id"], WORKER);
    assert_eq!(audit[2]["detail"], "App Service");
    assert_eq!(audit[2]["tenant"], CONTOSO);
    let page = tenant.dev_page().await;
    assert!(page.contains("Required metadata header not specified"), "{page}");
    assert!(!page.contains("AADSTS0"), "{page}");
}

#[tokio::test]
async fn the_audit_trail_shows_requests_for_identities_without_the_identity_header() {
    let tenant = TestTenant::start().await;
    let form = app_service("https://vault.example").with("client_id", MAINTENANCE);
    ask_app_service(&tenant, &form).await;
    ask_imds(&tenant, &imds(&todo_api()).with("client_id", UNKNOWN_CLIENT_ID)).await;
    let audit = tenant.audit().await;
    assert_eq!(audit[0]["client_id"], UNKNOWN_CLIENT_ID);
    let request = &audit[0]["request"];
    assert_eq!(request["path"], "/metadata/identity/oauth2/token");
    let has = |request: &Value, list: &str, name: &str, value: &str| {
        let fields = request[list].as_array().unwrap();
        fields.contains(&json!({ "name": name, "value": value }))
    };
    assert!(has(request, "headers", "metadata", "true"), "{request}");
    assert_eq!(audit[1]["client_id"], MAINTENANCE);
    let request = &audit[1]["request"];
    assert!(has(request, "parameters", "resource", "https://vault.example"), "{request}");
    assert!(has(request, "parameters", "api-version", "2019-08-01"), "{request}");
    let hidden = format!("(hidden, {} characters)", IDENTITY_HEADER.len());
    assert!(has(request, "headers", "x-identity-header", &hidden), "{request}");
    // So the filter by app finds refused requests, too.
    let filtered = tenant.get_json(&format!("/_dev/audit?app={MAINTENANCE}")).await;
    assert_eq!(filtered["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_endpoint_can_be_made_to_fail() {
    let tenant = TestTenant::start().await;
    // IMDS is unavailable during its updates.
    tenant.plan("managedidentity", &json!({ "status": 410, "times": 2 })).await;
    assert_eq!(ask_imds(&tenant, &imds(&todo_api())).await.status, 410);
    assert_eq!(ask_app_service(&tenant, &app_service(&todo_api())).await.status, 410);
    assert_eq!(ask_imds(&tenant, &imds(&todo_api())).await.status, 200);
}
