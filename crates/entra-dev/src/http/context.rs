//! What all handlers share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use poem::{Request, http::uri::Scheme as UriScheme};
use tokio::task::spawn_blocking;

use crate::{
    audit::{Audit, Entry},
    devices::Devices,
    directory::{App, Directory, EditError, IsolatedCopy},
    faults::Faults,
    federation::{Fetcher, KeyCache},
    grants::{Codes, RefreshTokens},
    host_name::{HostNames, without_port},
    identity_header::IdentityHeader,
    keys::KeyError,
    options::Scheme,
    sessions::{Consents, Sessions},
    tokens::{Defaults, Issuer},
};

use super::taken_names::TakenNames;

/// The state of a running tenant.
pub(crate) struct Context {
    pub(crate) urls: Urls,
    pub(crate) issuer: Issuer,
    pub(crate) faults: Faults,
    pub(crate) audit: Audit,
    /// The certificate of the authority in PEM, if there is an HTTPS listener.
    pub(crate) ca: Option<String>,
    /// The file with that certificate, if there is a folder for it.
    pub(crate) ca_file: Option<PathBuf>,
    /// What clients of managed identities send.
    pub(super) identity_header: IdentityHeader,
    /// The keys of the foreign issuers that apps trust.
    pub(super) issuer_keys: KeyCache,
    pub(super) codes: Codes,
    pub(super) consents: Consents,
    pub(super) devices: Devices,
    pub(super) refresh_tokens: RefreshTokens,
    pub(super) sessions: Sessions,
    /// The names of all tenants in this process. It is locked while any directory is changed.
    pub(super) changes: Arc<Mutex<TakenNames>>,
    /// The id of the isolated tenant whose state this is.
    isolated: Option<String>,
}

impl Context {
    pub(crate) fn new(
        urls: Urls,
        issuer: Issuer,
        (ca, ca_file): (Option<String>, Option<PathBuf>),
        identity_header: IdentityHeader,
    ) -> Self {
        let context = Self {
            urls,
            issuer,
            faults: Faults::default(),
            audit: Audit::default(),
            ca,
            ca_file,
            identity_header,
            issuer_keys: KeyCache::new(Arc::new(Fetcher::default())),
            codes: Codes::new(),
            consents: Consents::default(),
            devices: Devices::new(),
            refresh_tokens: RefreshTokens::new(),
            sessions: Sessions::new(),
            changes: Arc::default(),
            isolated: None,
        };
        context.take_names(&context.directory());
        context
    }

    /// The state of an isolated tenant in the same process.
    ///
    /// Blocks while it generates the keys of apps that have a signing key of their own.
    pub(super) fn isolated(&self, copy: IsolatedCopy) -> Result<Self, EditError> {
        let IsolatedCopy { directory, id, built_in: [api, client] } = copy;
        self.check_issuers(&directory)?;
        let client_id = |app: &Arc<App>| app.client_id.clone();
        let resource = api.or_else(|| directory.first_api().map(client_id)).unwrap_or_default();
        let client = client.or_else(|| directory.first_client().map(client_id));
        let client = client.unwrap_or_else(|| resource.clone());
        let issuer = self.issuer.fork(directory.clone(), Defaults { resource, client });
        issuer.keys.set_own(&directory.own_signing_keys())?;
        let ca = (self.ca.clone(), self.ca_file.clone());
        let context = Self {
            changes: Arc::clone(&self.changes),
            isolated: Some(id),
            issuer_keys: self.issuer_keys.fork(),
            ..Self::new(self.urls.clone(), issuer, ca, self.identity_header.clone())
        };
        context.take_names(&directory);
        Ok(context)
    }

    /// The id of the isolated tenant whose state this is; `None` if it is shared.
    pub(crate) fn isolated_id(&self) -> Option<&str> {
        self.isolated.as_deref()
    }

    /// The path of the controls.
    pub(super) fn controls_path(&self) -> String {
        self.isolated
            .as_ref()
            .map_or_else(|| "/_dev".to_owned(), |id| format!("/_dev/tenants/{id}"))
    }

    /// Tenants, people, groups and apps at this moment.
    pub(crate) fn directory(&self) -> Directory {
        self.issuer.directory.now()
    }

    /// The time in seconds since the epoch.
    pub(super) fn now(&self) -> u64 {
        self.issuer.now()
    }

