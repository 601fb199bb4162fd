//! The tables of people, tenants, groups and apps on `/_dev`.

use entra_dev::ids::{
    API_CLIENT_ID, CONSUMERS, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, FABRIKAM,
    SWAGGER_UI_CLIENT_ID,
};

use crate::support::{Credential, OTHER_REDIRECT_URI, REDIRECT_URI, TestTenant, between, section};

/// A file that uses every field of people and apps.
const ENTRIES: &str = r#"
[[people]]
name = "cora"
display_name = "Cora Cole"
sign_in_name = "cora@contoso.example"
email = "cora@mail.example"
oid = "d1000000-0000-4000-8000-000000000001"
tenant = "Contoso"
groups = ["Sales", "Engineering"]
roles = { "Stock API" = ["Reader"], "Payroll" = [] }

[[apps]]
client_id = "d1000000-0000-4000-8000-000000000002"
name = "Stock API"
tenant = "Contoso"
app_id_uri = "api://stock"
access_token_version = 1
token_issuer = "https"
scopes = ["read"]
admin_scopes = ["order"]
app_roles = ["Reader", "Clerk", "Nobody"]
optional_claims = ["acct", "acrs", "email", "groups", "idtyp", "xms_cc"]

[[apps]]
client_id = "d1000000-0000-4000-8000-000000000003"
name = "Stock job"
tenant = "Contoso"
single_tenant = true
own_signing_key = true
public_client = true
consent_required = true
assignment_required = true
id_token_issuance = true
redirect_uris.spa = ["http://localhost:3000/spa"]
redirect_uris.web = ["http://localhost:3000/web"]
redirect_uris.native = ["http://localhost"]
secrets = ["new-secret"]
expired_secrets = ["old-secret"]
permissions = { "Stock API" = ["Clerk"], "Payroll" = [] }

[[apps]]
client_id = "d1000000-0000-4000-8000-000000000004"
name = "Payroll"
tenant = "Contoso"
"#;

#[tokio::test]
async fn the_page_lists_people_tenants_groups_and_apps() {
    let tenant = TestTenant::start().await;
    let page = tenant.dev_page().await;
    let people = section(&page, "Who can sign in");
    for person in tenant.tenant.people() {
        for shown in [&person.name, &person.display_name, &person.sign_in_name, &person.oid] {
            assert!(people.contains(&format!(">{shown}<")), "{shown}");
        }
    }
    let tenants = section(&page, "Tenants");
    for shown in [CONTOSO, FABRIKAM, CONSUMERS, "contoso.example"] {
        assert!(tenants.contains(&format!("<code>{shown}</code>")), "{shown}");
    }
    let apps = section(&page, "Apps");
    for shown in [
        API_CLIENT_ID,
        SWAGGER_UI_CLIENT_ID,
        REDIRECT_URI,
        OTHER_REDIRECT_URI,
        DAEMON_CLIENT_ID,
        DAEMON_SECRET,
        "http://localhost/auth/callback",
    ] {
        assert!(apps.contains(&format!("<code>{shown}</code>")), "{shown}");
    }
    let authorities = section(&page, "Authorities");
    for base in [tenant.url(""), tenant.https_url("")] {
        assert!(authorities.contains(&format!("<code>{base}/{CONTOSO}</code>")), "{base}");
    }
}

#[tokio::test]
async fn the_page_shows_roles_groups_and_notes_of_people() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let page = tenant.dev_page().await;
    let person = |name| cells(&page, "Who can sign in", name);
    assert_eq!(
        person("Ada Adler")[2..],
        [&code("ada"), "Contoso", "Engineering", "administrator", "<code>Admin</code> @ Todo API"]
    );
    assert_eq!(person("Gus Grant")[5], "guest");
    assert_eq!(person("Noel Novak")[4..], ["", "", ""]);
    assert_eq!(person("Pia Porter")[3], "Personal accounts");
    assert_eq!(
        person("Cora Cole")[4..],
        [
            "Engineering<br>Sales",
            &format!("mail to {}", code("cora@mail.example")),
            "<code>Reader</code> @ Stock API<br>no role @ Payroll",
        ]
    );
    let groups = cells(&page, "Groups", "Sales");
    assert_eq!(groups[0], code("9a000000-0000-4000-8000-000000000002"));
    let members = ["ulf@contoso.example", "cora@contoso.example"].map(code).join("<br>");
    assert_eq!(groups[1..], ["Contoso", &members]);
}

