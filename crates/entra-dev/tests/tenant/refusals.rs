//! Every refusal: its number, and its format at each endpoint.

use std::collections::BTreeSet;

use entra_dev::{
    Forgery, SignedWith,
    ids::{
        API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, FABRIKAM, SWAGGER_UI_CLIENT_ID,
    },
};
use serde_json::Value;

use crate::support::{
    Answer, CHALLENGE, Form, ORIGIN, OTHER_REDIRECT_URI, REDIRECT_URI, TestTenant,
    UNKNOWN_CLIENT_ID, client_credentials,
};

const COMMAND_LINE: &str = "66666666-6666-4666-8666-666666666666";
const WEB_SITE: &str = "77777777-7777-4777-8777-777777777777";
const REPORTS: &str = "api://88888888-8888-4888-8888-888888888888/read";
const STRICT: &str = "e0000000-0000-4000-8000-000000000001";
const STRICT_API: &str = "api://e0000000-0000-4000-8000-000000000001";

/// An app with all requirements.
const APPS: &str = r#"
[[apps]]
client_id = "e0000000-0000-4000-8000-000000000001"
name = "Strict"
tenant = "Contoso"
single_tenant = true
assignment_required = true
consent_required = true
scopes = ["read"]
admin_scopes = ["rule"]
app_roles = ["User"]
secrets = ["strict-secret"]
expired_secrets = ["old-secret"]
redirect_uris.spa = ["http://localhost:8000/strict"]

[[people]]
name = "ann"
display_name = "Ann"
sign_in_name = "ann@contoso.example"
oid = "e1000000-0000-4000-8000-000000000001"
tenant = "Contoso"
roles = { "Strict" = ["User"] }
"#;

/// The numbers that were returned.
#[derive(Default)]
struct Seen(BTreeSet<u32>);

impl Seen {
    #[track_caller]
    fn json(&mut self, answer: &Answer, status: u16, error: &str, number: u32) {
        answer.assert_refusal(status, error, number);
        self.0.insert(number);
    }

    #[track_caller]
    fn page(&mut self, answer: &Answer, number: u32) {
        answer.assert_page_refusal(number);
        self.0.insert(number);
    }

    #[track_caller]
    fn redirect(&mut self, answer: &Answer, error: &str, number: u32) {
        answer.assert_redirected_refusal(error, number);
        let uri = answer.redirect_parameter("error_uri").unwrap();
        assert!(uri.ends_with(&format!("/error?code={number}")), "{uri}");
        self.0.insert(number);
    }
}

#[tokio::test]
async fn each_refusal_has_its_number_and_format() {
    let tenant = TestTenant::start_having(APPS).await;
    let mut seen = Seen::default();
    authorize(&tenant, &mut seen).await;
    prompts(&tenant, &mut seen).await;
    logout(&tenant, &mut seen).await;
    devicecode(&tenant, &mut seen).await;
    codes(&tenant, &mut seen).await;
    credentials(&tenant, &mut seen).await;
    on_behalf_of(&tenant, &mut seen).await;
    devices(&tenant, &mut seen).await;
    let count = seen.0.len();
    assert!(count >= 55, "{count} numbers: {:?}", seen.0);
}

