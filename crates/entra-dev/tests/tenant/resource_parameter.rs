//! The `resource` parameter (RFC 8707), which MCP clients send.

use entra_dev::{
    Directory, Options,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET},
};
use reqwest::StatusCode;

use crate::support::{
    Answer, Form, NATIVE, Program, SINGLE_PAGE, TestTenant, WEB, claims, client_credentials,
    on_behalf_of, reports_scope, shared_keys, text,
};

const URI: &str = "https://api.contoso.example";
const SCOPE: &str = "https://api.contoso.example/access_as_user";
const SECOND_URI: &str = "api://todo";
const GRAPH: &str = "https://graph.microsoft.com";
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

async fn tenant_with(uris: &[&str]) -> TestTenant {
    let name = "name = \"Todo API\"\n";
    let text = Directory::EXAMPLE.replace(name, &format!("{name}app_id_uri = {uris:?}\n"));
    let directory = Directory::parse(&text, "".as_ref()).unwrap();
    TestTenant::start_with(shared_keys(), Options { directory, ..Options::ephemeral() }).await
}

/// What a client may send as `resource` with a scope.
fn cases() -> Vec<(String, &'static str, bool)> {
    let of_the_api = |scope: &str| {
        [
            (URI, true),
            (SECOND_URI, true),
            (API_CLIENT_ID, true),
            ("https://api.contoso.example/", false),
            ("https://API.contoso.example", false),
            ("https://api.contoso.example/access_as_user", false),
            ("api://33333333-3333-4333-8333-333333333333", false),
            (GRAPH, false),
            ("http://localhost:8000/mcp", false),
        ]
        .map(|(resource, accepted)| (scope.to_owned(), resource, accepted))
    };
    let mut cases = vec![
        // These are scopes of Microsoft Graph.
        ("openid profile".to_owned(), URI, false),
        ("openid profile".to_owned(), GRAPH, true),
        ("openid profile".to_owned(), GRAPH_ID, true),
        ("openid profile".to_owned(), "https://graph.microsoft.com/", false),
        ("User.Read".to_owned(), GRAPH, true),
        ("User.Read".to_owned(), URI, false),
    ];
    cases.extend(of_the_api(SCOPE));
    cases.extend(of_the_api(&format!("openid {API_CLIENT_ID}/access_as_user")));
    cases
}

#[track_caller]
fn assert_mismatch(answer: &Answer) {
    answer.assert_refusal(400, "invalid_target", 9_010_010);
}

#[tokio::test]
async fn the_resource_at_authorize_is_a_name_of_the_scopes_api() {
    let tenant = tenant_with(&[URI, SECOND_URI]).await;
    for (scope, resource, accepted) in cases() {
        let form = SINGLE_PAGE.authorization(&scope).with("resource", resource);
        let answer = tenant.authorize(CONTOSO, &form).await;
        if accepted {
            assert_eq!(answer.status, StatusCode::OK, "{scope}, {resource}");
            // The account page repeats it.
            assert_eq!(answer.hidden_input("resource").as_deref(), Some(resource));
            tenant.pick(CONTOSO, &form, "uma").await.assert_code(StatusCode::SEE_OTHER);
        } else {
            answer.assert_redirected_refusal("invalid_target", 9_010_010);
            let description = answer.redirect_parameter("error_description").unwrap();
            assert!(description.contains(&format!("'{resource}'")), "{description}");
        }
    }
}

#[tokio::test]
async fn a_registered_slash_belongs_to_the_resource() {
    let uri = "https://api.contoso.example/";
    let tenant = tenant_with(&[uri]).await;
    for scope in ["https://api.contoso.example//access_as_user", SCOPE] {
        let form = SINGLE_PAGE.authorization(scope);
        let right = form.clone().with("resource", uri);
        assert_eq!(tenant.authorize(CONTOSO, &right).await.status, StatusCode::OK, "{scope}");
        let wrong = tenant.authorize(CONTOSO, &form.with("resource", URI)).await;
        wrong.assert_redirected_refusal("invalid_target", 9_010_010);
    }
}

#[tokio::test]
async fn a_sign_in_for_two_apis_has_no_resource() {
    let tenant = tenant_with(&[URI]).await;
    let form = SINGLE_PAGE.authorization(&format!("{SCOPE} {}", reports_scope()));
    assert_eq!(tenant.authorize(CONTOSO, &form).await.status, StatusCode::OK);
    for resource in [URI, "api://88888888-8888-4888-8888-888888888888"] {
        let answer = tenant.authorize(CONTOSO, &form.clone().with("resource", resource)).await;
        answer.assert_redirected_refusal("invalid_target", 9_010_010);
    }
}

