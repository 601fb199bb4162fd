//! Directory files.

use std::path::Path;

use entra_dev::{Directory, DirectoryError};
use reqwest::StatusCode;

use crate::support::{Form, TestTenant, as_json};

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
    // The built-in people are still in their own tenants.
    let page = tenant.authorize("globex.example", &Form::authorization()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Hank Hale") && !page.body.contains("Ada Adler"));
}

/// For each fault: a file that has it, the message and, because line numbers differ in JSON, a text
/// that is on the line of the fault in JSON.
fn faulty() -> Vec<(String, &'static str, &'static str)> {
    let text = str::to_owned;
    vec![
        (text("tenants = 1"), "line 1: ", "1"),
        (text("[[tenants]]\nid = 1"), "line 2: ", "1"),
        (text("tenants = [[]]"), "line 1: invalid type: sequence, expected a table", "[]"),
        (
            text("tenants = [[\"a1000000-0000-4000-8000-000000000001\", \"X\"]]"),
            "line 1: invalid type: sequence, expected a table",
            "[",
        ),
        (
            app("redirect_uris = [[], [\"https://a.example/\"], []]"),
            "line 8: invalid type: sequence, expected a table",
            "redirect_uris",
        ),
        (
            text("[[tenants]]\nid = \"x\"\nname = \"X\"\ncolour = 1"),
            "line 4: unknown field `colour`",
            "colour",
        ),
        (text("[[tenants]]\nname = \"X\""), "line 1: missing field `id`", "{"),
        (text("[[tenants]]\nid = \"x\"\nname = \"X\""), "line 2: an id must be a GUID", "\"x\""),
        (
            text("[[tenants]]\nid = \"A1000000-0000-4000-8000-000000000001\"\nname = \"X\""),
            "line 2: an id must be a GUID in lower case",
            "A1000000",
        ),
        (
            text("[[tenants]]\nid = \"a1000000-0000-4000-8000-000000000001\"\nname = \" \""),
            "line 3: a name must not be blank",
            "\" \"",
        ),
        (person("tenant = \"X\"\nemail = \"\""), "line 9: an email address must not", "\"\""),
        (app("app_roles = [\"\"]"), "line 8: an app role must not be blank", "\"\""),
        (tenant("domains = [\"common\"]"), "line 4: a domain must be a host name", "common"),
        (
            tenant("personal = true"),
            "line 2: the tenant of personal accounts must have the id 9188040d",
            "a1000000",
        ),
        (person("tenant = \"Y\""), "line 8: there is no tenant \"Y\"", "Y"),
        (person("tenant = \"X\"\ngroups = [\"G\"]"), "line 9: there is no group \"G\"", "G"),
        (person("tenant = \"X\"\nroles = { A = [] }"), "line 9: there is no app \"A\"", "A"),
        (
            app("access_token_version = 3"),
            "line 8: the version of access tokens must be 1 or 2",
            ": 3",
        ),
        (app("access_token_version = 300"), "line 8: invalid value: integer `300`", "300"),
        (app("agent_blueprint = \"B\""), "line 8: there is no app \"B\"", "\"B\""),
        (
            app("agent_blueprint = \"A\""),
            "line 8: \"A\" is an agent itself, so it cannot be a blueprint",
            "agent_blueprint",
        ),
        (
            format!("{}{PLAIN_APP}", person("tenant = \"X\"\nagent_identity = \"P\"")),
            "line 9: \"P\" is not an agent: it has no agent_blueprint",
            "agent_identity",
        ),
        (
            person("tenant = \"X\"\nagent_identity = \"A\""),
            "line 9: there is no app \"A\"",
            "\"A\"",
        ),
        (app("token_issuer = \"HTTPS\""), "line 8: \"HTTPS\" is not an issuer", "HTTPS"),
        (app("token_issuer = \"https://a/b\""), "line 8: \"https://a/b\" is not an", "https://a/b"),
        (app("token_issuer = \"a:8443\""), "line 8: \"a:8443\" is not an issuer", "a:8443"),
        (app("redirect_uris.spa = [\"/x\"]"), "line 8: a redirect URI must be absolute", "/x"),
        (app("app_id_uri = \"x\""), "line 8: an app id URI must be absolute", "\"x\""),
        (app("app_id_uri = []"), "line 8: an API needs at least one app id URI", "[]"),
        (app("app_id_uri = [\"api://a\", \"x\"]"), "line 8: an app id URI must be", "app_id_uri"),
        (app("app_id_uri = 1"), "line 8: an app id URI, or a list of them", "app_id_uri"),
        (
            app("app_id_uri = [\"api://a\", \"API://a/\"]"),
            "line 8: there is another app id URI \"API://a/\"",
            "app_id_uri",
        ),
        (
            app(
                "app_id_uri = \"api://b1000000-0000-4000-8000-000000000003\"\n[[apps]]\nclient_id = \
                 \"b1000000-0000-4000-8000-000000000003\"\nname = \"B\"\ntenant = \"X\"",
            ),
            "line 8: there is another app id URI \"api://b1000000",
            "api://b1000000",
        ),
        (
            app("scopes = [\"read\"]\nadmin_scopes = [\"Read\"]"),
            "line 9: there is another scope \"Read\"",
            "\"Read\"",
        ),
        (app("added_to = [\"Y\"]"), "line 8: there is no tenant \"Y\"", "\"Y\""),
        (
            app("single_tenant = true\nadded_to = [\"Z\"]"),
            "line 9: a single-tenant app cannot be added",
            "\"Z\"",
        ),
        (app("certificates = [\"nowhere.pem\"]"), "line 8: failed to read \"nowhere", "nowhere"),
        (app("certificates = [\"-----BEGIN x\"]"), "line 8: this is not an X.509", "BEGIN"),
        (app("optional_claims = [\"x\"]"), "line 8: unknown variant `x`", "\"x\""),
        (app("permissions = { A = [\"R\"] }"), "line 8: \"A\" declares no app role \"R\"", "\"R\""),
        (
            person_of_another_tenant("roles = { A = [\"R\"] }"),
            "line 19: \"A\" is a single-tenant app, so it exists only in \"X\"",
            "\"A\": [",
        ),
        (
            person_of_another_tenant("roles = { A = [] }"),
            "line 19: \"A\" is a single-tenant app",
            "\"A\": [",
        ),
        (
            format!("{}{FOREIGN_JOB}", person_of_another_tenant("")),
            "line 26: \"A\" is a single-tenant app",
            "\"A\": [",
        ),
        (format!("{}{}", tenant(""), tenant("")), "line 6: there is another id", "a1000000"),
        (
            format!("{}{MEMBER}", app("")),
            "line 16: there is another entry for the app \"a1000000",
            "a1000000-0000-4000-8000-000000000003\": [",
        ),
    ]
}

