//! TLS to PostgreSQL, as the parameters `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of the URL
//! say (<https://www.postgresql.org/docs/current/libpq-ssl.html>).

use std::{error::Error, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{self, CryptoProvider},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::PostgresUrl;

/// Returns when to use TLS, and how.
///
/// # Errors
///
/// If the value of `sslmode` is unknown, or if a file is not a certificate or a key in PEM.
pub(super) fn tls(
    url: &PostgresUrl,
) -> Result<(SslMode, MakeRustlsConnect), Box<dyn Error + Send + Sync>> {
    let file = |parameter| url.parameter(parameter);
    let (mode, verification) = match url.parameter("sslmode").as_deref() {
        Some("disable") => (SslMode::Disable, Verification::None),
        // `allow` would try without TLS first. `prefer` accepts the same servers.
        None | Some("allow" | "prefer") => (SslMode::Prefer, Verification::None),
        // With a file, libpq verifies the certificate in this mode too.
        Some("require") if file("sslrootcert").is_some() => (SslMode::Require, Verification::Chain),
        Some("require") => (SslMode::Require, Verification::None),
        Some("verify-ca") => (SslMode::Require, Verification::Chain),
        Some("verify-full") => (SslMode::Require, Verification::ChainAndName),
        Some(other) => {
            return Err(format!(
                "sslmode is {other:?}, but must be disable, allow, prefer, require, verify-ca or \
                 verify-full"
            )
            .into());
        }
    };
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let verifier = verifier(verification, file("sslrootcert"), &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (file("sslcert"), file("sslkey")) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(&key)
                .map_err(|error| format!("{key} contains no private key: {error}"))?;
            config.with_client_auth_cert(certificates(&certificate)?, key)?
        }
        (None, None) => config.with_no_client_auth(),
        _ => return Err("sslcert and sslkey must be set together".into()),
    };
    Ok((mode, MakeRustlsConnect::new(config)))
}

/// What of the server's certificate is verified.
enum Verification {
    None,
    Chain,
    ChainAndName,
}

fn verifier(
    verification: Verification,
    authorities: Option<String>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Box<dyn Error + Send + Sync>> {
    if let Verification::None = verification {
        return Ok(Arc::new(Unverified(Arc::clone(provider))));
    }
    let authorities = authorities.map(|file| certificates(&file)).transpose()?;
    let verifier =
        Verifier::new_with_extra_roots(authorities.into_iter().flatten(), Arc::clone(provider))?;
    Ok(match verification {
        Verification::Chain => Arc::new(AnyName(verifier)),
        _ => Arc::new(verifier),
    })
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error + Send + Sync>> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    certificates.map_err(|error| format!("{file} contains no certificate: {error}").into())
}

/// Accepts every certificate. The connection is encrypted, but the server may be another one.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Verifies that a known authority issued the certificate, whatever name it contains.
#[derive(Debug)]
struct AnyName(Verifier);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        // The name is verified last.
        match self.0.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
