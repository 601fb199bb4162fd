//! Opens the keys and the certificate authority of a tenant.

use std::{error::Error, path::Path, sync::Arc, thread};

use tokio_rustls::rustls::ServerConfig;

use crate::{
    clock::{Clock, SystemClock},
    host_name::HostNames,
    keys::{KeyError, KeyRing},
    timestamp::year,
    tls::CertificateAuthority,
};

/// What the HTTPS listener needs.
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// The certificate of the authority, in PEM.
    pub(super) ca: String,
    /// Whether the authority is in the folder, and not only in memory.
    pub(super) ca_is_saved: bool,
}

/// Opens or generates the signing keys and the certificate, in parallel. The certificate is for
/// these names; `None` means that there is none.
///
/// If the folder cannot be written, new keys are only in memory, so that the tenant also runs in a
/// container with a read-only file system.
pub(super) fn open_keys(
    folder: Option<&Path>,
    own: &[String],
    names: Option<&HostNames>,
) -> Result<(KeyRing, Option<Tls>), KeyError> {
    let open_tls = |names| {
        let open = |folder: Option<&Path>| CertificateAuthority::open(folder, names);
        let (authority, ca_is_saved) = or_in_memory(folder, open)?;
        let config = authority.certify(year(SystemClock.now()), names)?;
        Ok(Tls { config, ca: authority.certificate, ca_is_saved })
    };
    thread::scope(|scope| {
        let tls = names.map(|names| scope.spawn(move || open_tls(names)));
        let (keys, _) = or_in_memory(folder, |folder| KeyRing::open(folder, own))?;
        let tls = tls.map(|tls| tls.join().unwrap_or(Err(KeyError::Generate))).transpose()?;
        Ok((keys, tls))
    })
}

/// Opens keys in this folder or, if it cannot be written, in memory. Also returns whether they are
/// in the folder.
fn or_in_memory<T>(
    folder: Option<&Path>,
    open: impl Fn(Option<&Path>) -> Result<T, KeyError>,
) -> Result<(T, bool), KeyError> {
    match open(folder) {
        Err(error) if error.is_unwritable() => {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(cause, "{error}: new keys are only in memory, and a restart loses them");
            Ok((open(None)?, false))
        }
        opened => Ok((opened?, folder.is_some())),
    }
}