#[track_caller]
fn assert_reported(read: Result<Directory, DirectoryError>, expected: &str) {
    let error = read.unwrap_err();
    let DirectoryError::Faults(faults) = &error else { panic!("{error}") };
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|fault| fault.starts_with(expected)), "{expected}: {told:?}");
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!error.to_string().contains("struct "), "it names a type of the code: {error}");
}

#[test]
fn every_fault_in_toml_is_reported_with_its_line() {
    for (text, expected, _) in faulty() {
        assert_reported(Directory::parse(&text, Path::new("")), expected);
    }
    assert_reported(Directory::parse("[[tenants]\n", Path::new("")), "line 1: ");
}

#[test]
fn every_fault_in_json_is_reported_with_its_line() {
    for (text, expected, place) in faulty() {
        let json = as_json(&text);
        let before = &json[..json.rfind(place).unwrap()];
        let (_, expected) = expected.split_once(": ").unwrap();
        let expected = format!("line {}: {expected}", before.matches('\n').count() + 1);
        assert_reported(Directory::parse_json(&json, Path::new("")), &expected);
    }
}

#[test]
fn invalid_json_is_reported_with_its_line() {
    for (text, expected) in [
        ("", "line 1: EOF while parsing a value"),
        ("{\n\"tenants\": [],\n}", "line 3: trailing comma"),
        ("{\n\"tenants\" = []\n}", "line 2: expected `:`"),
        ("{\n\"tenants\": [] # none\n}", "line 2: expected `,` or `}`"),
        ("{\n\"tenants\":\n['x']}", "line 3: expected value"),
        ("{\"tenants\": []}\n{}", "line 2: trailing characters"),
        ("{\"tenants\":\n[\"\\ud800\"]}", "line 2: unexpected end of hex escape"),
        ("{\"tenants\": [],\n\"groups\": null}", "line 2: null is not allowed"),
        ("{\"tenants\": [],\n\"tenants\": []}", "line 2: duplicate key"),
    ] {
        assert_reported(Directory::parse_json(text, Path::new("")), expected);
    }
}

