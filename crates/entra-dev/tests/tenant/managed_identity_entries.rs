//! The entries of managed identities and federated credentials in a directory.

use std::path::Path;

use entra_dev::{Directory, Edit};
use serde_json::{Value, json};

use crate::support::TestTenant;

/// Every field, in the form in which it is exported.
const ENTRIES: &str = r#"
[[apps]]
client_id = "f4000000-0000-4000-8000-000000000001"
name = "Runner"
tenant = "Fabrikam"
managed_identity = "system-assigned"
resource_id = "/subscriptions/s/resourcegroups/g/providers/Microsoft.Compute/virtualMachines/runner"

[[apps]]
client_id = "f4000000-0000-4000-8000-000000000002"
name = "Builder"
tenant = "Contoso"
managed_identity = "user-assigned"
federated_credentials = [{ issuer = "https://issuer.example/", subject = "build" }]

[[apps]]
client_id = "f4000000-0000-4000-8000-000000000003"
name = "Deployer"
tenant = "Contoso"
trusted_managed_identities = ["Builder"]

[[apps.federated_credentials]]
issuer = "http://localhost:9999/issuer"
subject = "deploy"

[[apps.federated_credentials]]
issuer = "https://issuer.example/"
subject = "deploy: \"main\""
audiences = ["https://contoso.example"]
"#;

/// The faults of the built-in directory with these additional entries.
#[track_caller]
fn faults(entries: &str) -> String {
    let text = format!("{}\n{entries}", Directory::EXAMPLE);
    Directory::parse(&text, Path::new("")).unwrap_err().to_string()
}

fn app(fields: &str) -> String {
    format!(
        "[[apps]]\nclient_id = \"f4000000-0000-4000-8000-000000000009\"\nname = \"New\"\n\
         tenant = \"Contoso\"\n{fields}\n"
    )
}

#[test]
fn an_exported_directory_is_the_same_in_both_formats() {
    let text = format!("{}\n{ENTRIES}", Directory::EXAMPLE);
    let directory = Directory::parse(&text, Path::new("")).unwrap();
    let exported = directory.to_toml();
    for line in [
        "managed_identity = \"user-assigned\"",
        "trusted_managed_identities = [\"Builder\"]",
        "[[apps.federated_credentials]]",
        "audiences = [\"https://contoso.example\"]",
    ] {
        assert!(exported.contains(line), "{line}:\n{exported}");
    }
    assert_eq!(exported.matches("audiences").count(), 1, "the default is left out:\n{exported}");
    let again = Directory::parse(&exported, Path::new("")).unwrap();
    assert_eq!(again.to_json(), directory.to_json());
    let json = directory.to_json().to_string();
    let again = Directory::parse_json(&json, Path::new("")).unwrap();
    assert_eq!(again.to_toml(), exported);
    let deployer = &directory.to_json()["apps"];
    let deployer = deployer.as_array().unwrap().last().unwrap().clone();
    let audiences = &deployer["federated_credentials"][0]["audiences"];
    assert_eq!(*audiences, json!(["api://AzureADTokenExchange"]), "JSON has the default");
}

#[test]
fn faults_in_managed_identities_are_named() {
    for (fields, text) in [
        ("managed_identity = \"vm\"", "write \"system-assigned\" or \"user-assigned\""),
        ("managed_identity = true", "invalid type: boolean `true`, expected a string"),
        ("resource_id = \"/subscriptions/s\"", "only a managed identity has a resource_id"),
        (
            "managed_identity = \"user-assigned\"\nresource_id = \"vm\"",
            "a resource_id begins with /subscriptions/ and has no spaces",
        ),
        (
            "managed_identity = \"user-assigned\"\nresource_id = \"/subscriptions/a b\"",
            "a resource_id begins with /subscriptions/ and has no spaces",
        ),
        (
            "managed_identity = \"system-assigned\"",
            "there is another system-assigned identity in this tenant",
        ),
        (
            "managed_identity = \"user-assigned\"\nresource_id = \"/subscriptions/00000000-0000-0000-\
             0000-000000000000/resourceGroups/development/providers/Microsoft.ManagedIdentity/\
             userAssignedIdentities/todo-maintenance\"",
            "there is another resource_id \"/subscriptions/",
        ),
        (
            "managed_identity = \"system-assigned\"\n\
             federated_credentials = [{ issuer = \"https://a.example\", subject = \"s\" }]",
            "a system-assigned identity cannot have federated credentials",
        ),
    ] {
        let faults = faults(&app(fields));
        assert!(faults.contains(text), "{fields}: {faults}");
    }
    for field in [
        "access_token_version = 1",
        "added_to = [\"Fabrikam\"]",
        "admin_scopes = [\"s\"]",
        "agent_blueprint = \"Todo API\"",
        "app_id_uri = \"api://a\"",
        "app_roles = [\"r\"]",
        "assignment_required = true",
        "consent_required = true",
        "expired_secrets = [\"s\"]",
        "id_token_issuance = true",
        "optional_claims = [\"idtyp\"]",
        "own_signing_key = true",
        "public_client = true",
        "redirect_uris.web = [\"http://localhost/a\"]",
        "scopes = [\"s\"]",
        "secrets = [\"s\"]",
        "token_issuer = \"https\"",
        "trusted_managed_identities = [\"Todo maintenance\"]",
    ] {
        let faults = faults(&app(&format!("managed_identity = \"user-assigned\"\n{field}")));
        let name = field.split(['.', ' ']).next().unwrap();
        let text = format!("a managed identity cannot have {name}");
        assert!(faults.contains(&text), "{field}: {faults}");
    }
}

