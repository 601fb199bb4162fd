//! A certificate authority for tests.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

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
}
