//! The certificate authority of the HTTPS listener.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use entra_dev::{DevTenant, KeyError, Options, StartError};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, SanType};
use reqwest::tls::TlsInfo;
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::support::{NOW, TestTenant, new_folder, trusting};

#[tokio::test]
async fn the_certificate_is_valid_for_every_loopback_name() {
    let tenant = TestTenant::start().await;
    let browser = tenant.secure_browser();
    let port = tenant.https_url("").rsplit(':').next().unwrap().to_owned();
    let mut names = vec!["localhost", "127.0.0.1"];
    if tokio::net::TcpListener::bind("[::1]:0").await.is_ok() {
        names.push("[::1]");
    }
    for name in names {
        let answer = browser.get(format!("https://{name}:{port}/")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn a_client_that_trusts_another_ca_cannot_connect() {
    let tenant = TestTenant::start().await;
    let other = DevTenant::start_with(Options::ephemeral()).await.unwrap();
    assert_ne!(other.ca_certificate(), tenant.tenant.ca_certificate());
    let browser = trusting(other.ca_certificate().unwrap());
    let error = browser.get(tenant.https_url("/")).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    let cause = format!("{error:?}");
    assert!(cause.contains("UnknownIssuer") || cause.contains("BadSignature"), "{cause}");
    other.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_the_ca_and_renews_the_certificate() {
    let folder = new_folder();
    let first = TestTenant::start_in(folder.clone()).await;
    let ca = first.tenant.ca_certificate().unwrap().to_owned();
    let leaf = leaf(&first).await;
    first.tenant.stop().await;
    let second = TestTenant::start_in(folder.clone()).await;
    assert_eq!(second.tenant.ca_certificate(), Some(ca.as_str()));
    assert_ne!(self::leaf(&second).await, leaf);
    second.tenant.stop().await;
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_ca_file_contains_only_the_certificate() {
    let folder = new_folder();
    let tenant = TestTenant::start_in(folder.clone()).await;
    let file = tenant.tenant.ca_file().unwrap();
    assert_eq!(file, folder.join("ca.pem"));
    let content = fs::read_to_string(file).unwrap();
    assert_eq!(Some(content.as_str()), tenant.tenant.ca_certificate());
    assert_eq!(content.matches("-----BEGIN ").count(), 1);
    assert!(content.starts_with("-----BEGIN CERTIFICATE-----"), "{content}");
    // Tools of other users may need it, so it has the default mode.
    let ordinary = folder.join("ordinary");
    fs::write(&ordinary, "").unwrap();
    assert_eq!(
        fs::metadata(file).unwrap().permissions(),
        fs::metadata(ordinary).unwrap().permissions()
    );
    tenant.tenant.stop().await;

    // It is replaced atomically, so a reader never sees a part of it.
    let inode = || fs::metadata(folder.join("ca.pem")).unwrap().ino();
    let before = inode();
    TestTenant::start_in(folder.clone()).await.tenant.stop().await;
    assert_eq!(inode(), before, "an unchanged file is not written");
    fs::write(folder.join("ca.pem"), "").unwrap();
    TestTenant::start_in(folder.clone()).await.tenant.stop().await;
    assert_eq!(fs::read_to_string(folder.join("ca.pem")).unwrap(), content);
    assert_ne!(inode(), before, "it is replaced as a whole");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4, "no temporary file is left");
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_stolen_ca_key_is_useless_for_other_sites() {
    let folder = new_folder();
    let tenant = TestTenant::start_in(folder.clone()).await;
    let ca = der(tenant.tenant.ca_certificate().unwrap());
    let stolen = fs::read_to_string(folder.join("ca-with-key.pem")).unwrap();
    tenant.tenant.stop().await;
    fs::remove_dir_all(folder).unwrap();
    for (name, counts) in [
        ("localhost", true),
        ("app.localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("login.microsoftonline.com", false),
        ("notlocalhost", false),
        ("10.0.0.1", false),
        ("::2", false),
    ] {
        assert_counts(&stolen, &ca, "localhost only", name, counts);
    }
}

#[tokio::test]
async fn the_ca_is_good_for_exactly_the_names_that_were_asked_for() {
    let folder = new_folder();
    let answer_to = ["entra-dev", "tenant.dev.example", "10.0.0.5", "fd00::5"];
    let answer_to = answer_to.map(|name| name.parse().unwrap()).to_vec();
    let options = Options { answer_to, ..Options::ephemeral() };
    let tenant = TestTenant::start_with(folder.clone(), options).await;
    let ca = der(tenant.tenant.ca_certificate().unwrap());
    let stolen = fs::read_to_string(folder.join("ca-with-key.pem")).unwrap();
    tenant.tenant.stop().await;
    fs::remove_dir_all(folder).unwrap();
    let only = "localhost and 10.0.0.5 [fd00::5] entra-dev tenant.dev.example only";
    for (name, counts) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("entra-dev", true),
        ("tenant.dev.example", true),
        ("10.0.0.5", true),
        ("fd00::5", true),
        ("a.entra-dev", false),
        ("a.tenant.dev.example", false),
        ("dev.example", false),
        ("notentra-dev", false),
        ("10.0.0.6", false),
        ("fd00::6", false),
        ("login.microsoftonline.com", false),
    ] {
        assert_counts(&stolen, &ca, only, name, counts);
    }
}

/// Asserts whether a certificate for this name counts if it was issued with a stolen key.
#[track_caller]
fn assert_counts(stolen: &str, ca: &CertificateDer<'_>, only: &str, name: &str, counts: bool) {
    let leaf = certificate_by(stolen, only, name);
    let verified = verify(&leaf, ca);
    assert_eq!(verified.is_ok(), counts, "{name}: {verified:?}");
    if !counts {
        assert_eq!(verified, Err(webpki::Error::NameConstraintViolation), "{name}");
    }
}

#[tokio::test]
async fn a_corrupt_ca_file_is_reported_and_not_changed() {
    let [one, other] = [pair().await, pair().await];
    let begin = one.find("-----BEGIN PRIVATE KEY-----").unwrap();
    let (certificate, key) = one.split_at(begin);
    let (other_certificate, _) = other.split_at(other.find("-----BEGIN PRIVATE KEY-----").unwrap());
    for content in [
        "",
        "nonsense",
        certificate,
        key,
        &one[..one.len() / 2],
        &format!("{key}{certificate}"),
        &format!("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n{key}"),
        &format!("{other_certificate}{key}"),
    ] {
        let folder = new_folder();
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ca-with-key.pem");
        fs::write(&path, content).unwrap();
        let error =
            start_in(&folder).await.err().unwrap_or_else(|| panic!("it accepts {content:?}"));
        assert!(matches!(error, StartError::Keys(KeyError::Corrupt { .. })), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(!error.to_string().contains("BEGIN"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        fs::remove_dir_all(folder).unwrap();
    }
}

async fn start_in(folder: &Path) -> Result<DevTenant, StartError> {
    DevTenant::start_with(Options { data_dir: Some(folder.to_owned()), ..Options::ephemeral() })
        .await
}

/// The content of a new CA file: the certificate and its key.
async fn pair() -> String {
    let folder = new_folder();
    let tenant = start_in(&folder).await.unwrap();
    let pair = fs::read_to_string(folder.join("ca-with-key.pem")).unwrap();
    tenant.stop().await;
    fs::remove_dir_all(folder).unwrap();
    pair
}

/// The certificate of the HTTPS listener.
async fn leaf(tenant: &TestTenant) -> Vec<u8> {
    let answer = tenant.secure_browser().get(tenant.https_url("/")).send().await.unwrap();
    let shown = answer.extensions().get::<TlsInfo>().unwrap();
    shown.peer_certificate().unwrap().to_vec()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A certificate for this name or address, signed with the authority's key.
fn certificate_by(pair: &str, only: &str, name: &str) -> CertificateDer<'static> {
    let key = &pair[pair.find("-----BEGIN PRIVATE KEY-----").unwrap()..];
    // Only the name of the issuer is used.
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    let common_name = format!("Development tenant CA, for {only}");
    authority.distinguished_name.push(DnType::CommonName, common_name);
    let issuer = Issuer::new(authority, KeyPair::from_pem(key).unwrap());
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into().unwrap()),
    }];
    params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().clone()
}

/// Verifies a certificate with this trust anchor.
fn verify(leaf: &CertificateDer<'_>, ca: &CertificateDer<'_>) -> Result<(), webpki::Error> {
    let anchors = [anchor_from_trusted_cert(ca).unwrap()];
    let leaf = EndEntityCert::try_from(leaf).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let usage = KeyUsage::server_auth();
    leaf.verify_for_usage(algorithms, &anchors, &[], now, usage, None, None).map(|_| ())
}
