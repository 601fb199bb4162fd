//! Faults of the authority, of the way to it, and of the clock.

use std::{future, time::Duration};

use entra_dev::{DevTenant, Directory, Options, ids::CONTOSO};
use poem::{EndpointExt, IntoResponse, endpoint::make_sync, http::StatusCode, web::Json};
use poem_entra::{Clock, SystemClock};
use serde_json::json;
use todo_api::{listener::Listener, tls::Tls, workers::Workers};

use crate::support::{Fault, FaultyAuthority, TlsFiles, free_ports, gateway};

use super::{Report, serve};

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_cannot_be_used_is_a_fault() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (fault, name, detail, fix) in [
        (Fault::Down, "discovery", "the authority could not be reached", "Check AAD_INSTANCE"),
        (Fault::Broken, "discovery", "responded with 500", "try again later"),
        (Fault::Redirect, "discovery", "responded with 302", "the redirect leads to"),
        (Fault::WebPage, "discovery", "not a JSON object", "the sign-in page of a network"),
        (Fault::WrongContent, "discovery", "not a JSON object", "Correct AAD_INSTANCE"),
        (Fault::Huge, "discovery", "larger than 256 KiB", "Correct AAD_INSTANCE"),
        (
            Fault::WrongIssuer,
            "issuer",
            "issuer \"https://login.microsoftonline.com/common/v2.0\" is not an issuer of this",
            "must belong to the same cloud and tenant",
        ),
    ] {
        let authority = FaultyAuthority::new();
        let launch = serve(&authority.start(tenant.base_url(), Some(fault)).await);
        let report = Report::of(&launch, folder.path(), &[]);
        report.assert_one_fault("fail", name, detail, fix);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fix_fits_the_status_and_the_check_fits_the_document() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (gateway_fix, later) = ("such as a gateway or the sign-in page", "try again later");
    let keys_fix = "but the keys at its jwks_uri are not";
    for (document, name, status, fix) in [
        ("openid-configuration", "discovery", 204, gateway_fix),
        ("openid-configuration", "discovery", 401, gateway_fix),
        ("openid-configuration", "discovery", 403, gateway_fix),
        ("openid-configuration", "discovery", 407, gateway_fix),
        ("openid-configuration", "discovery", 404, "There is no such tenant"),
        ("openid-configuration", "discovery", 429, later),
        ("openid-configuration", "discovery", 503, later),
        ("keys", "keys", 204, keys_fix),
        ("keys", "keys", 302, keys_fix),
        ("keys", "keys", 401, keys_fix),
        ("keys", "keys", 404, keys_fix),
        ("keys", "keys", 503, later),
    ] {
        let authority = gateway(tenant.base_url(), move |_, found| match found.name == document {
            true => StatusCode::from_u16(status).unwrap().into_response(),
            false => Json(found.body).into_response(),
        })
        .await;
        let report = Report::of(&serve(&authority), folder.path(), &[]);
        let detail = format!("responded with {status} instead of 200");
        report.assert_one_fault("fail", name, &detail, fix);
        let given = report.checks().iter().find(|check| check["status"] == "fail").unwrap();
        let other = ["no such tenant", gateway_fix, later, keys_fix].into_iter();
        let other = other.filter(|text| !fix.contains(text));
        let wrong: Vec<_> = other.filter(|o| given["fix"].as_str().unwrap().contains(o)).collect();
        assert!(wrong.is_empty(), "{status}: {wrong:?}");
    }
    for (body, detail) in [
        (json!({ "keys": [] }), "none of the key set's 0 entries is an RSA signing key"),
        (json!({ "keys": 1 }), "the key set has no `keys` array"),
        (json!([]), "the key set has no `keys` array"),
    ] {
        let authority = gateway(tenant.base_url(), move |_, found| {
            let is_key_set = found.name == "keys";
            Json(if is_key_set { body.clone() } else { found.body }).into_response()
        })
        .await;
        let report = Report::of(&serve(&authority), folder.path(), &[]);
        report.assert_one_fault("fail", "keys", detail, keys_fix);
    }
    let [closed] = free_ports();
    let authority = gateway(tenant.base_url(), move |_, mut found| {
        if found.name == "openid-configuration" {
            found.body["jwks_uri"] = format!("http://127.0.0.1:{closed}/keys").into();
        }
        Json(found.body).into_response()
    })
    .await;
    let report = Report::of(&serve(&authority), folder.path(), &[]);
    let fix = "Check the jwks_uri of the discovery document, and that this machine can reach it. If \
               it must use a proxy, set HTTPS_PROXY";
    report.assert_one_fault("fail", "keys", "the authority could not be reached", fix);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_does_not_exist_is_a_fault() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = serve(tenant.base_url());
    let launch = launch.with("AAD_TENANT_ID", "12345678-1234-4234-8234-123456789012");
    let report = Report::of(&launch, folder.path(), &[]);
    let fix = "There is no such tenant, so correct AAD_TENANT_ID";
    report.assert_one_fault("fail", "discovery", "responded with 400 instead of 200", fix);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_and_a_proxy_are_faults_of_the_way_to_the_authority() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let options = Options { data_dir: Some(data.path().to_owned()), ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    let ca = tenant.ca_file().unwrap().to_str().unwrap();
    let untrusted = serve(tenant.https_url().unwrap());
    let trusted = untrusted.clone().with("SSL_CERT_FILE", ca);
    Report::of(&trusted, folder.path(), &[]).assert_ok();

    let report = Report::of(&untrusted, folder.path(), &[]);
    report.assert_one_fault("fail", "discovery", "invalid peer certificate", "Check AAD_INSTANCE");

    let [closed] = free_ports();
    let proxy = format!("http://user:secret@127.0.0.1:{closed}");
    let proxied = trusted.clone().with("HTTPS_PROXY", proxy);
    let report = Report::of(&proxied, folder.path(), &[]);
    let fix = format!("Check that the proxy http://127.0.0.1:{closed}/ is running");
    report.assert_one_fault("fail", "discovery", "the authority could not be reached", &fix);
    assert!(!report.json.to_string().contains("secret"), "{report:#?}");
    Report::of(&proxied.with("NO_PROXY", "localhost"), folder.path(), &[]).assert_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_only_the_keys_need_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles::new("127.0.0.1");
    let tls = Tls::read(files.certificate.as_ref(), files.key.as_ref()).unwrap();
    let listener = Listener::bind("127.0.0.1", 0).await.unwrap().with_tls(Some(tls));
    let instance = listener.url();
    let discovery = json!({
        "issuer": format!("{instance}/{CONTOSO}/v2.0"),
        "jwks_uri": "https://keys.example/keys",
    });
    let discovery = make_sync(move |_| Json(discovery.clone())).map_to_response().boxed();
    tokio::spawn(listener.serve(discovery, Workers::current(), Duration::ZERO, future::pending()));

    let [closed] = free_ports();
    let launch = serve(&instance)
        .with("SSL_CERT_FILE", &files.authority.file)
        .with("HTTPS_PROXY", format!("http://127.0.0.1:{closed}"))
        .with("NO_PROXY", "127.0.0.1");
    let report = Report::of(&launch, folder.path(), &[]);
    let fix = format!("Check that the proxy http://127.0.0.1:{closed}/ is running");
    report.assert_one_fault("fail", "keys", "the authority could not be reached", &fix);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_differs_from_the_authoritys_is_a_fault() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (offset, status, detail) in [
        (600, "fail", " s behind the authority's; TOKEN_LEEWAY is 60 s"),
        (-600, "fail", " s ahead of the authority's; TOKEN_LEEWAY is 60 s"),
        (30, "warn", " s behind the authority's"),
        (-30, "warn", " s ahead of the authority's"),
    ] {
        let authority = gateway(tenant.base_url(), move |_, document| {
            let now = SystemClock.now().saturating_add_signed(offset);
            let date = httpdate(now);
            Json(document.body).with_header("date", date).into_response()
        })
        .await;
        let report = Report::of(&serve(&authority), folder.path(), &[]);
        report.assert_one_fault(status, "clock", detail, "Synchronize the clock");
    }
}

/// The time in the format of HTTP.
fn httpdate(seconds: u64) -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

#[tokio::test(flavor = "multi_thread")]
async fn own_signing_keys_need_a_setting() {
    let name = "name = \"Todo API\"\n";
    let directory = Directory::EXAMPLE.replace(name, &format!("{name}own_signing_key = true\n"));
    let directory = Directory::parse(&directory, "".as_ref()).unwrap();
    let options = Options { directory, ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = serve(tenant.base_url());
    let report = Report::of(&launch, folder.path(), &[]);
    let detail = "the authority publishes a signing key for this API only (";
    report.assert_one_fault("warn", "own_signing_keys", detail, "Set CLAIMS_MAPPING=true.");
    let launch = launch.with("CLAIMS_MAPPING", "true");
    Report::of(&launch, folder.path(), &[]).assert_ok();
}