#[test]
fn escapes_in_json_strings_are_decoded() {
    // All kinds of line breaks, escapes that TOML does not have, and colons in strings.
    let text = "\r\n\n{ \"tenants\" : [ { \"id\": \"a1000000-0000-4000-8000-000000000001\",\r\n\t\
                \"n\\u0061me\": \"X: null\" } ],\n \"people\": [{\"name\": \"\\u00e9\u{e9}\", \
                \"display_name\": \"\\ud83d\\ude00\\/\\\\\\\"#='\", \
                \"sign_in_name\": \"n@x\", \"oid\": \"a1000000-0000-4000-8000-000000000002\", \
                \"tenant\": \"X: null\"}] }\n\n";
    let directory = Directory::parse_json(text, Path::new("")).unwrap();
    let [person] = directory.people() else { panic!("{directory:?}") };
    assert_eq!(person.display_name, "\u{1f600}/\\\"#='");
    assert_eq!(person.name, "éé");
}

#[test]
fn all_faults_are_reported_together() {
    let text = format!("{}\n{}", tenant("domains = [\"UPPER\"]"), person("tenant = \"Y\""));
    let DirectoryError::Faults(faults) = Directory::parse(&text, Path::new("")).unwrap_err() else {
        panic!("it was accepted")
    };
    let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
    assert!(lines.contains(&4) && lines.len() > 2, "{faults:?}");
    assert!(lines.is_sorted());
}

#[test]
fn a_missing_file_is_named_in_the_error() {
    let error = Directory::read(Path::new("nowhere.toml")).unwrap_err();
    assert!(matches!(error, DirectoryError::Read { .. }));
    assert!(error.to_string().contains("nowhere.toml"), "{error}");
}

#[test]
fn the_built_in_directory_is_valid() {
    let directory = Directory::parse(Directory::EXAMPLE, Path::new("")).unwrap();
    let names: Vec<_> = directory.people().iter().map(|person| person.name.as_str()).collect();
    for name in ["ada", "uma", "ulf", "noel", "gus", "pia", "tia"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(Directory::default().people().len(), names.len());
}

#[test]
fn the_built_in_directory_is_the_same_in_json() {
    let directory = Directory::parse_json(&as_json(Directory::EXAMPLE), Path::new("")).unwrap();
    assert_eq!(format!("{directory:#?}"), format!("{:#?}", Directory::default()));
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

/// A person of a tenant other than that of a single-tenant app.
fn person_of_another_tenant(more: &str) -> String {
    let app = app("single_tenant = true\napp_roles = [\"R\"]");
    let tenant = "[[tenants]]\nid = \"a1000000-0000-4000-8000-000000000004\"\nname = \"Y\"\n";
    let person = "[[people]]\nname = \"n\"\nsign_in_name = \"n@y\"\ndisplay_name = \"N\"\n\
                  oid = \"a1000000-0000-4000-8000-000000000005\"\ntenant = \"Y\"\n";
    format!("{app}{tenant}{person}{more}\n")
}

const PLAIN_APP: &str = r#"
[[apps]]
client_id = "a1000000-0000-4000-8000-000000000007"
name = "P"
tenant = "X"
"#;

/// A person with two entries for one app.
const MEMBER: &str = r#"
[[people]]
name = "n"
sign_in_name = "n@x"
display_name = "N"
oid = "a1000000-0000-4000-8000-000000000005"
tenant = "X"
roles = { A = [], a1000000-0000-4000-8000-000000000003 = [] }
"#;

const FOREIGN_JOB: &str = r#"
[[apps]]
client_id = "a1000000-0000-4000-8000-000000000006"
name = "J"
tenant = "Y"
single_tenant = true
permissions = { A = ["R"] }
"#;
