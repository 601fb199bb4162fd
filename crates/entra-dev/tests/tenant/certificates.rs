//! The authority that vouches for the HTTPS listener, which a developer's machine may trust.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use entra_dev::{DevTenant, KeyError, Options, StartError};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, SanType};
use reqwest::tls::TlsInfo;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::support::{NOW, TestTenant, new_folder, trusting};

#[tokio::test]
async fn the_authority_vouches_for_every_name_of_this_machine() {
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
async fn whoever_trusts_another_authority_is_not_served() {
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
async fn the_authority_survives_a_restart_and_the_certificate_is_new() {
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
async fn the_file_to_be_trusted_holds_the_certificate_and_nothing_secret() {
    let folder = new_folder();
    let tenant = TestTenant::start_in(folder.clone()).await;
    let file = tenant.tenant.ca_file().unwrap();
    assert_eq!(file, folder.join("ca.pem"));
    let content = fs::read_to_string(file).unwrap();
    assert_eq!(Some(content.as_str()), tenant.tenant.ca_certificate());
    assert_eq!(content.matches("-----BEGIN ").count(), 1);
    assert!(content.starts_with("-----BEGIN CERTIFICATE-----"), "{content}");
    // Other users' tools may have to read it: it is as open as any new file.
    let ordinary = folder.join("ordinary");
    fs::write(&ordinary, "").unwrap();
    assert_eq!(
        fs::metadata(file).unwrap().permissions(),
        fs::metadata(ordinary).unwrap().permissions()
    );
    tenant.tenant.stop().await;

    // Whoever reads it while another start is under way finds all of it.
    let inode = || fs::metadata(folder.join("ca.pem")).unwrap().ino();
    let before = inode();
    TestTenant::start_in(folder.clone()).await.tenant.stop().await;
    assert_eq!(inode(), before, "what is right is left as it is");
    fs::write(folder.join("ca.pem"), "").unwrap();
    TestTenant::start_in(folder.clone()).await.tenant.stop().await;
    assert_eq!(fs::read_to_string(folder.join("ca.pem")).unwrap(), content);
    assert_ne!(inode(), before, "it is replaced as a whole");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4, "no draft stays behind");
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_stolen_key_of_the_authority_vouches_for_no_other_site() {
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
        let leaf = certificate_by(&stolen, name);
        let verified = verify(&leaf, &ca);
        assert_eq!(verified.is_ok(), counts, "{name}: {verified:?}");
        if !counts {
            assert_eq!(verified, Err(webpki::Error::NameConstraintViolation), "{name}");
        }
    }
}

#[tokio::test]
async fn a_corrupt_authority_is_named_and_left_alone() {
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
        let error = start_in(&folder).await.err().unwrap_or_else(|| panic!("it takes {content:?}"));
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

/// The certificate and key of an authority, as the file has them.
async fn pair() -> String {
    let folder = new_folder();
    let tenant = start_in(&folder).await.unwrap();
    let pair = fs::read_to_string(folder.join("ca-with-key.pem")).unwrap();
    tenant.stop().await;
    fs::remove_dir_all(folder).unwrap();
    pair
}

/// The certificate that the HTTPS listener shows.
async fn leaf(tenant: &TestTenant) -> Vec<u8> {
    let answer = tenant.secure_browser().get(tenant.https_url("/")).send().await.unwrap();
    let shown = answer.extensions().get::<TlsInfo>().unwrap();
    shown.peer_certificate().unwrap().to_vec()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A certificate for this name or address, signed with the authority's key.
fn certificate_by(pair: &str, name: &str) -> CertificateDer<'static> {
    let key = &pair[pair.find("-----BEGIN PRIVATE KEY-----").unwrap()..];
    // Of the issuer, this takes the name and nothing else.
    let mut authority = CertificateParams::default();
    authority.distinguished_name = rcgen::DistinguishedName::new();
    let common_name = "Development tenant CA, for localhost only";
    authority.distinguished_name.push(DnType::CommonName, common_name);
    let issuer = Issuer::new(authority, KeyPair::from_pem(key).unwrap());
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into().unwrap()),
    }];
    params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().clone()
}

/// What whoever trusts this authority makes of a certificate.
fn verify(leaf: &CertificateDer<'_>, ca: &CertificateDer<'_>) -> Result<(), webpki::Error> {
    let anchors = [anchor_from_trusted_cert(ca).unwrap()];
    let leaf = EndEntityCert::try_from(leaf).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let usage = KeyUsage::server_auth();
    leaf.verify_for_usage(algorithms, &anchors, &[], now, usage, None, None).map(|_| ())
}