async fn authorize(tenant: &TestTenant, seen: &mut Seen) {
    let form = Form::authorization;
    let in_query = |types| form().with("response_type", types).with("response_mode", "query");
    for (authority, form, number) in [
        ("nowhere", form(), 900_023),
        ("nowhere.example", form(), 90002),
        (CONTOSO, form().without("client_id"), 900_144),
        (CONTOSO, form().with("client_id", UNKNOWN_CLIENT_ID), 700_016),
        ("common", form().with("client_id", STRICT), 50194),
        (FABRIKAM, form().with("client_id", STRICT), 700_016),
        (CONTOSO, form().with("redirect_uri", "https://evil.example/"), 50011),
        (CONTOSO, form().and("redirect_uri", OTHER_REDIRECT_URI), 90100),
    ] {
        seen.page(&tenant.authorize(authority, &form).await, number);
    }
    for (form, error, number) in [
        (form().with("response_type", "none"), "unsupported_response_type", 700_054),
        (in_query("token"), "unsupported_response_type", 700_051),
        (form().with("response_mode", "web_message"), "invalid_request", 70007),
        (form().without("scope"), "invalid_request", 900_144),
        (form().with("scope", "/"), "invalid_scope", 70011),
        (form().with("scope", "api://nothing/read"), "invalid_resource", 500_011),
        (form().with("scope", "Mail.Read"), "invalid_client", 650_053),
        (form().without("code_challenge"), "invalid_request", 9_002_325),
        (form().with("code_challenge_method", "plain"), "invalid_request", 50149),
        (form().with("code_challenge", "short"), "invalid_request", 501_491),
        (form().with("resource", "x"), "invalid_target", 9_010_010),
        (form().with("prompt", "maybe"), "invalid_request", 90023),
        (form().with("claims", "[]"), "invalid_request", 90023),
    ] {
        seen.redirect(&tenant.authorize(CONTOSO, &form).await, error, number);
    }
}

async fn prompts(tenant: &TestTenant, seen: &mut Seen) {
    let form = Form::authorization();
    let strict = form.clone().with("client_id", STRICT);
    let strict = strict.with("redirect_uri", "http://localhost:8000/strict");
    seen.page(&tenant.pick(CONTOSO, &form, "nobody").await, 50034);
    seen.page(&tenant.pick(CONTOSO, &form, "tia").await, 50020);
    seen.page(&tenant.pick("organizations", &form, "pia").await, 500_200);
    seen.page(&tenant.pick(CONTOSO, &strict, "uma").await, 50105);
    let ruling = strict.with("scope", &format!("{STRICT_API}/rule"));
    seen.page(&tenant.pick(CONTOSO, &ruling, "ann").await, 90094);
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/authorize"));
    let elsewhere = tenant.browser.post(&url).header("sec-fetch-site", "cross-site");
    seen.page(&Answer::of(form.clone().with("account", "ada").on(elsewhere)).await, 90004);
    let cancelled = form.clone().with("consent", "cancel").on(tenant.browser.post(&url));
    let answer = Answer::of(cancelled).await;
    assert_eq!(answer.status, 303, "a form is not sent on");
    let description = answer.redirect_parameter("error_description").unwrap();
    assert!(description.starts_with("AADSTS65004: "), "{description}");
    assert_eq!(answer.redirect_parameter("error").as_deref(), Some("access_denied"));
    seen.0.insert(65004);

    let silent = form.clone().with("prompt", "none");
    seen.redirect(&tenant.authorize(CONTOSO, &silent).await, "login_required", 50058);
    let mut cookie = None;
    for account in ["ada", "uma"] {
        let request = form.clone().with("account", account).on(tenant.browser.post(&url));
        let request = match &cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let set = Answer::of(request).await.header("set-cookie").unwrap().to_owned();
        cookie = set.split(';').next().map(str::to_owned);
    }
    let request = tenant.browser.get(format!("{url}?{}", silent.encoded()));
    let answer = Answer::of(request.header("cookie", cookie.unwrap())).await;
    seen.redirect(&answer, "interaction_required", 16000);
}

async fn logout(tenant: &TestTenant, seen: &mut Seen) {
    let back = format!("post_logout_redirect_uri={REDIRECT_URI}");
    for (path, number) in [
        ("/nowhere.example/oauth2/v2.0/logout".to_owned(), 90002),
        (format!("/common/oauth2/v2.0/logout?{back}&{back}"), 90100),
    ] {
        seen.page(&tenant.get(&path).await, number);
    }
}

