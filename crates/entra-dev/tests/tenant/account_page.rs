//! The account page.

use entra_dev::ids::{CONSUMERS, CONTOSO, FABRIKAM};
use reqwest::StatusCode;
use url::Url;

use crate::support::{Answer, Form, TestTenant};

#[tokio::test]
async fn each_authority_offers_its_own_people() {
    let tenant = TestTenant::start().await;
    for (authority, tenants) in [
        (CONTOSO, &[CONTOSO][..]),
        ("fabrikam.example", &[FABRIKAM]),
        ("consumers", &[CONSUMERS]),
        ("common", &[CONTOSO, FABRIKAM, CONSUMERS]),
        ("organizations", &[CONTOSO, FABRIKAM]),
    ] {
        let answer = tenant.authorize(authority, &Form::authorization()).await;
        assert_eq!(answer.status, StatusCode::OK);
        let people = tenant.tenant.people().into_iter();
        let people = people.filter(|person| tenants.contains(&person.tenant.as_str()));
        let labels: Vec<_> = people.map(|person| label(&tenant, &person.name)).collect();
        assert!(!labels.is_empty());
        assert_eq!(buttons(&answer), labels, "{authority}");
    }
}

#[tokio::test]
async fn the_account_page_shows_the_app_and_its_scopes() {
    let tenant = TestTenant::start().await;
    let answer = tenant.authorize(CONTOSO, &Form::authorization()).await;
    for text in ["Swagger UI", "/access_as_user", "Development only.", "<h1>Pick an account</h1>"] {
        assert!(answer.body.contains(text), "{text}");
    }
    assert!(answer.body.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    assert!(answer.body.contains("<title>Pick an account - development tenant</title>"));
}

#[tokio::test]
async fn a_login_hint_puts_that_person_first() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("login_hint", "ULF@contoso.example");
    let answer = tenant.authorize(CONTOSO, &form).await;
    assert_eq!(buttons(&answer)[0], label(&tenant, "ulf"));
    let contoso = tenant.tenant.people().into_iter().filter(|person| person.tenant == CONTOSO);
    assert_eq!(buttons(&answer).len(), contoso.count());
    assert_eq!(answer.body.matches(" autofocus>").count(), 1);
    let unknown = Form::authorization().with("login_hint", "nobody@contoso.example");
    let answer = tenant.authorize(CONTOSO, &unknown).await;
    assert_eq!(buttons(&answer)[0], label(&tenant, "ada"));
    assert!(!answer.body.contains("autofocus"));
}

/// Submits the form as a browser would.
#[tokio::test]
async fn the_account_page_repeats_the_request_unchanged() {
    let tenant = TestTenant::start().await;
    for state in ["plain", "\"><script>&amp;'", "line\nbreak"] {
        let form = Form::authorization().with("state", state).with("nonce", "n-0S6_WzA2Mj");
        let page = tenant.authorize("contoso.example", &form).await;
        let action = between(&page.body, "<form method=\"post\" action=\"", "\"")[0].clone();
        let mut sent = Form::empty();
        for input in between(&page.body, "<input type=\"hidden\" name=\"", ">") {
            let (name, value) = input.split_once("\" value=\"").unwrap();
            sent = sent.and(name, &unescape(value.strip_suffix('"').unwrap()));
        }
        let account = between(&page.body, "name=\"account\" value=\"", "\"")[1].clone();
        let sent = sent.with("account", &account);
        let url = Url::parse(tenant.tenant.base_url()).unwrap().join(&action).unwrap();
        let answer = Answer::of(sent.on(tenant.browser.post(url))).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(answer.redirect_parameter("state").as_deref(), Some(state));
        assert!(answer.redirect_parameter("code").is_some());
    }
}

