//! Logout (OpenID Connect RP-Initiated Logout).

use entra_dev::ids::{CONTOSO, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;

use crate::support::{
    Answer, Browser, Form, NATIVE, OTHER_REDIRECT_URI, REDIRECT_URI, SINGLE_PAGE, TestTenant, WEB,
    text,
};

fn path() -> String {
    format!("/{CONTOSO}/oauth2/v2.0/logout")
}

async fn sign_out(browser: &Browser, form: &Form) -> Answer {
    browser.get(&format!("{}?{}", path(), form.encoded())).await
}

async fn assert_signed_in(browser: &Browser, account: &str) {
    let form = Form::authorization().with("login_hint", &format!("{account}@contoso.example"));
    browser.ask_silently(&form).await.assert_code(StatusCode::FOUND);
}

async fn assert_signed_out(browser: &Browser, account: &str) {
    let form = Form::authorization().with("login_hint", &format!("{account}@contoso.example"));
    let answer = browser.ask_silently(&form).await;
    answer.assert_redirected_refusal("login_required", 50058);
}

#[track_caller]
fn assert_goes_to(answer: &Answer, address: &str) {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
    assert_eq!(answer.header("location"), Some(address));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn logout_ends_the_session_and_shows_a_page() {
    let tenant = TestTenant::start().await;
    for by_post in [false, true] {
        let browser = Browser::new(&tenant);
        browser.sign_in("ada").await;
        browser.sign_in("uma").await;
        let answer = if by_post {
            browser.post(&path(), &Form::empty()).await
        } else {
            browser.get(&path()).await
        };
        answer.assert_page("You are signed out");
        for account in ["ada", "uma"] {
            assert_signed_out(&browser, account).await;
        }
        let page = browser.authorize(CONTOSO, &Form::authorization()).await;
        assert!(!page.body.contains(", signed in"), "{}", page.body);
    }
    Browser::new(&tenant).get(&path()).await.assert_page("You are signed out");
}

#[tokio::test]
async fn logout_affects_one_browser_only() {
    let tenant = TestTenant::start().await;
    let (here, there) = (Browser::new(&tenant), Browser::new(&tenant));
    here.sign_in("ada").await;
    there.sign_in("ada").await;
    here.get(&path()).await.assert_page("You are signed out");
    assert_signed_out(&here, "ada").await;
    assert_signed_in(&there, "ada").await;
}

#[tokio::test]
async fn a_logout_hint_signs_out_one_account() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    browser.sign_in("uma").await;
    let hint = Form::empty().with("logout_hint", "uma@contoso.example");
    sign_out(&browser, &hint).await.assert_page("You are signed out");
    assert_signed_out(&browser, "uma").await;
    assert_signed_in(&browser, "ada").await;
}

#[tokio::test]
async fn a_hint_for_somebody_else_shows_the_logout_page() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    browser.sign_in("uma").await;
    let body = SINGLE_PAGE.sign_in(&tenant, "openid profile", "noel").await;
    let form = Form::empty()
        .with("client_id", SWAGGER_UI_CLIENT_ID)
        .with("post_logout_redirect_uri", REDIRECT_URI)
        .with("state", "a \"b\"");
    for form in [
        form.clone().with("logout_hint", "nobody@contoso.example"),
        form.clone().with("logout_hint", "noel"),
        form.clone().with("id_token_hint", &text(&body, "id_token")),
    ] {
        let page = sign_out(&browser, &form).await;
        page.assert_page("Pick an account to sign out");
        let choice = |name, address| {
            format!("{name}</span> <span class=\"address\">{address}@contoso.example</span>")
        };
        let places = [choice("Uma Ulrich", "uma"), choice("Ada Adler", "ada")];
        let places = places.map(|choice| page.body.find(&choice).unwrap());
        assert!(places.is_sorted(), "who signed in last is on top");
        assert!(!page.body.contains("noel@contoso.example"), "{}", page.body);
        assert_eq!(tenant.audit().await[0]["outcome"], "asked");
        assert_signed_in(&browser, "ada").await;
        assert_signed_in(&browser, "uma").await;
    }
    // Without a session, the person is already signed out.
    let stranger = Browser::new(&tenant);
    let hint = Form::empty().with("logout_hint", "noel@contoso.example");
    sign_out(&stranger, &hint).await.assert_page("You are signed out");
}