    /// Signs with the next key from now on. See
    /// [`DevTenant::rotate_keys`](crate::DevTenant::rotate_keys).
    ///
    /// # Errors
    ///
    /// An RSA key could not be generated.
    pub(crate) async fn rotate_keys(self: &Arc<Self>, overlap: bool) -> Result<(), KeyError> {
        let context = Arc::clone(self);
        let rotated = spawn_blocking(move || context.issuer.keys.rotate(overlap));
        rotated.await.unwrap_or(Err(KeyError::Generate))
    }

    /// Adds a request that ends now to the audit trail.
    pub(super) fn record(&self, entry: Entry) {
        self.audit.record(Entry { time: self.now(), ..entry });
    }
}

/// The URLs of the listeners, without trailing slashes.
#[derive(Clone)]
pub(crate) struct Urls {
    pub(crate) http: String,
    pub(crate) https: Option<String>,
    /// The names that the tenant answers to.
    pub(crate) names: HostNames,
    ports: (u16, Option<u16>),
    notice: Option<Arc<str>>,
}

impl Urls {
    pub(crate) fn new(port: u16, https_port: Option<u16>, names: HostNames) -> Self {
        let others: Vec<_> = names.others().iter().map(ToString::to_string).collect();
        let notice = (!others.is_empty()).then(|| {
            let others = others.join(", ");
            format!(
                "This tenant also answers to {others}: anybody who can reach it can sign in as \
                 anybody, and get the tokens of its managed identities."
            )
        });
        Self {
            http: Scheme::Http.url(port),
            https: https_port.map(|port| Scheme::Https.url(port)),
            names,
            ports: (port, https_port),
            notice: notice.map(Into::into),
        }
    }

    /// The URL at which this request arrived: that of the listener or, if the tenant answers to
    /// other names, the one that the client used.
    pub(super) fn of<'a>(&'a self, request: &'a Request) -> &'a str {
        match request.extensions().get::<BaseUrl>() {
            Some(BaseUrl(Some(url))) => url,
            _ => self.listener(request.scheme()),
        }
    }

    /// The URLs of both listeners for the client that sent this request: as far as is known, under
    /// the name that it used.
    pub(super) fn for_client(&self, request: &Request) -> (String, String) {
        let base_url = self.of(request);
        let name = without_port(base_url.split_once("://").map_or(base_url, |(_, host)| host));
        let (port, https_port) = self.ports;
        let other_http = format!("http://{name}:{port}");
        let other_https = format!("https://{name}:{}", https_port.unwrap_or_default());
        match base_url.starts_with("https:") {
            true => (other_http, base_url.to_owned()),
            false => (base_url.to_owned(), other_https),
        }
    }

    fn listener(&self, scheme: &UriScheme) -> &str {
        match &self.https {
            Some(https) if *scheme == UriScheme::HTTPS => https,
            _ => &self.http,
        }
    }

    /// The URLs of all listeners under all names; first as `localhost`.
    pub(super) fn all(&self) -> Vec<String> {
        let others = self.names.others().iter().map(ToString::to_string);
        let names = ["localhost".to_owned()].into_iter().chain(others);
        let urls = names.flat_map(|name| {
            let https = self.ports.1.map(|port| format!("https://{name}:{port}"));
            [Some(format!("http://{name}:{}", self.ports.0)), https].into_iter().flatten()
        });
        urls.collect()
    }

    /// The path of this URL, without the first slash, if it is one of this tenant.
    pub(super) fn path_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let (origin, path) = url.match_indices('/').nth(2).map(|(at, _)| url.split_at(at))?;
        let is_listener = [Some(&self.http), self.https.as_ref()].contains(&Some(&origin.into()));
        // A port that is mapped to a listener is not known here.
        let is_other = !self.names.others().is_empty() && self.names.admit_url(origin);
        (is_listener || is_other).then_some(&path[1..])
    }

    /// What every page says if other machines may reach the tenant.
    pub(crate) fn notice(&self) -> Option<Arc<str>> {
        self.notice.clone()
    }
}

/// The URL that the client used, without a trailing slash. An extension of the request.
///
/// `None` if the tenant only answers to loopback names: then each listener has one URL, with
/// `localhost`, whichever loopback name the client used.
#[derive(Clone)]
pub(super) struct BaseUrl(Option<String>);

impl BaseUrl {
    /// `authority` is the host, with the port if it is not the default one. It may differ from the
    /// port of the listener, because ports of containers can be mapped.
    pub(super) fn of(urls: &Urls, scheme: &UriScheme, authority: &str) -> Self {
        let authority = authority.to_ascii_lowercase();
        Self((!urls.names.others().is_empty()).then(|| format!("{scheme}://{authority}")))
    }
}
