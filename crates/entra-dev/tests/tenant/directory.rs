//! People and apps as data.

use std::path::Path;

use entra_dev::{Directory, DirectoryError};
use reqwest::StatusCode;

use crate::support::{Form, TestTenant};

const GLOBEX: &str = "a1000000-0000-4000-8000-000000000001";

const ENTRIES: &str = r#"
[[tenants]]
id = "a1000000-0000-4000-8000-000000000001"
name = "Globex"
domains = ["globex.example"]

[[people]]
name = "hank"
display_name = "Hank Hale"
sign_in_name = "hank@globex.example"
oid = "a1000000-0000-4000-8000-000000000002"
tenant = "Globex"
roles = { "Stock API" = ["Reader"] }

[[apps]]
client_id = "a1000000-0000-4000-8000-000000000003"
name = "Stock API"
tenant = "Globex"
app_id_uri = "https://stock.globex.example"
scopes = ["read"]
app_roles = ["Reader"]
"#;

#[tokio::test]
async fn a_file_adds_tenants_people_and_apps() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let scope = "https://stock.globex.example/read";
    let form = Form::authorization().with("scope", scope);
    let body = tenant.sign_in("globex.example", &form, "hank").await;
    assert_eq!(body["scope"], scope);
    let claims = TestTenant::claims(body["access_token"].as_str().unwrap());
    assert_eq!(claims["aud"], "a1000000-0000-4000-8000-000000000003");
    assert_eq!(claims["tid"], GLOBEX);
    assert_eq!(claims["roles"], serde_json::json!(["Reader"]));
    assert_eq!(claims["scp"], "read");
    // The others are still there, and elsewhere.
    let page = tenant.authorize("globex.example", &Form::authorization()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Hank Hale") && !page.body.contains("Ada Adler"));
}

#[test]
fn every_fault_in_a_file_is_told_with_its_line() {
    for (text, expected) in [
        ("tenants = 1", "line 1: "),
        ("[[tenants]]\nid = 1", "line 2: "),
        ("[[tenants]]\nid = \"x\"\nname = \"X\"\ncolour = 1", "line 4: unknown field `colour`"),
        ("[[tenants]]\nname = \"X\"", "line 1: missing field `id`"),
        ("[[tenants]\n", "line 1: "),
        ("[[tenants]]\nid = \"x\"\nname = \"X\"", "line 2: an id is a GUID"),
        (
            "[[tenants]]\nid = \"A1000000-0000-4000-8000-000000000001\"\nname = \"X\"",
            "line 2: an id is a GUID in lower case",
        ),
        (&tenant("domains = [\"common\"]"), "line 4: a domain is a host name"),
        (&tenant("personal = true"), "line 2: the tenant of personal accounts has the id 9188040d"),
        (&person("tenant = \"Y\""), "line 8: there is no tenant \"Y\""),
        (&person("tenant = \"X\"\ngroups = [\"G\"]"), "line 9: there is no group \"G\""),
        (&person("tenant = \"X\"\nroles = { A = [] }"), "line 9: there is no app \"A\""),
        (&app("access_token_version = 3"), "line 8: the version of access tokens is 1 or 2"),
        (&app("redirect_uris.spa = [\"/x\"]"), "line 8: a redirect URI is absolute"),
        (&app("app_id_uri = \"x\""), "line 8: an app id URI is absolute"),
        (&app("certificates = [\"nowhere.pem\"]"), "line 8: failed to read \"nowhere.pem\""),
        (&app("certificates = [\"-----BEGIN x\"]"), "line 8: this is no X.509 certificate"),
        (&app("optional_claims = [\"x\"]"), "line 8: unknown variant `x`"),
        (&app("permissions = { A = [\"R\"] }"), "line 8: \"A\" declares no app role \"R\""),
        (&format!("{}{}", tenant(""), tenant("")), "line 6: there is another id"),
    ] {
        let error = Directory::parse(text, Path::new("")).unwrap_err();
        let DirectoryError::Faults(faults) = &error else { panic!("{error}") };
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = format!("{}\n{}", tenant("domains = [\"UPPER\"]"), person("tenant = \"Y\""));
    let DirectoryError::Faults(faults) = Directory::parse(&text, Path::new("")).unwrap_err() else {
        panic!("it was read")
    };
    let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
    assert!(lines.contains(&4) && lines.len() > 2, "{faults:?}");
    assert!(lines.is_sorted());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Directory::read(Path::new("nowhere.toml")).unwrap_err();
    assert!(matches!(error, DirectoryError::Read { .. }));
    assert!(error.to_string().contains("nowhere.toml"), "{error}");
}

#[test]
fn the_built_in_directory_is_read_as_it_is() {
    let directory = Directory::parse(Directory::EXAMPLE, Path::new("")).unwrap();
    let names: Vec<_> = directory.people().iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["ada", "uma", "ulf", "noel", "gus", "pia", "tia"]);
    assert_eq!(Directory::default().people().len(), names.len());
}

const TENANT: &str = "[[tenants]]\nid = \"a1000000-0000-4000-8000-000000000001\"\nname = \"X\"\n";

fn tenant(more: &str) -> String {
    format!("{TENANT}{more}\n")
}

fn person(more: &str) -> String {
    let entry = "[[people]]\nname = \"n\"\nsign_in_name = \"n@x\"\n\
                 oid = \"a1000000-0000-4000-8000-000000000002\"";
    format!("{TENANT}{entry}\n{more}\ndisplay_name = \"N\"\n")
}

fn app(more: &str) -> String {
    let entry = "[[apps]]\nclient_id = \"a1000000-0000-4000-8000-000000000003\"\nname = \"A\"";
    format!("{TENANT}{entry}\ntenant = \"X\"\n{more}\n")
}
