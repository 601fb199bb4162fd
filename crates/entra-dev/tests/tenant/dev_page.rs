//! `/_dev`: who and what there is, for people to look up.

use entra_dev::ids::{
    API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, FABRIKAM, SWAGGER_UI_CLIENT_ID,
};
use reqwest::StatusCode;

use crate::support::{Form, OTHER_REDIRECT_URI, REDIRECT_URI, TestTenant};

impl TestTenant {
    pub(crate) async fn dev_page(&self) -> String {
        let answer = self.get("/_dev").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        answer.body
    }

    /// A request that is refused, with this client id to tell it by.
    pub(crate) async fn refused_authorization(&self, client_id: &str) {
        let form = Form::authorization().with("client_id", client_id);
        self.authorize(CONTOSO, &form).await.assert_page_refusal(700_016);
    }
}

#[tokio::test]
async fn the_page_says_who_and_what_there_is() {
    let tenant = TestTenant::start().await;
    let page = tenant.dev_page().await;
    let people = section(&page, "Who can sign in");
    for person in tenant.tenant.people() {
        for shown in [&person.name, &person.display_name, &person.sign_in_name, &person.oid] {
            assert!(people.contains(&format!(">{shown}<")), "{shown}");
        }
    }
    let tenants = section(&page, "Tenants and groups");
    for shown in [CONTOSO, FABRIKAM, "contoso.example", "9a000000-0000-4000-8000-000000000002"] {
        assert!(tenants.contains(&format!(">{shown}<")), "{shown}");
    }
    let apps = section(&page, "Apps");
    let scope = format!("api://{API_CLIENT_ID}/access_as_user");
    for shown in [
        "Todo API",
        API_CLIENT_ID,
        &scope,
        SWAGGER_UI_CLIENT_ID,
        REDIRECT_URI,
        OTHER_REDIRECT_URI,
        DAEMON_CLIENT_ID,
        DAEMON_SECRET,
        "http://localhost/auth/callback",
    ] {
        assert!(apps.contains(&format!(">{shown}<")), "{shown}");
    }
    let authorities = section(&page, "Authorities");
    for base in [tenant.url(""), tenant.https_url("")] {
        assert!(authorities.contains(&format!("<code>{base}/{CONTOSO}</code>")), "{base}");
    }
}

#[tokio::test]
async fn every_table_has_a_heading_and_every_heading_cell_a_scope() {
    let tenant = TestTenant::start().await;
    // So that no table is left out because it is empty.
    tenant.code("ada").await;
    tenant.tenant.set_clock_offset(1);
    let page = tenant.dev_page().await;
    let tables: Vec<_> = page.split("<table>").collect();
    assert_eq!(tables.len() - 1, 7);
    for before in &tables[..tables.len() - 1] {
        // What names the table, and lets the keyboard scroll it.
        let (heading, region) = before.trim_end().rsplit_once('\n').unwrap();
        let id = heading.rsplit_once("<h2 id=\"").unwrap().1.split('"').next().unwrap();
        assert!(heading.ends_with("</h2>"), "{heading}");
        let labelled = format!("role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">");
        assert!(region.ends_with(&labelled), "{region}");
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    for table in &tables[1..] {
        assert!(table.trim_start().starts_with("<thead><tr><th scope=\"col\">"), "{table}");
        let cells = table.matches("<th ").count();
        let scoped =
            ["col", "row"].map(|scope| table.matches(&format!("<th scope=\"{scope}\">")).count());
        assert_eq!(cells, scoped[0] + scoped[1]);
        let rows = table.split("<tbody>").nth(1).unwrap().matches("<tr>").count();
        assert_eq!(scoped[1], rows, "each row has its heading");
    }
    assert!(page.contains("<html lang=\"en\">") && page.contains("<h1>"));
}

#[tokio::test]
async fn recent_sign_ins_are_those_that_led_to_something() {
    let tenant = TestTenant::start().await;
    let refused = Form::authorization().with("prompt", "none");
    tenant.authorize(CONTOSO, &refused).await.assert_redirected_refusal("login_required", 50058);
    assert_eq!(section(&tenant.dev_page().await, "Recent sign-ins"), "");
    tenant.sign_in(CONTOSO, &Form::authorization(), "uma").await;
    tenant.clock.advance(60);
    tenant.code("ulf").await;
    let page = tenant.dev_page().await;
    let sign_ins = section(&page, "Recent sign-ins");
    let row = |time, who, endpoint| {
        format!(
            "<tr><th scope=\"row\">2026-11-24 {time}Z</th><td>{who}@contoso.example</td>\
             <td><code>{SWAGGER_UI_CLIENT_ID}</code></td><td>{endpoint}</td></tr>"
        )
    };
    let rows = [
        row("22:01:00", "ulf", "authorize"),
        row("22:00:00", "uma", "token"),
        row("22:00:00", "uma", "authorize"),
    ];
    assert!(sign_ins.contains(&rows.join("\n")), "{sign_ins}");
}

#[tokio::test]
async fn nothing_that_was_sent_or_configured_becomes_markup() {
    let tenant = TestTenant::start_having(
        "[[apps]]\nclient_id = \"d0000000-0000-4000-8000-000000000001\"\ntenant = \"Contoso\"\n\
         name = \"<img src=x>\"\nscopes = [\"<img>\"]\nsecrets = [\"\\\"<img>\"]\n\
         redirect_uris.web = [\"http://localhost/?<img>\"]\n",
    )
    .await;
    let evil = "\"'><img src=x><script>alert(1)</script>";
    tenant.refused_authorization(evil).await;
    for parameter in ["prompt", "scope", "response_type", "redirect_uri", "response_mode"] {
        tenant.authorize(CONTOSO, &Form::authorization().with(parameter, evil)).await;
    }
    tenant.pick(CONTOSO, &Form::authorization(), evil).await;
    tenant.redeem(CONTOSO, &Form::redemption("x").with("grant_type", evil)).await;
    tenant.redeem(CONTOSO, &Form::redemption("x").with("client_id", evil)).await;
    tenant.authorize("%3Cimg%20src=x%3E", &Form::authorization()).await;
    assert_eq!(tenant.audit().await.len(), 10);
    let page = tenant.dev_page().await;
    assert!(!page.contains("<img") && !page.contains("<script"), "{page}");
    assert!(page.contains("&quot;&#39;&gt;&lt;img src=x&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("<code>&lt;img src=x&gt;</code>"), "the tenant of a path");
}

/// The part of the page under this heading; empty where there is none.
pub(crate) fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let heading = format!(">{title}</h2>");
    let section = page.split_once(&heading).map_or("", |(_, section)| section);
    section.split("<h2").next().unwrap_or_default()
}