#[test]
fn faults_in_trust_are_named() {
    let issuer = "an issuer must be a URL with https, or with http on this machine";
    let credential = |fields: &str| app(&format!("federated_credentials = [{fields}]"));
    let long = "s".repeat(601);
    for (fields, text) in [
        ("{ issuer = \"issuer.example\", subject = \"s\" }", issuer),
        ("{ issuer = \"http://issuer.example\", subject = \"s\" }", issuer),
        ("{ issuer = \"http://localhost.evil.example\", subject = \"s\" }", issuer),
        ("{ issuer = \"http://10.0.0.1\", subject = \"s\" }", issuer),
        ("{ issuer = \"file:///keys\", subject = \"s\" }", issuer),
        ("{ issuer = \"https://issuer.example/?a\", subject = \"s\" }", issuer),
        ("{ issuer = \"https://issuer.example/#a\", subject = \"s\" }", issuer),
        ("{ issuer = \"https://me@issuer.example/\", subject = \"s\" }", issuer),
        ("{ issuer = \"https://a.example\", subject = \"\" }", "between 1 and 600 characters"),
        (
            &format!("{{ issuer = \"https://a.example\", subject = \"{long}\" }}"),
            "between 1 and 600 characters",
        ),
        (
            "{ issuer = \"https://a.example\", subject = \"s\", audiences = [] }",
            "there must be exactly one audience",
        ),
        (
            "{ issuer = \"https://a.example\", subject = \"s\", audiences = [\"a\", \"b\"] }",
            "there must be exactly one audience",
        ),
        ("{ issuer = \"https://a.example\" }", "missing field `subject`"),
        ("{ subject = \"s\" }", "missing field `issuer`"),
        ("{ issuer = 1, subject = \"s\" }", "expected a string"),
        (
            "{ issuer = \"https://a.example\", subject = \"s\", name = \"n\" }",
            "unknown field `name`",
        ),
        ("[\"https://a.example\", \"s\"]", "invalid type: sequence, expected a table"),
        (
            "{ issuer = \"https://a.example\", subject = \"s\" }, \
             { issuer = \"https://a.example\", subject = \"s\", audiences = [\"a\"] }",
            "there is another federated credential with this issuer and subject",
        ),
    ] {
        let faults = faults(&credential(fields));
        assert!(faults.contains(text), "{fields}: {faults}");
    }
    let many = |count: usize| {
        let all = (0..count)
            .map(|number| format!("{{ issuer = \"https://a.example\", subject = \"{number}\" }}"));
        credential(&all.collect::<Vec<_>>().join(", "))
    };
    assert!(faults(&many(21)).contains("cannot have more than 20 federated credentials"));
    let text = format!("{}\n{}", Directory::EXAMPLE, many(20));
    assert!(Directory::parse(&text, Path::new("")).is_ok());
    for (name, text) in [
        ("Nobody", "there is no app \"Nobody\""),
        ("Nightly job", "\"Nightly job\" is not a user-assigned managed identity"),
        ("Todo worker", "\"Todo worker\" is not a user-assigned managed identity"),
    ] {
        let faults = faults(&app(&format!("trusted_managed_identities = [\"{name}\"]")));
        assert!(faults.contains(text), "{name}: {faults}");
    }
    let foreign = app("trusted_managed_identities = [\"Todo maintenance\"]");
    let faults = faults(&foreign.replace("Contoso", "Fabrikam"));
    assert!(faults.contains("is in another tenant than the app that trusts it"), "{faults}");
}

