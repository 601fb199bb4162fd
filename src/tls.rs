//! The server's certificate and private key. They can be replaced while the server runs.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use rustls::{
    Error, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// The protocol that the server speaks over TLS (RFC 7301).
const HTTP_1_1: &[u8] = b"http/1.1";

/// How the server identifies itself over TLS. All clones change together.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: Files,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads two files in PEM. One has the server's certificate, followed by those of the
    /// intermediate authorities. The other one has the private key.
    ///
    /// # Errors
    ///
    /// [`InvalidTls`] lists what is wrong with the files.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, InvalidTls> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let config = ArcSwap::from_pointee(files.read()?);
        Ok(Self(Arc::new(Shared { files, config })))
    }

    /// Reads the files again, for new connections.
    ///
    /// # Errors
    ///
    /// [`InvalidTls`] lists what is wrong with the files. Nothing has changed then.
    pub fn reload(&self) -> Result<(), InvalidTls> {
        self.0.config.store(Arc::new(self.0.files.read()?));
        Ok(())
    }

    /// The configuration for the next connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.0.config.load_full()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Files { certificate, key } = &self.0.files;
        f.debug_struct("Tls").field("certificate", certificate).field("key", key).finish()
    }
}

/// What is wrong with the files. Each text begins with the variable that names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidTls(pub Vec<String>);

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn read(&self) -> Result<ServerConfig, InvalidTls> {
        let certificate = PemFile::read("TLS_CERT", &self.certificate);
        let (certificate, key) = both(certificate, PemFile::read("TLS_KEY", &self.key))?;
        if certificate.has_only_a_key() && key.has_only_certificates() {
            let swapped = "contains a private key and no certificate; swap it with TLS_KEY";
            return Err(InvalidTls(vec![certificate.fault(swapped)]));
        }
        let (chain, private_key) = both(certificate.certificates(), key.private_key())?;
        configure(chain, private_key).map_err(|error| {
            InvalidTls(vec![match error {
                Error::InconsistentKeys(_) => key.fault(
                    "is not the key of the first certificate in TLS_CERT; the server's own \
                     certificate must be the first",
                ),
                Error::InvalidCertificate(_) => {
                    certificate.fault(format_args!("cannot be used: {error}"))
                }
                _ => key.fault(format_args!(
                    "cannot be used, because it must be an RSA, ECDSA or Ed25519 key: {error}"
                )),
            }])
        })
    }
}

fn configure(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(config)
}

/// Both values, or all faults.
fn both<A, B>(first: Result<A, String>, second: Result<B, String>) -> Result<(A, B), InvalidTls> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => Err(InvalidTls(first.err().into_iter().chain(second.err()).collect())),
    }
}

/// The content of a file, which may be a private key, so it is never shown.
struct PemFile<'a> {
    variable: &'static str,
    path: &'a Path,
    content: Vec<u8>,
}

impl<'a> PemFile<'a> {
    fn read(variable: &'static str, path: &'a Path) -> Result<Self, String> {
        match fs::read(path) {
            Ok(content) => Ok(Self { variable, path, content }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(fault(
                variable,
                path,
                "does not exist; a relative path begins at the working directory of the server",
            )),
            Err(error) => {
                let problem = format!("must be a file that the server's user can read: {error}");
                Err(fault(variable, path, problem))
            }
        }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        match CertificateDer::pem_slice_iter(&self.content).collect::<Result<Vec<_>, _>>() {
            Ok(certificates) if certificates.is_empty() => Err(self.fault(
                "has no certificate in PEM (BEGIN CERTIFICATE); openssl converts other formats",
            )),
            Ok(certificates) => Ok(certificates),
            Err(error) => Err(self.fault(format_args!("is damaged: {error}"))),
        }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        let text = String::from_utf8_lossy(&self.content);
        // PKCS #8, and the older form of OpenSSL (RFC 1421).
        if ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"]
            .iter()
            .any(|it| text.contains(it))
        {
            let file = self.path.display();
            return Err(self.fault(format_args!(
                "is encrypted; decrypt it with: openssl pkey -in {file} -out NEW_FILE"
            )));
        }
        match PrivateKeyDer::pem_slice_iter(&self.content).next() {
            Some(Ok(key)) => Ok(key),
            Some(Err(error)) => Err(self.fault(format_args!("is damaged: {error}"))),
            None => Err(self.fault(
                "has no private key in PEM (BEGIN PRIVATE KEY); openssl converts other formats",
            )),
        }
    }

    fn has_only_a_key(&self) -> bool {
        self.private_key().is_ok() && self.certificates().is_err()
    }

    fn has_only_certificates(&self) -> bool {
        self.certificates().is_ok() && self.private_key().is_err()
    }

    fn fault(&self, problem: impl fmt::Display) -> String {
        fault(self.variable, self.path, problem)
    }
}

fn fault(variable: &str, path: &Path, problem: impl fmt::Display) -> String {
    format!("{variable} is {path:?}, which {problem}")
}
