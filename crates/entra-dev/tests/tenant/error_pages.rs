//! Error pages: what is registered, and what to do.

use entra_dev::ids::{CONTOSO, DAEMON_CLIENT_ID, FABRIKAM, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;

use crate::support::{
    Answer, Form, PLANNER, PLANNER_ENTRIES, TestTenant, WEB, api_scope, between, planner_requests,
    section,
};

/// The part of the page between the error and its details.
fn advice(page: &Answer) -> &str {
    let advice = between(&page.body, "<div class=\"advice\">", "</div>").collect::<Vec<_>>();
    let [advice] = advice[..] else { panic!("{}", page.body) };
    advice
}

fn codes(text: &str) -> Vec<&str> {
    between(text, "<li>", "</li>").flat_map(|item| between(item, "<code>", "</code>")).collect()
}

#[tokio::test]
async fn an_unknown_redirect_uri_is_compared_with_the_registered_ones() {
    let tenant = TestTenant::start().await;
    for (sent, marked, sentences) in [
        (
            "http://localhost:3000/Auth/callback",
            "<code>http://localhost:3000/<mark>A</mark>uth/callback</code>",
            &["The path is /Auth/callback instead of /auth/callback."][..],
        ),
        (
            "https://localhost/auth/callback",
            "<code>http<mark>s</mark>://localhost/auth/callback</code>",
            &["The scheme is https instead of http."],
        ),
        (
            "https://localhost/signin-oidc/?a=b",
            "<code>https://localhost/signin-oidc<mark>/?a=(hidden, 1 character)</mark></code>",
            &[
                "The path is /signin-oidc/ instead of /signin-oidc.",
                "The query a=(hidden, 1 character) is not registered.",
            ],
        ),
        ("callback", "<code><mark>", &["It is not an absolute URI."]),
        ("http://x.example/\"><script>", "&quot;&gt;&lt;script&gt;", &["The host is x.example"]),
    ] {
        let form = Form::authorization().with("client_id", WEB.client_id);
        let page = tenant.authorize(CONTOSO, &form.with("redirect_uri", sent)).await;
        page.assert_page_refusal(50011);
        let advice = advice(&page);
        assert!(advice.contains(marked), "{sent}: {advice}");
        for sentence in sentences {
            assert!(advice.contains(sentence), "{sentence}: {advice}");
        }
        assert!(advice.contains("registered for <strong>Web site</strong>"), "{advice}");
        let registered = [
            "http://localhost/auth/callback",
            "http://localhost/signin-oidc",
            "https://localhost/signin-oidc",
            "http://localhost/signout-callback-oidc",
            "https://localhost/signout-callback-oidc",
        ];
        assert_eq!(codes(advice), registered);
        assert!(advice.contains("</code> (web)</li>"), "{advice}");
        assert!(!page.body.contains("<script"), "{}", page.body);
        assert_eq!(page.header("location"), None);
    }
    let form = Form::authorization().with("client_id", DAEMON_CLIENT_ID);
    let page = tenant.authorize(CONTOSO, &form).await;
    assert!(advice(&page).contains("No redirect URI is registered for <strong>Nightly job"));
}

#[tokio::test]
async fn a_missing_redirect_uri_leads_to_the_registered_ones() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("client_id", WEB.client_id).with("redirect_uri", "");
    let page = tenant.authorize(CONTOSO, &form).await;
    page.assert_page_refusal(900144);
    assert!(codes(advice(&page)).contains(&"https://localhost/signin-oidc"), "{}", page.body);
}

#[tokio::test]
async fn an_unknown_scope_leads_to_those_that_exist() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let ask = async |scope: &str| {
        let form = planner_requests(scope);
        tenant.get(&format!("/{CONTOSO}/v2.0/adminconsent?{}", form.encoded())).await
    };
    let page = ask("api://calendar/reed").await;
    page.assert_page_refusal(650_053);
    let of_calendar =
        ["read", "write", "manage", ".default"].map(|name| format!("api://calendar/{name}"));
    assert_eq!(codes(advice(&page)), of_calendar);
    let page = ask("api://kalender/read").await;
    page.assert_page_refusal(500_011);
    let all = codes(advice(&page));
    for scope in [of_calendar[0].as_str(), &api_scope(), "https://graph.microsoft.com/User.Read"] {
        assert!(all.contains(&scope), "{scope}: {all:?}");
    }
    // The app gets this error in a redirect. The audit trail says what exists.
    let answer = tenant.authorize(CONTOSO, &planner_requests("api://calendar/reed")).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    let page = tenant.get(&format!("/_dev?app={PLANNER}")).await.body;
    let newest = between(section(&page, "Audit trail"), "<details>", "</details>").next().unwrap();
    assert!(newest.contains("<code>api://calendar/read</code>"), "{newest}");
}