#[tokio::test]
async fn a_request_with_a_faulty_entry_changes_nothing_and_says_where_the_fault_is() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let before = tenant.get_json("/_dev/directory").await;
    let apps = "/_dev/directory/apps";
    let credentials = format!("{apps}/Deployer/federated_credentials");
    let post = async |path: &str, body: Value| tenant.post_json(path, &body).await;
    for (answer, status, pointer, detail) in [
        (
            post(&credentials, json!({ "issuer": "http://a.example", "subject": "s" })).await,
            400,
            "#/issuer",
            "an issuer must be a URL",
        ),
        (
            post(&credentials, json!({ "issuer": "https://a.example", "subject": 1 })).await,
            400,
            "#/subject",
            "expected a string",
        ),
        (post(&credentials, json!("text")).await, 400, "#", "expected"),
        (
            post(&format!("{apps}/Todo%20worker/secrets"), json!("secret")).await,
            400,
            "apps/Todo worker/managed_identity",
            "a managed identity cannot have secrets",
        ),
        (
            tenant
                .patch_json(&format!("{apps}/Deployer"), &json!({ "managed_identity": "vm" }))
                .await,
            400,
            "#/managed_identity",
            "\"vm\" is not a managed identity",
        ),
        (
            tenant
                .put_json(&format!("{apps}/Builder/managed_identity"), &json!("system-assigned"))
                .await,
            400,
            "apps/Deployer/trusted_managed_identities/Builder",
            "is not a user-assigned managed identity",
        ),
    ] {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let errors = answer.json()["errors"].as_array().unwrap().clone();
        let found = errors.iter().any(|error| {
            error["pointer"] == pointer && error["detail"].as_str().unwrap().contains(detail)
        });
        assert!(found, "{pointer} {detail}: {}", answer.body);
    }
    let missing = tenant.delete(&format!("{credentials}/nobody")).await;
    assert_eq!(missing.status, 404, "{}", missing.body);
    assert!(
        missing.body.contains("there is no \\\"nobody\\\" in apps/Deployer"),
        "{}",
        missing.body
    );
    assert_eq!(tenant.get_json("/_dev/directory").await, before);
}

#[test]
fn trust_follows_the_identity() {
    let text = format!("{}\n{ENTRIES}", Directory::EXAMPLE);
    let directory = Directory::parse(&text, Path::new("")).unwrap();
    let trusted = |directory: &Directory| {
        let apps = directory.to_json()["apps"].as_array().unwrap().clone();
        let deployer = apps.into_iter().find(|app| app["name"] == "Deployer").unwrap();
        deployer["trusted_managed_identities"].clone()
    };
    let renamed = directory.edit(&Edit::patch(["apps", "Builder"], json!({ "name": "Maker" })));
    assert_eq!(trusted(&renamed.unwrap()), json!(["Maker"]));
    let removed = directory.edit(&Edit::remove(["apps", "Builder"])).unwrap();
    assert_eq!(trusted(&removed), json!([]));
}

#[tokio::test]
async fn the_page_shows_identities_and_trust() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let page = tenant.dev_page().await;
    for text in [
        "system-assigned managed identity",
        "user-assigned managed identity",
        "tokens of <code>http://localhost:9999/issuer</code> for <code>deploy</code>",
        "tokens of Builder",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let page = tenant.get("/_dev/apps/bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb").await.body;
    let endpoint = tenant.url("/11111111-1111-4111-8111-111111111111/msi/token");
    for text in [
        &format!("IDENTITY_ENDPOINT={endpoint}"),
        "IDENTITY_HEADER=dev-identity-header",
        &format!("AZURE_POD_IDENTITY_AUTHORITY_HOST={}", tenant.tenant.base_url()),
        "AZURE_CLIENT_ID=bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
        "userAssignedIdentities/Todo-maintenance",
    ] {
        assert!(page.contains(text), "{text}:\n{page}");
    }
}

#[test]
fn the_entries_in_the_page_about_identities_are_valid() {
    let page = include_str!("../../docs/IDENTITIES.md");
    let blocks = page.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let blocks: Vec<_> = blocks.collect();
    assert_eq!(blocks.len(), 4);
    let text = format!("{}\n{}", Directory::EXAMPLE, blocks.concat());
    let directory = Directory::parse(&text, Path::new("")).unwrap();
    assert!(directory.contains("f3000000-0000-4000-8000-000000000002"));
}
