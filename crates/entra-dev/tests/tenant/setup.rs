//! What an app needs in each language.

use entra_dev::{Directory, Edit, Language, Options, ids::CONTOSO, setup};
use serde_json::json;

use crate::support::{AGENT, TestTenant, output_of, run_to_end};

/// What each language needs: trust, and instance discovery turned off.
const NEEDS: [(&str, &[&str]); 6] = [
    (
        "dotnet",
        &[
            "SSL_CERT_FILE=data/dev-tenant/ca.pem",
            "BackchannelHttpHandler is not enough",
            "WithInstanceDiscovery(false)",
            "DisableInstanceDiscovery = true",
            "ConfigureHttpClientDefaults",
            "DelegatingHandler",
            "RequireHttpsMetadata = false and ValidIssuers",
            "MSAL and Azure.Identity refuse http",
            "https://localhost/signin-oidc",
        ],
    ),
    (
        "python",
        &[
            "REQUESTS_CA_BUNDLE=data/dev-tenant/ca.pem",
            "instance_discovery=False",
            "disable_instance_discovery=True",
        ],
    ),
    (
        "node",
        &["NODE_EXTRA_CA_CERTS=data/dev-tenant/ca.pem", "knownAuthorities: [\"localhost:8443\"]"],
    ),
    ("java", &["keytool -importcert", "javax.net.ssl.trustStore", "instanceDiscovery(false)"]),
    ("go", &["SSL_CERT_FILE=data/dev-tenant/ca.pem", "WithInstanceDiscovery(false)"]),
    ("rust", &["SSL_CERT_FILE=data/dev-tenant/ca.pem", "DevTenant::start()"]),
];