#[tokio::test]
async fn nothing_in_a_request_becomes_markup() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;";
    let tenant = TestTenant::start().await;
    let mut pages = Vec::new();
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
        "prompt",
        "account",
        "unknown",
        EVIL,
    ] {
        let form = Form::authorization().with(name, EVIL);
        pages.push(tenant.authorize(CONTOSO, &form).await);
        let account = if name == "account" { EVIL } else { "ada" };
        pages.push(tenant.pick(CONTOSO, &form, account).await);
    }
    let encoded = "%22%27%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    pages.push(tenant.authorize(encoded, &Form::authorization()).await);
    pages.push(tenant.get(&format!("/{encoded}")).await);
    for page in pages {
        assert!(!page.body.contains("<script"), "{}", page.body);
        assert!(!page.body.contains("<img"), "{}", page.body);
        assert!(!page.body.contains("\"'>"), "{}", page.body);
        if let Some(location) = page.header("location") {
            assert!(!location.contains(['<', '>', '"']), "{location}");
        }
    }
}

#[tokio::test]
async fn pages_forbid_scripts_frames_and_caching() {
    let tenant = TestTenant::start().await;
    let pages = [
        tenant.get("/").await,
        tenant.get("/nothing").await,
        tenant.authorize(CONTOSO, &Form::authorization()).await,
        tenant.authorize(CONTOSO, &Form::authorization().without("client_id")).await,
    ];
    for page in pages {
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        // Chromium would apply it to the redirect back to the app.
        assert!(!policy.contains("form-action"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        // It would separate the sign-in pop-up from the page that opened it.
        assert_eq!(page.header("cross-origin-opener-policy"), None);
        assert!(!page.body.contains("style=") && !page.body.contains("<style"));
    }
    let stylesheet = tenant.get("/_assets/style.css").await;
    assert_eq!(stylesheet.status, StatusCode::OK);
    assert_eq!(stylesheet.header("content-type"), Some("text/css; charset=utf-8"));
}

#[tokio::test]
async fn the_roles_of_people_are_in_their_buttons() {
    let entries = "
[[apps]]
client_id = \"d2000000-0000-4000-8000-000000000001\"
name = \"Club\"
tenant = \"Contoso\"
assignment_required = true
redirect_uris.spa = [\"http://localhost:8000/oauth2-redirect\"]
";
    let tenant = TestTenant::start_having(entries).await;
    let form = Form::authorization().with("client_id", "d2000000-0000-4000-8000-000000000001");
    let page = tenant.authorize("common", &form).await;
    let people = buttons_with(&page, "about");
    assert_eq!(people[0], "Contoso: role Admin, not assigned to this app");
    assert!(people.contains(&"Contoso: role User, guest, not assigned to this app".to_owned()));
    assert_eq!(people.len(), tenant.tenant.people().len());
    // Initials are an ornament, which screen readers skip.
    assert!(page.body.contains("<span class=\"initials\" aria-hidden=\"true\">AA</span>"));
}

fn label(tenant: &TestTenant, name: &str) -> String {
    let person = tenant.tenant.people().into_iter().find(|person| person.name == name).unwrap();
    format!("{} {}", person.display_name, person.sign_in_name)
}

/// The name and the sign-in name on each person's button.
fn buttons(answer: &Answer) -> Vec<String> {
    let names = buttons_with(answer, "name").into_iter().zip(buttons_with(answer, "address"));
    names.map(|(name, address)| format!("{name} {address}")).collect()
}

/// The text of the part with this class on each person's button.
fn buttons_with(answer: &Answer, class: &str) -> Vec<String> {
    let start = format!("<span class=\"{class}\">");
    let buttons = between(&answer.body, "<button", "</button>").into_iter();
    let people = buttons.filter(|button| button.contains("name=\"account\""));
    people.map(|button| between(&button, &start, "</span>").concat()).collect()
}

fn between(text: &str, before: &str, after: &str) -> Vec<String> {
    let parts = text.split(before).skip(1);
    parts.map(|part| part.split_once(after).unwrap().0.to_owned()).collect()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
