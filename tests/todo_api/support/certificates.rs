//! A certificate authority for tests, the files that a server reads, and clients that trust it.

use std::{fs, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, redirect};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use tempfile::TempDir;

/// A certificate authority that issues certificates for servers.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The file with its own certificate.
    pub(crate) file: String,
}

impl Authority {
    pub(crate) fn new(folder: &Path, file: &str) -> Self {
        let mut params = CertificateParams::default();
        // Different names, because a client would take two authorities with the same name for the
        // same one and report an invalid signature.
        params.distinguished_name.push(DnType::CommonName, file);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let path = folder.join(file);
        fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file: path.display().to_string() }
    }

    /// A certificate for this host name or address, and its key, both in PEM.
    pub(crate) fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A client that trusts only this authority.
    pub(crate) fn client(&self) -> Client {
        let trusted = Certificate::from_pem(&fs::read(&self.file).unwrap()).unwrap();
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy();
        client.tls_certs_only([trusted]).build().unwrap()
    }

    /// The settings of a TLS client that trusts only this authority. It names no protocol.
    pub(crate) fn client_config(&self) -> ClientConfig {
        self.client_config_for(rustls::DEFAULT_VERSIONS)
    }

    /// The same with these versions of TLS.
    pub(crate) fn client_config_for(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut trusted = RootCertStore::empty();
        trusted.add(CertificateDer::from_pem_file(&self.file).unwrap()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(trusted)
            .with_no_client_auth()
    }
}

/// The files of `TLS_CERT` and `TLS_KEY`, and the authority that issued the certificate.
pub(crate) struct TlsFiles {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) authority: Authority,
    folder: TempDir,
}

impl TlsFiles {
    /// A new authority, and a certificate for this name.
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] =
            ["cert.pem", "key.pem"].map(|file| folder.path().join(file).display().to_string());
        let authority = Authority::new(folder.path(), "ca.pem");
        let files = Self { certificate, key, authority, folder };
        let (certificate, key) = files.authority.certify(name);
        files.write(&certificate, &key);
        files
    }

    /// Replaces both files.
    pub(crate) fn write(&self, certificate: &str, key: &str) {
        fs::write(&self.certificate, certificate).unwrap();
        fs::write(&self.key, key).unwrap();
    }

    /// The path of another file in the same folder.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}