/// Without a scope, the scopes of the sign-in count: MCP clients send none here. A refused request
/// does not use up the code.
#[tokio::test]
async fn the_resource_is_checked_when_a_code_is_redeemed() {
    let tenant = tenant_with(&[URI, SECOND_URI]).await;
    for (scope, resource, accepted) in cases() {
        let code = tenant.code_for(CONTOSO, &SINGLE_PAGE.authorization(&scope), "uma").await;
        let redemption = SINGLE_PAGE.redemption(&code).without("client_secret");
        let form = redemption.clone().with("resource", resource);
        if accepted {
            let answer = SINGLE_PAGE.ask(&tenant, &form).await;
            assert_eq!(answer.status, StatusCode::OK, "{scope}, {resource}: {}", answer.body);
        } else {
            assert_mismatch(&SINGLE_PAGE.ask(&tenant, &form).await);
            assert_mismatch(&SINGLE_PAGE.ask(&tenant, &form.with("scope", &scope)).await);
            let answer = SINGLE_PAGE.ask(&tenant, &redemption).await;
            assert_eq!(answer.status, StatusCode::OK, "{scope}, {resource}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn the_resource_is_checked_at_every_other_grant() {
    let tenant = tenant_with(&[URI, SECOND_URI]).await;
    let lasting = format!("{SCOPE} offline_access");
    let refresh = text(&WEB.sign_in(&tenant, &lasting, "uma").await, "refresh_token");
    let assertion = text(&SINGLE_PAGE.sign_in(&tenant, SCOPE, "uma").await, "access_token");
    let default = format!("{URI}/.default");
    let daemon = client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, &default);
    let requests: Vec<(Form, &str)> = vec![
        (WEB.renewal(&refresh), URI),
        (WEB.renewal(&refresh).with("scope", SCOPE), URI),
        // The token is for the API that the scope names, not for that of the sign-in.
        (WEB.renewal(&refresh).with("scope", "User.Read"), GRAPH),
        (daemon, URI),
        (on_behalf_of(&assertion, "User.Read"), GRAPH),
        (on_behalf_of(&assertion, &default), SECOND_URI),
    ];
    for (form, right) in requests {
        let answer = WEB.ask(&tenant, &form.clone().with("resource", right)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}: {}", form.encoded(), answer.body);
        for wrong in [&format!("{right}/"), "http://localhost:8000/mcp"] {
            assert_mismatch(&WEB.ask(&tenant, &form.clone().with("resource", wrong)).await);
        }
    }
}

#[tokio::test]
async fn the_resource_of_a_device_is_checked_at_both_endpoints() {
    let tenant = tenant_with(&[URI, SECOND_URI]).await;
    let form = Form::empty().with("client_id", NATIVE.client_id).with("scope", SCOPE);
    for wrong in ["https://api.contoso.example/", GRAPH] {
        let answer = tenant.post("devicecode", &form.clone().with("resource", wrong)).await;
        assert_mismatch(&answer);
    }
    let answer = tenant.post("devicecode", &form.with("resource", SECOND_URI)).await;
    let codes = answer.json();
    let accepted = Form::empty().with("user_code", &text(&codes, "user_code"));
    let page = tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth"));
    let accepted = accepted.with("account", "uma").on(tenant.browser.post(page));
    Answer::of(accepted).await.assert_page("You have signed in");

    let collection = Form::empty()
        .with("grant_type", "device_code")
        .with("client_id", NATIVE.client_id)
        .with("device_code", &text(&codes, "device_code"));
    assert_mismatch(&NATIVE.ask(&tenant, &collection.clone().with("resource", GRAPH)).await);
    let answer = NATIVE.ask(&tenant, &collection.with("resource", URI)).await;
    assert_eq!(claims(&answer.json(), "access_token")["scp"], "access_as_user");
}

#[tokio::test]
async fn admin_consent_checks_the_resource_too() {
    let tenant = tenant_with(&[URI]).await;
    let Program { client_id, redirect_uri, .. } = WEB;
    let form = Form::empty()
        .with("client_id", client_id)
        .with("redirect_uri", redirect_uri)
        .with("scope", SCOPE);
    for (resource, accepted) in [(URI, true), ("https://api.contoso.example/", false)] {
        let form = form.clone().with("resource", resource);
        let answer = tenant.get(&format!("/{CONTOSO}/v2.0/adminconsent?{}", form.encoded())).await;
        if accepted {
            assert_eq!(answer.hidden_input("resource").as_deref(), Some(resource));
        } else {
            answer.assert_page_refusal(9_010_010);
        }
    }
}