#[tokio::test]
async fn unknown_apps_and_tenants_lead_to_those_that_exist() {
    let tenant = TestTenant::start().await;
    let page = tenant.authorize(CONTOSO, &Form::authorization().with("client_id", "nobody")).await;
    page.assert_page_refusal(700_016);
    assert!(codes(advice(&page)).contains(&SWAGGER_UI_CLIENT_ID), "{}", page.body);
    for (name, number) in [("nowhere.example", 90002), ("Contoso!", 900_023)] {
        let page = tenant.authorize(name, &Form::authorization()).await;
        page.assert_page_refusal(number);
        let known = codes(advice(&page));
        assert!([CONTOSO, FABRIKAM, "contoso.example"].iter().all(|it| known.contains(it)));
    }
    let page = tenant.get("/nowhere.example/oauth2/v2.0/logout").await;
    assert!(page.body.contains("<h1>You cannot sign out</h1>"), "{}", page.body);
    // Nothing helps against a missing parameter but its name.
    let page = tenant.authorize(CONTOSO, &Form::authorization().without("client_id")).await;
    page.assert_page_refusal(900_144);
    assert!(!page.body.contains("class=\"advice\""), "{}", page.body);
}

#[tokio::test]
async fn a_refused_account_leads_to_those_that_are_admitted() {
    let tenant = TestTenant::start_having(&format!("{PLANNER_ENTRIES}{CLUB}")).await;
    let club = Form::authorization().with("client_id", "d3000000-0000-4000-8000-000000000001");
    let manage = planner_requests("api://calendar/manage");
    let plain = Form::authorization();
    for (form, account, number, helps, does_not) in [
        (&plain, "tia", 50020, "uma@contoso.example", "tia@fabrikam.example"),
        (&plain, "bob", 50034, "uma@contoso.example", "tia@fabrikam.example"),
        (&club, "uma", 50105, "cleo@contoso.example", "uma@contoso.example"),
        (&manage, "uma", 90094, "ada@contoso.example", "uma@contoso.example"),
    ] {
        let page = tenant.pick(CONTOSO, form, account).await;
        page.assert_page_refusal(number);
        let people = codes(advice(&page));
        assert!(people.contains(&helps) && !people.contains(&does_not), "{number}: {people:?}");
    }
}

/// An app that requires an assignment, and a person who has it.
const CLUB: &str = r#"
[[apps]]
client_id = "d3000000-0000-4000-8000-000000000001"
name = "Club"
tenant = "Contoso"
assignment_required = true
redirect_uris.spa = ["http://localhost:8000/oauth2-redirect"]

[[people]]
name = "cleo"
display_name = "Cleo Clark"
sign_in_name = "cleo@contoso.example"
oid = "d3000000-0000-4000-8000-000000000002"
tenant = "Contoso"
roles = { "Club" = [] }
"#;

#[tokio::test]
async fn after_a_refused_account_another_one_can_be_chosen() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("state", "a\nb").with("nonce", "n");
    let page = tenant.pick(CONTOSO, &form, "tia").await;
    page.assert_page_refusal(50020);
    let (_, again) = page.body.split_once("<form method=\"post\" action=\"").unwrap();
    let (action, again) = again.split_once('"').unwrap();
    assert_eq!(action, format!("/{CONTOSO}/oauth2/v2.0/authorize"));
    let inputs = between(again.split("</form>").next().unwrap(), "<input", ">");
    let value = |input: &str, name: &str| {
        between(input, &format!("{name}=\""), "\"").next().unwrap().to_owned()
    };
    let repeated = inputs.fold(Form::empty(), |form, input| {
        form.with(&value(input, " name"), &value(input, "value"))
    });
    let accounts = Answer::of(repeated.on(tenant.browser.post(tenant.url(action)))).await;
    accounts.assert_page("Pick an account");
    let answer =
        Answer::of(repeated.with("account", "ada").on(tenant.browser.post(tenant.url(action))))
            .await;
    assert_eq!(answer.redirect_parameter("state").as_deref(), Some("a\nb"));
    assert!(answer.redirect_parameter("code").is_some());
}

#[tokio::test]
async fn errors_before_the_choice_and_forms_of_other_sites_lead_nowhere() {
    let tenant = TestTenant::start().await;
    let unknown = Form::authorization().with("client_id", "nobody");
    let form = Form::authorization().with("account", "ada");
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/authorize"));
    let foreign = form.on(tenant.browser.post(url)).header("sec-fetch-site", "cross-site");
    for page in [tenant.authorize(CONTOSO, &unknown).await, Answer::of(foreign).await] {
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(!page.body.contains("<form"), "{}", page.body);
        for link in [
            "href=\"/_dev?outcome=refused\"",
            "href=\"https://login.microsoftonline.com/error?code=",
        ] {
            assert!(page.body.contains(link), "{link}: {}", page.body);
        }
    }
}