async fn devicecode(tenant: &TestTenant, seen: &mut Seen) {
    let form = || Form::empty().with("client_id", COMMAND_LINE).with("scope", "openid");
    for (form, status, error, number) in [
        (form().without("client_id"), 400, "invalid_request", 900_144),
        (form().without("scope"), 400, "invalid_request", 900_144),
        (form().with("client_id", UNKNOWN_CLIENT_ID), 400, "unauthorized_client", 700_016),
        (form().with("client_id", SWAGGER_UI_CLIENT_ID), 401, "invalid_client", 7_000_218),
        (form().with("scope", "api://nothing/read"), 400, "invalid_resource", 500_011),
        (form().with("claims", "{"), 400, "invalid_request", 90023),
    ] {
        seen.json(&tenant.post("devicecode", &form).await, status, error, number);
    }
}

async fn codes(tenant: &TestTenant, seen: &mut Seen) {
    let old = tenant.code("ada").await;
    tenant.clock.advance(600);
    let code = tenant.code("ada").await;
    let used = tenant.code("ada").await;
    assert_eq!(tenant.redeem(CONTOSO, &Form::redemption(&used)).await.status, 200);
    let form = || Form::redemption(&code);
    for (form, status, error, number) in [
        (form().without("grant_type"), 400, "invalid_request", 900_144),
        (form().with("grant_type", "password"), 400, "unsupported_grant_type", 70003),
        (form().with("code", "unknown"), 400, "invalid_grant", 9_002_313),
        (form().with("code", CHALLENGE), 400, "invalid_grant", 70000),
        (form().with("code", &old), 400, "invalid_grant", 70008),
        (form().with("code", &used), 400, "invalid_grant", 54005),
        (form().with("redirect_uri", OTHER_REDIRECT_URI), 400, "invalid_grant", 500_112),
        (form().without("code_verifier"), 400, "invalid_grant", 50148),
        (form().with("code_verifier", "wrong"), 400, "invalid_grant", 501_481),
        (form().with("client_secret", "x"), 401, "invalid_client", 700_025),
        (form().and("code", "again"), 400, "invalid_request", 90100),
    ] {
        seen.json(&tenant.redeem(CONTOSO, &form).await, status, error, number);
    }
    seen.json(&tenant.redeem("nowhere", &form()).await, 400, "invalid_request", 900_023);
    let nobodys = tenant.redeem("nowhere.example", &form()).await;
    seen.json(&nobodys, 400, "invalid_request", 90002);
    seen.json(&tenant.redeem(FABRIKAM, &form()).await, 400, "invalid_grant", 700_005);
    seen.json(&tenant.post("token", &form()).await, 400, "invalid_request", 9_002_327);
    let native = form().with("client_id", COMMAND_LINE).with("redirect_uri", "http://localhost");
    seen.json(&tenant.redeem(CONTOSO, &native).await, 400, "invalid_request", 9_002_326);
    let web =
        form().with("client_id", WEB_SITE).with("redirect_uri", "http://localhost/signin-oidc");
    seen.json(&tenant.post("token", &web).await, 401, "invalid_client", 7_000_218);
    let both = format!("{REPORTS} api://{API_CLIENT_ID}/access_as_user");
    let both = form().with("scope", &both);
    seen.json(&tenant.redeem(CONTOSO, &both).await, 400, "invalid_scope", 28000);

    let lasting = Form::authorization().with("scope", "openid offline_access");
    let answer = tenant.sign_in(CONTOSO, &lasting, "ada").await;
    tenant.clock.advance(24 * 60 * 60);
    let renewal = form().with("grant_type", "refresh_token");
    let renewal = renewal.with("refresh_token", answer["refresh_token"].as_str().unwrap());
    seen.json(&tenant.redeem(CONTOSO, &renewal).await, 400, "invalid_grant", 700_084);
}

