//! The certificate authority of the HTTPS listener, which developers configure clients to trust.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};

use crate::keys::{KeyError, create, failed, replace};

/// The file with the certificate of the authority. It is public.
pub(crate) const CA_FILE: &str = "ca.pem";
/// The file with the certificate and its key. Only this user can read it.
const KEY_FILE: &str = "ca-with-key.pem";

/// A certificate authority for loopback names only.
pub(crate) struct CertificateAuthority {
    /// Its certificate, in PEM.
    pub(crate) certificate: String,
    key: KeyPair,
}

impl CertificateAuthority {
    /// Reads the authority from this folder, or generates it there. Without a folder, it is only in
    /// memory.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, KeyError> {
        match folder {
            Some(folder) => Self::open_in(folder),
            None => Self::generate().map_err(|_| KeyError::Generate),
        }
    }

    fn open_in(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(KEY_FILE);
        let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        match fs::read_to_string(&path) {
            Err(error) if missing(&error) => {
                fs::create_dir_all(folder).map_err(failed("create", folder))?;
                let new = Self::generate().map_err(|_| KeyError::Generate)?;
                let content = format!("{}{}", new.certificate, new.key.serialize_pem());
                create(&path, content.as_bytes())?;
            }
            Err(error) => return Err(failed("read", &path)(error)),
            Ok(_) => {}
        }
        // Read it even if it was just written: another process may have written its own first.
        let content = fs::read_to_string(&path).map_err(failed("read", &path))?;
        let authority = Self::parse(&content).ok_or_else(|| KeyError::Corrupt {
            path,
            reason: "it must contain a certificate and then its key, in PEM".to_owned(),
        })?;
        let public = folder.join(CA_FILE);
        // It is written only if needed: clients may be reading it, and the folder may be read-only.
        if fs::read_to_string(&public).ok().as_ref() != Some(&authority.certificate) {
            replace(&public, authority.certificate.as_bytes())?;
        }
        Ok(authority)
    }

    fn parse(content: &str) -> Option<Self> {
        let (certificate, key) = content.split_at(content.find("-----BEGIN PRIVATE KEY-----")?);
        let key = KeyPair::from_pem(key).ok()?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).ok()?;
        // The certificate contains the public key in the same encoding.
        let public = key.public_key_raw();
        let belongs = der.windows(public.len()).any(|window| window == public);
        belongs.then(|| Self { certificate: certificate.to_owned(), key })
    }

    fn generate() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = ca_params().self_signed(&key)?.pem();
        Ok(Self { certificate, key })
    }

    /// Issues a new certificate for the loopback names, which is valid this year and the next.
    pub(crate) fn certify(&self, year: i32) -> Result<Arc<ServerConfig>, KeyError> {
        let (certificate, key) = self.leaf(year).map_err(|_| KeyError::Generate)?;
        let authority = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let chain = vec![certificate, authority.map_err(|_| KeyError::Generate)?];
        // A process may contain several providers, so rustls would not know which one to use.
        let builder = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into());
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(|_| KeyError::Generate)?.with_no_client_auth();
        let config = builder.with_single_cert(chain, key.into());
        let mut config = config.map_err(|_| KeyError::Generate)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// The certificate and its key.
    fn leaf(
        &self,
        year: i32,
    ) -> Result<(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("localhost");
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into()?)];
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        params.subject_alt_names.extend(loopback.map(SanType::IpAddress));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        // Apple accepts at most 825 days.
        params.not_before = rcgen::date_time_ymd(year, 1, 1);
        params.not_after = rcgen::date_time_ymd(year + 2, 1, 1);
        let issuer = Issuer::new(ca_params(), &self.key);
        let certificate = params.signed_by(&key, &issuer)?.der().clone();
        Ok((certificate, key.serialize_der().into()))
    }
}

/// The name constraints limit the authority to loopback names (RFC 5280, section 4.2.1.10). A
/// stolen key is useless for any other site.
fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("Development tenant CA, for localhost only");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                Ipv6Addr::LOCALHOST.octets(),
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name);
    distinguished_name
}
