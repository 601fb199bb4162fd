//! The development tenant of a test, and the tokens that it issues.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use entra_dev::{DevTenant, Directory, Forgery};
use reqwest::{Client, header};
use serde_json::Value;

use super::{App, TestClock};

/// The registered redirect URI of the docs page. Nothing needs to listen there.
const REDIRECT: &str = "http://localhost:8000/oauth2-redirect";

impl App {
    /// The access token that a person gets by signing in on the docs page.
    pub(crate) async fn token(&self, person: &str) -> String {
        let scope = format!("api://{}/access_as_user", entra_dev::ids::API_CLIENT_ID);
        self.sign_in(person, &scope).await
    }

    /// The same with this scope.
    pub(crate) async fn sign_in(&self, person: &str, scope: &str) -> String {
        let directory = match person {
            "tia" => entra_dev::ids::FABRIKAM,
            "pia" => entra_dev::ids::CONSUMERS,
            _ => entra_dev::ids::CONTOSO,
        };
        let authority = format!("{}/{directory}", self.tenant.base_url());
        sign_in(&self.client, &authority, person, scope, REDIRECT).await
    }

    /// Uma's token with some claims changed, signed by the tenant.
    pub(crate) fn forged(&self, change: impl FnOnce(&mut Value)) -> String {
        let now = self.clock.now();
        let mut claims = serde_json::json!({
            "aud": entra_dev::ids::API_CLIENT_ID,
            "iss": format!("{}/{}/v2.0", self.tenant.base_url(), entra_dev::ids::CONTOSO),
            "iat": now, "nbf": now, "exp": now + 3_600,
            "azp": entra_dev::ids::SWAGGER_UI_CLIENT_ID,
            "oid": "0a000000-0000-4000-8000-000000000002",
            "sub": "uma-at-the-todo-api", "tid": entra_dev::ids::CONTOSO,
            "scp": "access_as_user", "ver": "2.0",
        });
        change(&mut claims);
        self.tenant.forge(&Forgery::exactly(claims)).unwrap()
    }
}

/// The access token that a person of this authority gets by signing in to Swagger UI at this
/// redirect URI: the authorization code flow with PKCE, with the verifier and the challenge of
/// RFC 7636, appendix B.
pub(crate) async fn sign_in(
    client: &Client,
    authority: &str,
    person: &str,
    scope: &str,
    redirect_uri: &str,
) -> String {
    let endpoint = format!("{authority}/oauth2/v2.0");
    let authorize = [
        ("client_id", entra_dev::ids::SWAGGER_UI_CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        ("scope", scope),
        ("state", "state"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("account", person),
    ];
    let request = client.post(format!("{endpoint}/authorize")).form(&authorize);
    let response = request.send().await.unwrap();
    let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let location = url::Url::parse(&location).unwrap();
    let parameter = |name: &str| {
        let found = location.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    assert_eq!(parameter("state").as_deref(), Some("state"), "{location}");
    let code = parameter("code").unwrap();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", entra_dev::ids::SWAGGER_UI_CLIENT_ID),
        ("redirect_uri", redirect_uri),
        ("code", &code),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ];
    let request = client.post(format!("{endpoint}/token")).form(&exchange);
    let origin = url::Url::parse(redirect_uri).unwrap().origin().ascii_serialization();
    let request = request.header(header::ORIGIN, origin);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The tenant's folder. The signing keys are generated once and shared by all tests.
pub(crate) fn tenant_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("dev-tenant")
}

pub(super) async fn start_tenant(directory: Directory, clock: &TestClock) -> DevTenant {
    let options = entra_dev::Options {
        directory,
        data_dir: Some(tenant_folder()),
        spa_redirect_uris: vec![REDIRECT.into()],
        clock: Arc::new(clock.clone()),
        ..entra_dev::Options::ephemeral()
    };
    DevTenant::start_with(options).await.unwrap()
}