async fn credentials(tenant: &TestTenant, seen: &mut Seen) {
    let todo = format!("api://{API_CLIENT_ID}/.default");
    let form = || client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, &todo);
    let strict = || form().with("client_id", STRICT);
    let asserting = form()
        .without("client_secret")
        .with("client_assertion", "e30.e30.")
        .with("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let unassigned = format!("{STRICT_API}/.default");
    for (form, status, error, number) in [
        (form().without("client_secret"), 401, "invalid_client", 7_000_218),
        (form().with("client_secret", "wrong"), 401, "invalid_client", 7_000_215),
        (strict().with("client_secret", "old-secret"), 401, "invalid_client", 7_000_222),
        (form().with("client_assertion", "a.b.c"), 400, "invalid_request", 50027),
        (asserting, 401, "invalid_client", 700_027),
        (form().with("scope", REPORTS), 400, "invalid_scope", 1_002_012),
        (form().with("scope", &unassigned), 400, "invalid_grant", 501_051),
    ] {
        seen.json(&tenant.post("token", &form).await, status, error, number);
    }
    let at_common = form().on(tenant.token_request("common"));
    seen.json(&Answer::of(at_common).await, 400, "invalid_request", 50059);
    let twice = tenant.token_request(CONTOSO).basic_auth(DAEMON_CLIENT_ID, Some(DAEMON_SECRET));
    seen.json(&Answer::of(form().on(twice)).await, 400, "invalid_request", 90100);
}

async fn on_behalf_of(tenant: &TestTenant, seen: &mut Seen) {
    let form = Form::empty()
        .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .with("client_id", API_CLIENT_ID)
        .with("client_secret", "api-secret")
        .with("requested_token_use", "on_behalf_of")
        .with("scope", REPORTS);
    let ada = || Forgery::of("ada");
    let todo = format!("api://{API_CLIENT_ID}/.default");
    let daemon = client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, &todo);
    let of_an_app = tenant.post("token", &daemon).await.token("access_token");
    let forged = |forgery: Forgery| tenant.tenant.forge(&forgery).unwrap();
    for (assertion, number) in [
        (forged(ada().signed_with(SignedWith::Stranger)), 50013),
        (forged(ada().claim("azp", Value::Null)), 240_002),
        (forged(ada().claim("aud", UNKNOWN_CLIENT_ID)), 500_131),
        (forged(ada().expires_in(-1)), 500_133),
        (of_an_app, 7_000_114),
    ] {
        let answer = tenant.post("token", &form.clone().with("assertion", &assertion)).await;
        seen.json(&answer, 400, "invalid_grant", number);
    }
    let answer = tenant.post("token", &form.clone().with("assertion", "none")).await;
    seen.json(&answer, 400, "invalid_request", 50027);
    let answer = tenant.post("token", &form.clone().without("requested_token_use")).await;
    seen.json(&answer, 400, "invalid_request", 900_144);
    let strict = form.with("scope", &format!("{STRICT_API}/read"));
    let answer = tenant.post("token", &strict.with("assertion", &forged(ada()))).await;
    seen.json(&answer, 400, "invalid_grant", 50105);
}

async fn devices(tenant: &TestTenant, seen: &mut Seen) {
    let asks = Form::empty().with("client_id", COMMAND_LINE).with("scope", "openid");
    let collects = asks.clone().with("grant_type", "device_code");
    let waiting = tenant.post("devicecode", &asks).await;
    let collect = collects.clone().with("device_code", &waiting.token("device_code"));
    let answer = tenant.post("token", &collect).await;
    seen.json(&answer, 400, "authorization_pending", 70016);
    let answer = tenant.post("token", &collects.with("device_code", "x")).await;
    seen.json(&answer, 400, "bad_verification_code", 70018);

    let page = tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth"));
    let typed = |code: &str| Form::empty().with("user_code", code).with("consent", "cancel");
    let answer = Answer::of(typed("WRONG").on(tenant.browser.post(&page))).await;
    seen.page(&answer, 90119);
    let declined = typed(&waiting.token("user_code")).on(tenant.browser.post(&page));
    assert_eq!(Answer::of(declined.header("origin", ORIGIN)).await.status, 200);
    let answer = tenant.post("token", &collect).await;
    seen.json(&answer, 400, "authorization_declined", 90120);
    tenant.clock.advance(900);
    seen.json(&tenant.post("token", &collect).await, 400, "expired_token", 70019);
}
