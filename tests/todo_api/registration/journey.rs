//! The whole journey: from nothing to a protected API, without a real tenant.

use std::{
    fs,
    process::{Child, ExitStatus},
};

use entra_dev::{DevTenant, Directory};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::{
    register::Setup,
    support::{Launch, client, free_ports, tenant_folder, test_name, wait_until},
};

const REDIRECT: &str = "http://localhost:8000/oauth2-redirect";
const ARGUMENTS: [&str; 2] = ["--assign", "ada@contoso.example=Admin"];

/// A server that is killed at the end of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _: std::io::Result<ExitStatus> = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_api_serves_people_who_sign_in() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&ARGUMENTS).assert_done();

    // The development tenant gets the same registrations.
    let preview = setup.run(&[&["--dry-run", "--format", "entra-dev"], &ARGUMENTS[..]].concat());
    preview.assert_done();
    let file = setup.folder.path().join("directory.toml");
    fs::write(&file, &preview.stdout).unwrap();
    let options = entra_dev::Options {
        directory: Directory::read(&file).unwrap(),
        data_dir: Some(tenant_folder()),
        ..entra_dev::Options::ephemeral()
    };
    let tenant = DevTenant::start_with(options).await.unwrap();

    // All settings but the address of the tenant are those that the command wrote.
    let [port] = free_ports().map(|port| port.to_string());
    let launch =
        Launch::default().with("AAD_INSTANCE", tenant.base_url()).with("PORT", port.as_str());
    let doctor = launch.run(setup.folder.path(), &["doctor"]);
    let report = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(0), "{report}");
    assert!(report.contains("All 12 checks are OK."), "{report}");

    let _server = Server(launch.begin(setup.folder.path(), &["serve"]));
    let url = format!("http://localhost:{port}");
    let client = client();
    wait_until("the server is ready", async || {
        let answer = client.get(format!("{url}/health/ready")).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    })
    .await;
    let token = sign_in(&setup, &tenant).await;
    let todo = json!({ "item": { "name": "Walk the dog" } });
    let create = client.post(format!("{url}/todoitems")).bearer_auth(&token);
    let create = create.header(header::CONTENT_TYPE, "application/json").body(todo.to_string());
    assert_eq!(create.send().await.unwrap().status(), StatusCode::CREATED);
    // Ada got the role Admin.
    let delete = client.delete(format!("{url}/todoitems")).bearer_auth(&token);
    assert_eq!(delete.send().await.unwrap().status(), StatusCode::NO_CONTENT);

    let before = setup.env();
    setup.graph.forget();
    let again = setup.run(&ARGUMENTS);
    again.assert_done();
    assert!(again.stdout.contains("Nothing changed: "), "{again:#?}");
    assert_eq!(setup.graph.writes().len(), 0, "{:#?}", setup.graph.writes());
    assert_eq!(setup.env(), before);
}

/// Ada's access token: the authorization code flow with PKCE, with the verifier and the challenge of
/// RFC 7636, appendix B.
async fn sign_in(setup: &Setup, tenant: &DevTenant) -> String {
    let endpoint = format!("{}/{}/oauth2/v2.0", tenant.base_url(), setup.setting("AAD_TENANT_ID"));
    let client_id = setup.setting("SWAGGER_UI_CLIENT_ID");
    let scope = format!("api://{}/access_as_user", setup.setting("API_CLIENT_ID"));
    let authorize = [
        ("client_id", client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", &scope),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("account", "ada"),
    ];
    let request = client().post(format!("{endpoint}/authorize")).form(&authorize);
    let response = request.send().await.unwrap();
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    let location = url::Url::parse(location).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", &client_id),
        ("redirect_uri", REDIRECT),
        ("code", &code),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let request = client().post(format!("{endpoint}/token")).form(&exchange);
    let request = request.header(header::ORIGIN, "http://localhost:8000");
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
