//! The page `/_dev`.

use std::collections::BTreeSet;

use entra_dev::ids::CONTOSO;

use crate::support::{Form, TestTenant, between, section};

#[tokio::test]
async fn the_table_of_contents_links_to_every_section() {
    let tenant = TestTenant::start().await;
    for (step, sections) in [9, 9, 10].into_iter().enumerate() {
        let page = tenant.dev_page().await;
        let (_, contents) = page.split_once("<nav aria-label=\"On this page\">").unwrap();
        let (contents, _) = contents.split_once("</nav>").unwrap();
        let links: BTreeSet<_> = between(contents, "<a href=\"#", "\"").collect();
        let headings: BTreeSet<_> = between(&page, "<h2 id=\"", "\"").collect();
        assert_eq!(links, headings);
        assert_eq!(links.len(), sections, "{links:?}");
        if step == 0 {
            tenant.code("ada").await;
        } else {
            tenant.tenant.set_clock_offset(1);
        }
    }
}

#[tokio::test]
async fn tables_are_labelled_for_screen_readers() {
    let tenant = TestTenant::start().await;
    // Gives every table at least one row.
    tenant.code("ada").await;
    tenant.tenant.set_clock_offset(1);
    let page = tenant.dev_page().await;
    let tables: Vec<_> = page.split("<table").collect();
    assert_eq!(tables.len() - 1, 10);
    // The heading labels the table.
    assert!(tables[1].starts_with(" class=\"trail\" aria-labelledby=\"audit-trail\">"));
    for before in &tables[1..tables.len() - 1] {
        // The focus allows scrolling with the keyboard.
        let (heading, region) = before.rsplit_once("<div ").unwrap();
        let id = heading.rsplit_once("<h2 id=\"").unwrap().1.split('"').next().unwrap();
        assert!(heading.ends_with("</h2>"), "{heading}");
        let labelled = format!(" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">");
        assert!(region.ends_with(&labelled), "{region}");
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    for table in &tables[1..] {
        let (_, table) = table.split_once('>').unwrap();
        assert!(table.starts_with("<thead><tr><th scope=\"col\">"), "{table}");
        let cells = table.matches("<th ").count();
        let scoped =
            ["col", "row"].map(|scope| table.matches(&format!("<th scope=\"{scope}\">")).count());
        assert_eq!(cells, scoped[0] + scoped[1]);
        let rows = table.split("<tbody>").nth(1).unwrap().matches("<tr").count();
        assert_eq!(scoped[1], rows, "each row has a heading");
    }
    assert!(page.contains("<html lang=\"en\">") && page.contains("<h1>"));
}

#[tokio::test]
async fn markup_in_requests_and_files_is_escaped() {
    let tenant = TestTenant::start_having(EVIL_ENTRIES).await;
    let evil = "\"'><img src=x><script>alert(1)</script>";
    tenant.refused_authorization(evil).await;
    for parameter in ["prompt", "scope", "response_type", "redirect_uri", "response_mode"] {
        tenant.authorize(CONTOSO, &Form::authorization().with(parameter, evil)).await;
    }
    tenant.pick(CONTOSO, &Form::authorization(), evil).await;
    tenant.redeem(CONTOSO, &Form::redemption("x").with("grant_type", evil)).await;
    tenant.redeem(CONTOSO, &Form::redemption("x").with("client_id", evil)).await;
    tenant.authorize("%3Cimg%20src=x%3E", &Form::authorization()).await;
    let sign_in = Form::authorization()
        .with("client_id", "d0000000-0000-4000-8000-000000000001")
        .with("redirect_uri", "http://localhost/?<img>");
    tenant.code_for("common", &sign_in, "<script>").await;
    assert_eq!(tenant.audit().await.len(), 11);
    let page = tenant.dev_page().await;
    assert!(!page.contains("<img") && !page.contains("<script"), "{page}");
    let trail = section(&page, "Audit trail");
    assert!(trail.contains("\">&lt;img src=x&gt;</span>"), "the name of the app: {trail}");
    assert!(trail.contains("redirect_uri=&quot;'&gt;&lt;img src=x&gt;"), "{trail}");
    // Every table contains markup from the file.
    for title in
        ["Who can sign in", "Tenants", "Groups", "APIs", "App roles", "Apps", "Audit trail"]
    {
        assert!(section(&page, title).contains("&lt;script&gt;"), "{title}");
    }
    for page in [tenant.get("/").await, tenant.authorize("common", &Form::authorization()).await] {
        assert!(page.body.contains("&lt;script&gt;"), "{}", page.body);
        assert!(!page.body.contains("<img") && !page.body.contains("<script"), "{}", page.body);
    }
    assert!(page.contains("&quot;'&gt;&lt;img src=x&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("<code>&lt;img src=x&gt;</code>"), "the tenant of a path");
}

/// A file with markup in every text. In scopes and app roles, Entra does not accept tags.
const EVIL_ENTRIES: &str = r#"
[[tenants]]
id = "d0000000-0000-4000-8000-000000000002"
name = "<script>alert('tenant')</script>"

[[groups]]
id = "d0000000-0000-4000-8000-000000000003"
name = "<script>alert('group')</script>"
tenant = "<script>alert('tenant')</script>"

[[people]]
name = "<script>"
display_name = "\"><script>alert('person')</script>"
sign_in_name = "<script>@contoso.example"
email = "<script>@mail.example"
oid = "d0000000-0000-4000-8000-000000000004"
tenant = "<script>alert('tenant')</script>"
groups = ["<script>alert('group')</script>"]
roles = { "<img src=x>" = ["&lt;script&gt;'"], "<script>" = [] }

[[apps]]
client_id = "d0000000-0000-4000-8000-000000000001"
tenant = "<script>alert('tenant')</script>"
name = "<img src=x>"
app_id_uri = "urn:<script>"
scopes = ["&lt;img&gt;'"]
app_roles = ["&lt;script&gt;'"]
secrets = ["\"<img>"]
expired_secrets = ["'<img>"]
redirect_uris.web = ["http://localhost/?<img>"]
permissions = { "<img src=x>" = ["&lt;script&gt;'"] }

[[apps]]
client_id = "d0000000-0000-4000-8000-000000000005"
tenant = "Contoso"
name = "<script>"
"#;
