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
use url::Host;

use crate::{
    host_name::{HostName, HostNames},
    keys::{KeyError, create, failed, replace},
};

/// The file with the certificate of the authority. It is public.
pub(crate) const CA_FILE: &str = "ca.pem";
/// The file with the certificate and its key. Only this user can read it. Before the certificate,
/// it has a line with the names besides the loopback ones, if there are any.
const KEY_FILE: &str = "ca-with-key.pem";
/// What that line begins with. Readers of PEM ignore it (RFC 7468, section 2).
const NAMES_LINE: &str = "Names: ";

/// A certificate authority for the loopback names, and for the names that the tenant answers to.
pub(crate) struct CertificateAuthority {
    /// Its certificate, in PEM.
    pub(crate) certificate: String,
    key: KeyPair,
    /// The line with the names in the file.
    names: String,
}

impl CertificateAuthority {
    /// Reads the authority from this folder, or generates it there. Without a folder, it is only in
    /// memory.
    ///
    /// An authority for other names is replaced, also if they are more names: what clients trust is
    /// never good for a name that the tenant does not answer to.
    pub(crate) fn open(folder: Option<&Path>, names: &HostNames) -> Result<Self, KeyError> {
        let Some(folder) = folder else { return Self::generate(names) };
        let authority = Self::open_in(folder, names)?;
        if authority.names == names_line(names) {
            return Ok(authority);
        }
        tracing::warn!(
            "the names of the tenant have changed, so it has a new certificate authority: clients \
             must trust it again"
        );
        let new = Self::generate(names)?;
        let path = folder.join(KEY_FILE);
        fs::remove_file(&path).map_err(failed("write", &path))?;
        create(&path, new.to_file().as_bytes())?;
        Self::open_in(folder, names)
    }

    fn open_in(folder: &Path, names: &HostNames) -> Result<Self, KeyError> {
        let path = folder.join(KEY_FILE);
        let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        match fs::read_to_string(&path) {
            Err(error) if missing(&error) => {
                fs::create_dir_all(folder).map_err(failed("create", folder))?;
                create(&path, Self::generate(names)?.to_file().as_bytes())?;
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

    /// The content of the file.
    fn to_file(&self) -> String {
        format!("{}{}{}", self.names, self.certificate, self.key.serialize_pem())
    }

    fn parse(content: &str) -> Option<Self> {
        let names = content.split_inclusive('\n').next();
        let names = names.filter(|line| line.starts_with(NAMES_LINE)).unwrap_or_default();
        let content = &content[names.len()..];
        let (certificate, key) = content.split_at(content.find("-----BEGIN PRIVATE KEY-----")?);
        let key = KeyPair::from_pem(key).ok()?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).ok()?;
        // The certificate contains the public key in the same encoding.
        let public = key.public_key_raw();
        let belongs = der.windows(public.len()).any(|window| window == public);
        let (certificate, names) = (certificate.to_owned(), names.to_owned());
        belongs.then(|| Self { certificate, key, names })
    }

    fn generate(names: &HostNames) -> Result<Self, KeyError> {
        let generate = || {
            let key = KeyPair::generate()?;
            let certificate = ca_params(names).self_signed(&key)?.pem();
            Ok(Self { certificate, key, names: names_line(names) })
        };
        generate().map_err(|_: rcgen::Error| KeyError::Generate)
    }

    /// Issues a new certificate for the loopback names and these, which is valid this year and the
    /// next.
    pub(crate) fn certify(
        &self,
        year: i32,
        names: &HostNames,
    ) -> Result<Arc<ServerConfig>, KeyError> {
        let (certificate, key) = self.leaf(year, names).map_err(|_| KeyError::Generate)?;
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
        names: &HostNames,
    ) -> Result<(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("localhost");
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into()?)];
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        params.subject_alt_names.extend(loopback.map(SanType::IpAddress));
        for HostName(host) in names.others() {
            params.subject_alt_names.push(match host {
                Host::Domain(name) => SanType::DnsName(name.as_str().try_into()?),
                Host::Ipv4(address) => SanType::IpAddress((*address).into()),
                Host::Ipv6(address) => SanType::IpAddress((*address).into()),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        // Apple accepts at most 825 days.
        params.not_before = rcgen::date_time_ymd(year, 1, 1);
        params.not_after = rcgen::date_time_ymd(year + 2, 1, 1);
        let issuer = Issuer::new(ca_params(names), &self.key);
        let certificate = params.signed_by(&key, &issuer)?.der().clone();
        Ok((certificate, key.serialize_der().into()))
    }
}

/// The line in the file for these names; empty if there are none.
fn names_line(names: &HostNames) -> String {
    let mut names: Vec<_> = names.others().iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { String::new() } else { format!("{NAMES_LINE}{}\n", names.join(" ")) }
}

/// The name constraints limit the authority to loopback names and these (RFC 5280, section
/// 4.2.1.10). A stolen key is useless for any other site.
fn ca_params(names: &HostNames) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&match names_line(names).strip_prefix(NAMES_LINE) {
        Some(names) => format!("Development tenant CA, for localhost and {} only", names.trim()),
        None => "Development tenant CA, for localhost only".to_owned(),
    });
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (permitted, excluded): (Vec<_>, Vec<_>) = names.others().iter().map(subtrees).unzip();
    let loopback = [
        GeneralSubtree::DnsName("localhost".to_owned()),
        GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
        address(Ipv6Addr::LOCALHOST.into()),
    ];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: loopback.into_iter().chain(permitted).collect(),
        excluded_subtrees: excluded.into_iter().flatten().collect(),
    });
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    params
}

/// What the authority is permitted for a name, and what it is not. A permitted domain includes its
/// subdomains, so these are excluded: a domain with a leading dot means only the subdomains to all
/// common verifiers, although RFC 5280 does not say so.
fn subtrees(HostName(host): &HostName) -> (GeneralSubtree, Option<GeneralSubtree>) {
    match host {
        Host::Domain(name) => {
            let subdomains = GeneralSubtree::DnsName(format!(".{name}"));
            (GeneralSubtree::DnsName(name.clone()), Some(subdomains))
        }
        Host::Ipv4(ip) => (address((*ip).into()), None),
        Host::Ipv6(ip) => (address((*ip).into()), None),
    }
}

/// Exactly this address.
fn address(ip: IpAddr) -> GeneralSubtree {
    GeneralSubtree::IpAddress(match ip {
        IpAddr::V4(ip) => CidrSubnet::from_v4_prefix(ip.octets(), 32),
        IpAddr::V6(ip) => CidrSubnet::from_v6_prefix(ip.octets(), 128),
    })
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name);
    distinguished_name
}