#[tokio::test]
async fn the_page_shows_scopes_and_app_roles_of_apis() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let page = tenant.dev_page().await;
    let apis = section(&page, "APIs");
    assert!(apis.contains(">Todo API<") && !apis.contains("Nightly job"), "{apis}");
    let [read, order] = ["read", "order"].map(|scope| code(&format!("api://stock/{scope}")));
    assert_eq!(
        cells(&page, "APIs", "Stock API"),
        [
            format!("{read}<br>{order} (administrators consent)"),
            ["acct", "acrs", "email", "groups", "idtyp", "xms_cc"].map(code).join("<br>"),
            "version 1<br>issuer: HTTPS".to_owned(),
            code("api://stock"),
        ]
    );
    assert_eq!(cells(&page, "APIs", "Todo API")[2], "version 2");
    let has = |role: &str| cells(&page, "App roles", role);
    assert_eq!(has("<code>Reader</code> @ Stock API"), [code("cora@contoso.example"), "".into()]);
    assert_eq!(has("<code>Clerk</code> @ Stock API"), ["", "Stock job"]);
    assert_eq!(has("<code>Nobody</code> @ Stock API"), ["", ""]);
    assert_eq!(has("no role @ Payroll"), [code("cora@contoso.example"), "Stock job".into()]);
    assert!(!page.contains("no role @ Stock API"), "{page}");
    let users = ["uma", "ulf", "gus"].map(|name| code(&format!("{name}@contoso.example")));
    assert_eq!(has("<code>User</code> @ Todo API")[0], users.join("<br>"));
    let admins = ["ada@contoso.example", "tia@fabrikam.example"].map(code).join("<br>");
    assert_eq!(has("<code>Admin</code> @ Todo API"), [admins, String::new()]);
    let apps = "Nightly job<br>Todo worker<br>Todo maintenance";
    assert_eq!(has("<code>Todos.ReadWrite.All</code> @ Todo API"), ["", apps]);
}

#[tokio::test]
async fn the_page_shows_the_settings_of_apps() {
    let certificate = Credential::generate();
    let secrets = "secrets = [\"new-secret\"]";
    let certificates = format!("{secrets}\ncertificates = ['''{}''']", certificate.pem);
    let entries = ENTRIES.replace(secrets, &certificates);
    let tenant = TestTenant::start_having(&entries).await;
    let page = tenant.dev_page().await;
    let app = |name| cells(&page, "Apps", name);
    assert_eq!(
        app("Stock job"),
        [
            code("d1000000-0000-4000-8000-000000000003"),
            "Contoso".to_owned(),
            format!(
                "{}<br>{} (expired)<br>certificate {}",
                code("new-secret"),
                code("old-secret"),
                code(&certificate.hexadecimal()),
            ),
            "<code>Clerk</code> @ Stock API<br>no role @ Payroll".to_owned(),
            "single tenant<br>own signing key<br>public client<br>consent required<br>assignment required<br>\
             ID tokens at authorize"
                .to_owned(),
            format!(
                "{} (single-page)<br>{} (web)<br>{} (native)",
                code("http://localhost:3000/spa"),
                code("http://localhost:3000/web"),
                code("http://localhost"),
            ),
        ]
    );
    assert_eq!(app("Stock API")[2..], ["", "", "", ""]);
    assert!(!page.contains("BEGIN CERTIFICATE"), "a certificate is named by its thumbprint only");
    assert_eq!(app("Nightly job")[3], "<code>Todos.ReadWrite.All</code> @ Todo API");
}

/// The HTML of the cells in the row with this heading, in the table with this title.
#[track_caller]
fn cells(page: &str, title: &str, heading: &str) -> Vec<String> {
    let start = format!("<tr><th scope=\"row\">{heading}</th>");
    let rows = section(page, title).split_once(&start);
    let (row, _) =
        rows.unwrap_or_else(|| panic!("no {heading} in {page}")).1.split_once("</tr>").unwrap();
    between(row, "<td", "</td>").map(|cell| cell.split_once('>').unwrap().1.to_owned()).collect()
}

fn code(text: &str) -> String {
    format!("<code>{text}</code>")
}
