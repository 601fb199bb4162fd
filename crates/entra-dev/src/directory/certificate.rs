//! Certificates of apps.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use webpki::{
    EndEntityCert,
    aws_lc_rs::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY},
};

/// A certificate with which an app authenticates
/// (<https://learn.microsoft.com/entra/identity-platform/certificate-credentials>).
#[derive(Clone)]
pub(crate) struct AppCertificate {
    der: CertificateDer<'static>,
    /// The values with which the header of an assertion may refer to the certificate.
    thumbprints: [String; 3],
}

impl AppCertificate {
    /// Parses the first certificate in PEM text.
    pub(crate) fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?.into_owned();
        EndEntityCert::try_from(&der).ok()?;
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
        let sha256 = digest(&SHA256, &der);
        let hexadecimal = sha1.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        let url_safe = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let thumbprints = [url_safe(sha1.as_ref()), url_safe(sha256.as_ref()), hexadecimal];
        Some(Self { der, thumbprints })
    }

    /// The certificate in PEM (RFC 7468), and nothing else that was in the file.
    pub(crate) fn to_pem(&self) -> String {
        let encoded = BASE64_STANDARD.encode(&self.der);
        let lines = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
    }

    /// The SHA-1 thumbprint in hexadecimal, as shown in the portal.
    pub(crate) fn thumbprint(&self) -> &str {
        let [_, _, hexadecimal] = &self.thumbprints;
        hexadecimal
    }

    /// Whether this `x5t` (SHA-1), `x5t#S256` or `kid`, in base64url or hexadecimal, refers to this
    /// certificate. MSAL for Python adds padding.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let name = name.trim_end_matches('=');
        self.thumbprints.iter().any(|thumbprint| thumbprint == name)
    }

    /// Verifies a signature with RS256 or PS256 (RFC 7518, sections 3.3 and 3.5).
    pub(crate) fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = match algorithm {
            "RS256" => RSA_PKCS1_2048_8192_SHA256,
            "PS256" => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            _ => return false,
        };
        EndEntityCert::try_from(&self.der).is_ok_and(|certificate| {
            certificate.verify_signature(algorithm, message, signature).is_ok()
        })
    }
}

impl fmt::Debug for AppCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AppCertificate").field(&self.thumbprints[0]).finish()
    }
}
