//! Foreign issuers over HTTPS, with a certificate authority of their own.

use std::fs;

use entra_dev::{
    DevTenant, Directory, Forgery, Options, Scheme,
    ids::{API_CLIENT_ID, CONTOSO},
};
use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Answer, EntraDev, Form, SUBJECT, TOKEN_EXCHANGE, TestTenant, command};

const DEPLOYER: &str = "f3000000-0000-4000-8000-000000000001";

/// Another development tenant, which issues its tokens over HTTPS.
async fn foreign_issuer() -> (DevTenant, String) {
    let options = Options { access_token_issuer: Scheme::Https.into(), ..Options::ephemeral() };
    let foreign = DevTenant::start_with(options).await.unwrap();
    let issuer = format!("{}/{CONTOSO}/v2.0", foreign.https_url().unwrap());
    (foreign, issuer)
}

/// The program, with an app that trusts the issuer, and with this `SSL_CERT_FILE`.
async fn program_trusting(issuer: &str, ca: Option<&str>) -> EntraDev {
    let folder = TempDir::new().unwrap();
    let directory = format!(
        "{}\n[[apps]]\nclient_id = \"{DEPLOYER}\"\nname = \"Deployer\"\ntenant = \"Contoso\"\n\
         federated_credentials = [{{ issuer = \"{issuer}\", subject = \"{SUBJECT}\" }}]\n",
        Directory::EXAMPLE
    );
    fs::write(folder.path().join("directory.toml"), directory).unwrap();
    let mut command = command(&folder);
    command.args(["--port", "0", "--https-port", "0", "--config", "directory.toml"]);
    if let Some(ca) = ca {
        fs::write(folder.path().join("foreign-ca.pem"), ca).unwrap();
        command.env("SSL_CERT_FILE", folder.path().join("foreign-ca.pem"));
    }
    EntraDev::start_command(folder, command).await
}

/// Asks the program for a token with a token of the foreign issuer.
async fn present(program: &EntraDev, foreign: &DevTenant) -> Answer {
    let mut forgery = Forgery::of("uma");
    forgery.claims = json!({ "aud": TOKEN_EXCHANGE, "sub": SUBJECT }).as_object().unwrap().clone();
    let form = Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", DEPLOYER)
        .with("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .with("client_assertion", &foreign.forge(&forgery).unwrap())
        .with("scope", &format!("{API_CLIENT_ID}/.default"));
    let url = format!("{}/{CONTOSO}/oauth2/v2.0/token", program.url);
    let client = Client::builder().no_proxy().build().unwrap();
    Answer::of(form.on(client.post(url))).await
}

#[tokio::test]
async fn an_issuer_over_https_is_trusted_through_ssl_cert_file() {
    let (foreign, issuer) = foreign_issuer().await;
    let program = program_trusting(&issuer, foreign.ca_certificate()).await;
    let answer = present(&program, &foreign).await;
    let claims = TestTenant::claims(&answer.token("access_token"));
    assert_eq!(claims["azp"], DEPLOYER);
    assert!(claims["iss"].as_str().unwrap().starts_with(&program.url), "{claims}");
    foreign.stop().await;
}

#[tokio::test]
async fn an_issuer_whose_certificate_authority_is_unknown_is_not_asked_for_keys() {
    let (foreign, issuer) = foreign_issuer().await;
    let (other, _) = foreign_issuer().await;
    for (ca, cause) in [
        (None, "UnknownIssuer. Start the tenant with SSL_CERT_FILE"),
        (other.ca_certificate(), "BadSignature. Start the tenant with SSL_CERT_FILE"),
        (Some("not a certificate"), "CA certificates"),
    ] {
        let program = program_trusting(&issuer, ca).await;
        let answer = present(&program, &foreign).await;
        answer.assert_refusal(400, "invalid_request", 501_661);
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.contains(cause), "{ca:?}: {description}");
        assert!(description.contains(&issuer), "{description}");
    }
    foreign.stop().await;
    other.stop().await;
}