#[tokio::test]
async fn the_program_prints_what_apps_need_in_each_language() {
    let folder = tempfile::tempdir().unwrap();
    for (language, needs) in NEEDS {
        let output = run_to_end(&folder, &["--for", language]).await;
        assert!(output.status.success(), "{}", output_of(&output));
        let text = output_of(&output);
        for need in needs {
            assert!(text.contains(need), "{language} lacks {need}:\n{text}");
        }
        for app in ["Todo API", "Nightly job", "Command line", "Single-page app"] {
            assert!(text.contains(&format!("\n{app} (")), "{language} lacks {app}");
        }
        assert!(text.contains(&format!("https://localhost:8443/{CONTOSO}")), "{text}");
        assert!(text.contains("http://localhost/auth/callback (web)"), "{text}");
        assert!(text.contains("Microsoft Graph https://localhost:8443/graph/v1.0\n"), "{text}");
    }
    let one = run_to_end(&folder, &["--for", "python", "--app", "Nightly job"]).await;
    let one = output_of(&one);
    assert!(one.contains("dev-secret") && !one.contains("web-secret"), "{one}");
    assert!(one.contains("api://33333333-3333-4333-8333-333333333333/.default"), "{one}");
    for (arguments, code, text) in [
        (["--for", "cobol", "", ""], 2, "dotnet, python, node, java, go and rust"),
        (["--for", "go", "--app", "Nobody"], 1, "the apps are Todo API"),
    ] {
        let arguments: Vec<_> = arguments.into_iter().filter(|text| !text.is_empty()).collect();
        let output = run_to_end(&folder, &arguments).await;
        assert_eq!(output.status.code(), Some(code));
        assert!(output_of(&output).contains(text), "{}", output_of(&output));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it writes no keys");
}

#[test]
fn an_api_is_told_the_issuer_and_audience_of_its_tokens() {
    let options = Options {
        answer_to: vec!["entra-dev".parse().unwrap()],
        access_token_issuer: "https://entra-dev:8443".parse().unwrap(),
        ..Options::default()
    };
    let text = setup(&options, Language::Node, Some("Todo API")).unwrap();
    for line in [
        "issuer          https://entra-dev:8443/11111111-1111-4111-8111-111111111111/v2.0",
        "audience        33333333-3333-4333-8333-333333333333",
        "authority       https://entra-dev:8443/11111111-1111-4111-8111-111111111111",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let local = setup(&Options::default(), Language::Node, Some("Todo API")).unwrap();
    assert!(local.contains(&format!("issuer          http://localhost:8001/{CONTOSO}/v2.0")));
}

#[tokio::test]
async fn the_page_of_an_app_says_the_same() {
    let tenant = TestTenant::start().await;
    let page = tenant.dev_page().await;
    let path = "/_dev/apps/55555555-5555-4555-8555-555555555555";
    for (language, _) in NEEDS {
        assert!(page.contains(&format!("href=\"{path}#{language}\"")), "{language}");
    }
    let page = tenant.get(path).await;
    page.assert_page("Nightly job");
    let ca = tenant.tenant.ca_file().unwrap().display().to_string();
    for text in [
        "<h2 id=\"java\">Java</h2>",
        &format!("NODE_EXTRA_CA_CERTS={ca}"),
        &format!("{}/{CONTOSO}", tenant.tenant.https_url().unwrap()),
        "dev-secret",
    ] {
        assert!(page.body.contains(text), "lacks {text}:\n{}", page.body);
    }
    assert_eq!(tenant.get("/_dev/apps/nobody").await.status, 404);
}

#[test]
fn a_name_of_an_app_is_found_in_any_case() {
    let text = setup(&Options::default(), Language::Go, Some("nightly JOB")).unwrap();
    assert!(text.contains("dev-secret"), "{text}");
}

#[test]
fn secrets_and_paths_can_be_copied_whatever_they_contain() {
    let secret = r#"a"b\c'd$HOME"#;
    let edit = Edit::put(["apps", "Nightly job", "secrets"], json!([secret]));
    let options = Options {
        directory: Directory::default().edit(&edit).unwrap(),
        data_dir: Some("my data/it's".into()),
        identity_header: "a'b$c".parse().unwrap(),
        ..Options::default()
    };
    for (language, _) in NEEDS {
        let language = language.parse().unwrap();
        let text = setup(&options, language, Some("Nightly job")).unwrap();
        assert!(text.contains(r#""a\"b\\c'd$HOME""#), "{text}");
        assert!(text.contains(r"'my data/it'\''s/ca.pem'"), "{text}");
        let text = setup(&options, language, Some("Todo worker")).unwrap();
        assert!(text.contains(r"export IDENTITY_HEADER='a'\''b$c'"), "{text}");
    }
}

/// Entra redeems a code for a single-page app only if a browser sends it (AADSTS9002327).
#[test]
fn only_javascript_is_told_how_a_single_page_app_signs_people_in() {
    for (language, _) in NEEDS {
        let language = language.parse().unwrap();
        let text = setup(&Options::default(), language, Some("Single-page app")).unwrap();
        let is_node = language == Language::Node;
        assert_eq!(text.contains("PublicClientApplication"), is_node, "{text}");
        assert_eq!(text.contains("see Node.js"), !is_node, "{text}");
        assert_eq!(text.contains("// in a browser:"), is_node, "{text}");
    }
}

#[tokio::test]
async fn an_agent_is_told_how_its_blueprint_authenticates() {
    let tenant = TestTenant::start_with_agent().await;
    let page = tenant.get(&format!("/_dev/apps/{AGENT}")).await.body;
    for text in [
        "blueprint       Research blueprint (f1000000-0000-4000-8000-000000000001)",
        "client_credential=&quot;blueprint-secret&quot;",
        "fmi_path=&quot;f1000000-0000-4000-8000-000000000002&quot;",
        "fmi_path=f1000000-0000-4000-8000-000000000002",
        "client_credential={&quot;client_assertion&quot;: assertion}",
    ] {
        assert!(page.contains(text), "lacks {text}:\n{page}");
    }
}

#[tokio::test]
async fn a_managed_identity_is_told_its_endpoint_and_header() {
    let folder = tempfile::tempdir().unwrap();
    let print = async |arguments: &[&str]| output_of(&run_to_end(&folder, arguments).await);
    let id = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
    for (language, system, user) in [
        ("dotnet", "ManagedIdentityId.SystemAssigned)", "FromUserAssignedClientId(\"<id>\")"),
        ("python", "ManagedIdentityCredential()", "ManagedIdentityCredential(client_id=\"<id>\")"),
        (
            "node",
            "ManagedIdentityCredential()",
            "ManagedIdentityCredential({ clientId: \"<id>\" })",
        ),
        ("java", "CredentialBuilder().build()", ".clientId(\"<id>\").build()"),
        ("go", "NewManagedIdentityCredential(nil)", "azidentity.ClientID(\"<id>\")"),
        ("rust", "X-IDENTITY-HEADER: $IDENTITY_HEADER", "&client_id=<id>"),
    ] {
        let text = print(&["--for", language, "--app", "Todo worker"]).await;
        assert!(text.contains(system), "{language}: {text}");
        assert!(!text.contains("AZURE_CLIENT_ID"), "{language}: {text}");
        for line in [
            &format!("export IDENTITY_ENDPOINT=http://localhost:8001/{CONTOSO}/msi/token"),
            "export IDENTITY_HEADER=dev-identity-header",
            "AZURE_POD_IDENTITY_AUTHORITY_HOST=http://localhost:8001",
            "api://33333333-3333-4333-8333-333333333333/.default",
        ] {
            assert!(text.contains(line), "{language} lacks {line}: {text}");
        }
        let text = print(&["--for", language, "--app", id]).await;
        assert!(text.contains(&user.replace("<id>", id)), "{language}: {text}");
        assert!(text.contains(&format!("export AZURE_CLIENT_ID={id}")), "{language}: {text}");
    }
    let chosen =
        ["--for", "go", "--app", "Todo worker", "--identity-header", "mine", "--port", "9"];
    let text = print(&chosen).await;
    assert!(text.contains("IDENTITY_HEADER=mine\n"), "{text}");
    assert!(text.contains("IDENTITY_ENDPOINT=http://localhost:9/"), "{text}");
    let faulty = print(&["--identity-header", ""]).await;
    assert!(faulty.contains("at least one character"), "{faulty}");
}

#[tokio::test]
async fn an_app_that_trusts_an_issuer_is_told_what_a_program_with_its_token_needs() {
    let folder = tempfile::tempdir().unwrap();
    let entry = "[[apps]]\nclient_id = \"f5000000-0000-4000-8000-000000000001\"\n\
                 name = \"Deployment\"\ntenant = \"Contoso\"\n\
                 trusted_managed_identities = [\"Todo maintenance\"]\n\
                 federated_credentials = [{ issuer = \"https://a.example\", subject = \"s\" }]\n";
    let text = format!("{}\n{entry}", entra_dev::Directory::EXAMPLE);
    std::fs::write(folder.path().join("people.toml"), text).unwrap();
    let arguments = ["--config", "people.toml", "--for", "python", "--app", "Deployment"];
    let text = output_of(&run_to_end(&folder, &arguments).await);
    for line in [
        "trusted issuer  https://a.example",
        "… audience      api://AzureADTokenExchange",
        "trusted app     Todo maintenance (managed identity)",
        "export AZURE_AUTHORITY_HOST=https://localhost:8443",
        "export AZURE_CLIENT_ID=f5000000-0000-4000-8000-000000000001",
        "export AZURE_FEDERATED_TOKEN_FILE=",
    ] {
        assert!(text.contains(line), "lacks {line}: {text}");
    }
    assert!(!text.contains("PublicClientApplication"), "{text}");
}