#[tokio::test]
async fn picking_an_account_signs_it_out_and_redirects() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    browser.sign_in("uma").await;
    let body = SINGLE_PAGE.sign_in(&tenant, "openid profile", "noel").await;
    let form = Form::empty()
        .with("id_token_hint", &text(&body, "id_token"))
        .with("post_logout_redirect_uri", REDIRECT_URI)
        .with("state", "a\nb");
    let page = sign_out(&browser, &form).await;
    assert!(page.body.contains(&format!("<form method=\"post\" action=\"{}\">", path())));
    let mut picked = Form::empty().with("logout_hint", &button_of(&page, "uma"));
    for name in ["id_token_hint", "post_logout_redirect_uri", "state.base64url"] {
        picked = picked.with(name, &page.hidden_input(name).unwrap());
    }
    let answer = browser.post(&path(), &picked).await;
    assert_goes_to(&answer, &format!("{REDIRECT_URI}?state=a%0Ab"));
    assert_signed_out(&browser, "uma").await;
    assert_signed_in(&browser, "ada").await;
}

/// The value of this person's button.
#[track_caller]
fn button_of(page: &Answer, account: &str) -> String {
    let (before, _) = page.body.split_once(&format!(">{account}@contoso.example<")).unwrap();
    let (_, button) = before.rsplit_once("name=\"logout_hint\" value=\"").unwrap();
    button.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn an_expired_id_token_hint_signs_out_its_account() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    browser.sign_in("uma").await;
    let body = SINGLE_PAGE.sign_in(&tenant, "openid profile", "uma").await;
    tenant.clock.advance(3 * 60 * 60);
    let hint = Form::empty()
        .with("id_token_hint", &text(&body, "id_token"))
        .with("post_logout_redirect_uri", REDIRECT_URI);
    assert_goes_to(&sign_out(&browser, &hint).await, REDIRECT_URI);
    assert_signed_out(&browser, "uma").await;
    assert_signed_in(&browser, "ada").await;
}

#[tokio::test]
async fn logout_redirects_to_a_registered_uri_with_the_state() {
    let tenant = TestTenant::start().await;
    for by_post in [false, true] {
        let browser = Browser::new(&tenant);
        browser.sign_in("ada").await;
        let form = Form::empty()
            .with("client_id", SWAGGER_UI_CLIENT_ID)
            .with("post_logout_redirect_uri", OTHER_REDIRECT_URI)
            .with("state", "a b&c=é");
        let answer = if by_post {
            browser.post(&path(), &form).await
        } else {
            sign_out(&browser, &form).await
        };
        assert_eq!(answer.redirect_parameter("state").as_deref(), Some("a b&c=é"));
        assert_goes_to(&answer, &format!("{OTHER_REDIRECT_URI}&state=a+b%26c%3D%C3%A9"));
        assert_signed_out(&browser, "ada").await;
    }
    let browser = Browser::new(&tenant);
    for (program, address) in [
        (SINGLE_PAGE, REDIRECT_URI),
        (NATIVE, "http://localhost:50001/"),
        (WEB, "http://localhost:3000/signin-oidc"),
    ] {
        let form = Form::empty().with("post_logout_redirect_uri", address);
        assert_goes_to(&sign_out(&browser, &form).await, address);
        let named = form.with("client_id", program.client_id);
        assert_goes_to(&sign_out(&browser, &named).await, address);
    }
}

/// URIs that are not registered, but that a careless parser would accept.
const UNREGISTERED: [&str; 31] = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "/",
    "oauth2-redirect",
    "http:evil.example",
    "http:/oauth2-redirect",
    "http:\\\\localhost:8000\\oauth2-redirect",
    "http://localhost:1@evil.example",
    "http://localhost:1@evil.example/oauth2-redirect",
    "http://localhost:8000@evil.example/oauth2-redirect",
    "http://user@localhost:8000/oauth2-redirect",
    "http://localhost:8000:80@evil.example/oauth2-redirect",
    "http://localhost:8000#@evil.example/oauth2-redirect",
    "http://localhost:8000/oauth2-redirect#@evil.example",
    "http://localhost:8000\\@evil.example/oauth2-redirect",
    "http://localhost:8000\t/oauth2-redirect",
    " http://localhost:8000/oauth2-redirect",
    "http://localhost:80000/oauth2-redirect",
    "http://localhost:-1/oauth2-redirect",
    "http://localhost:/oauth2-redirect",
    "http://localhost.evil.example",
    "http://localhost%2eevil.example:8000/oauth2-redirect",
    "http://localhost:8000.evil.example/oauth2-redirect",
    "http://localhost:8000/oauth2-redirect/../x",
    "https://localhost:8000/oauth2-redirect",
    "http://localhost:8000/oauth2-redirect\r\nset-cookie: a=b",
    "javascript:alert(1)//http://localhost:8000/oauth2-redirect",
    "data:text/html,<script>alert(1)</script>",
];

#[tokio::test]
async fn logout_without_a_registered_uri_does_not_redirect() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    let id_token = text(&WEB.sign_in(&tenant, "openid profile", "uma").await, "id_token");
    for address in UNREGISTERED {
        let form = Form::empty().with("post_logout_redirect_uri", address).with("state", "1");
        for form in [
            form.clone(),
            form.clone().with("client_id", SWAGGER_UI_CLIENT_ID),
            form.clone().with("client_id", NATIVE.client_id),
            form.clone().with("id_token_hint", &id_token),
        ] {
            assert_stays(&sign_out(&browser, &form).await, address);
            assert_stays(&browser.post(&path(), &form).await, address);
        }
        browser.sign_in("uma").await;
        assert_stays(&sign_out(&browser, &form).await, address);
        assert_signed_out(&browser, "uma").await;
    }
}

/// Asserts that a page confirms the logout, and shows the URI without a link.
#[track_caller]
fn assert_stays(answer: &Answer, address: &str) {
    answer.assert_page("You are signed out");
    assert_eq!(answer.header("refresh"), None);
    assert_eq!(answer.header("set-cookie"), None);
    let shown = address.replace('<', "&lt;").replace('>', "&gt;");
    assert!(answer.body.contains(&format!("<code>{shown}</code>")), "{}", answer.body);
    let links: Vec<_> = answer.body.split("href=\"").skip(1).collect();
    assert!(links.iter().all(|link| link.starts_with("/_")), "{}", answer.body);
    assert!(!answer.body.contains("<meta http-equiv") && !answer.body.contains("<script"));
}

#[tokio::test]
async fn logout_with_a_client_id_needs_a_uri_of_that_app() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    let form = Form::empty().with("post_logout_redirect_uri", REDIRECT_URI);
    let body = WEB.sign_in(&tenant, "openid", "uma").await;
    for named in [
        form.clone().with("client_id", WEB.client_id),
        form.clone().with("client_id", "nobody"),
        form.clone().with("id_token_hint", &text(&body, "id_token")),
    ] {
        assert_stays(&sign_out(&browser, &named).await, REDIRECT_URI);
        let noted = &tenant.audit().await[0];
        assert_eq!(noted["outcome"], "granted");
        assert_eq!(noted["detail"], format!("not registered: {REDIRECT_URI}"));
    }
}

#[tokio::test]
async fn the_logout_page_does_not_redirect_elsewhere_either() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    let form = Form::empty()
        .with("post_logout_redirect_uri", "https://evil.example/")
        .with("logout_hint", "noel");
    let page = sign_out(&browser, &form).await;
    page.assert_page("Pick an account to sign out");
    let address = page.hidden_input("post_logout_redirect_uri").unwrap();
    let picked = form
        .with("logout_hint", &button_of(&page, "uma"))
        .with("post_logout_redirect_uri", &address);
    assert_stays(&browser.post(&path(), &picked).await, "https://evil.example/");
    assert_signed_out(&browser, "uma").await;
}

#[tokio::test]
async fn a_repeated_logout_uri_signs_nobody_out() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    let form = Form::empty()
        .with("post_logout_redirect_uri", REDIRECT_URI)
        .and("post_logout_redirect_uri", "https://evil.example/");
    sign_out(&browser, &form).await.assert_page_refusal(90100);
    assert_signed_in(&browser, "ada").await;
}

#[tokio::test]
async fn an_unknown_tenant_signs_nobody_out() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    browser.get("/nowhere.example/oauth2/v2.0/logout").await.assert_page_refusal(90002);
    assert_signed_in(&browser, "ada").await;
}
