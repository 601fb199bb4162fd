//! Requests for tokens of managed identities.

use std::sync::Arc;

use poem::{
    Request,
    http::{HeaderMap, header::HeaderName},
};

use crate::{
    directory::{App, Authority, Directory, IdentityKind, ManagedIdentity, Tenant},
    tokens::service_principal,
};

use super::{
    super::{context::Context, parameters::Parameters},
    denial::Denial,
    protocol::Protocol,
};

const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-identity-header");
const METADATA: HeaderName = HeaderName::from_static("metadata");
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A request for a token.
pub(super) struct IdentityRequest<'a> {
    protocol: Protocol,
    http: &'a Request,
    directory: &'a Directory,
    pub(super) parameters: Parameters,
}

/// By which id a request names an identity.
#[derive(Clone, Copy)]
enum Selector {
    Client,
    Principal,
    Resource,
}

impl<'a> IdentityRequest<'a> {
    pub(super) fn new(protocol: Protocol, http: &'a Request, directory: &'a Directory) -> Self {
        Self { protocol, http, directory, parameters: Parameters::of_query(http) }
    }

    /// The `{tenant}` segment of the path; without one, the id of the first tenant.
    pub(super) fn tenant_segment(&self) -> &'a str {
        let first = || {
            let mut tenants = self.directory.tenants().iter();
            tenants.find(|tenant| !tenant.personal).map_or("", |tenant| tenant.id.as_str())
        };
        self.http.raw_path_param("tenant").unwrap_or_else(first)
    }

    /// Checks what keeps attackers away who can make a program send requests, and the version.
    pub(super) fn check(&self, context: &Context) -> Result<(), Denial> {
        let headers = self.http.headers();
        match self.protocol {
            Protocol::AppService => match one(headers, &IDENTITY_HEADER) {
                None => return Err(Denial::IdentityHeaderMissing),
                Some(value) if !context.identity_header.is(value) => {
                    return Err(Denial::IdentityHeaderWrong);
                }
                Some(_) => {}
            },
            Protocol::Imds => {
                if headers.contains_key(&FORWARDED) {
                    return Err(Denial::Forwarded);
                }
                // In lower case only.
                if one(headers, &METADATA) != Some("true") {
                    return Err(Denial::MetadataHeader);
                }
            }
        }
        let first = self.protocol.first_version();
        match self.parameter("api-version")? {
            Some(version) if is_date(version) && version >= first => Ok(()),
            Some(version) => Err(Denial::Version { version: version.to_owned(), first }),
            None => Err(Denial::Missing("api-version")),
        }
    }

    /// The identity that the request names. Without a name, it is the system-assigned one.
    pub(super) fn identity(&self) -> Result<&'a Arc<App>, Denial> {
        let tenant = self.tenant()?;
        let identities = || {
            let apps = self.directory.apps().iter().filter(|app| app.tenant == tenant.id);
            apps.filter_map(|app| Some((app, app.managed_identity.as_ref()?)))
        };
        let selectors = self.selectors()?;
        if !selectors.is_empty() {
            let mut named = identities().filter(|(app, identity)| {
                // App Service names only user-assigned identities.
                let may_be_named =
                    self.protocol == Protocol::Imds || identity.kind == IdentityKind::UserAssigned;
                may_be_named && selectors.iter().all(|(by, name)| by.selects(app, identity, name))
            });
            return named.next().map(|(app, _)| app).ok_or(Denial::UnknownIdentity);
        }
        let is_system =
            |(_, identity): &(_, &ManagedIdentity)| identity.kind == IdentityKind::SystemAssigned;
        if let Some((app, _)) = identities().find(is_system) {
            return Ok(app);
        }
        // A virtual machine without a system-assigned identity uses its only other one.
        let mut others = identities().filter(|_| self.protocol == Protocol::Imds);
        match (others.next(), others.next()) {
            (Some((app, _)), None) => Ok(app),
            (Some(_), Some(_)) => Err(Denial::SeveralIdentities),
            (None, _) => Err(Denial::UnknownIdentity),
        }
    }

    /// The client id of the identity that the request names, also if there is no such identity.
    pub(super) fn named_client(&self) -> Option<String> {
        let sent = || self.parameters.optional("client_id").ok().flatten().map(str::to_owned);
        self.identity().ok().map(|app| app.client_id.clone()).or_else(sent)
    }

    /// The API for which a token is requested.
    pub(super) fn resource(&self, tenant: &str) -> Result<&'a Arc<App>, Denial> {
        let name = self.resource_name()?;
        let resource = self.directory.resource(name).filter(|api| api.is_known_in(tenant));
        resource.ok_or_else(|| Denial::unknown_resource(name, tenant))
    }

    /// The API as the request names it.
    pub(super) fn resource_name(&self) -> Result<&str, Denial> {
        self.parameter("resource")?.ok_or(Denial::Missing("resource"))
    }

    /// The capabilities of the client, which MSAL sends separated by commas.
    pub(super) fn capabilities(&self) -> Vec<String> {
        let names = self.parameters.optional("xms_cc").ok().flatten();
        names.into_iter().flat_map(|names| names.split(',')).map(str::to_owned).collect()
    }

    fn tenant(&self) -> Result<Arc<Tenant>, Denial> {
        let segment = self.tenant_segment();
        match Authority::parse(self.directory, segment) {
            Some(Authority::Tenant(tenant)) => Ok(tenant),
            _ => Err(Denial::UnknownTenant(segment.to_owned())),
        }
    }

    /// The parameters that name an identity. App Service accepts only one of them.
    fn selectors(&self) -> Result<Vec<(Selector, &str)>, Denial> {
        let by = [Selector::Client, Selector::Principal, Selector::Resource];
        let mut selectors = Vec::new();
        for (by, names) in by.into_iter().zip(self.protocol.selectors()) {
            for name in names {
                selectors.extend(self.parameter(name)?.map(|value| (by, value)));
            }
        }
        if self.protocol == Protocol::AppService && selectors.len() > 1 {
            return Err(Denial::SeveralSelectors);
        }
        Ok(selectors)
    }

    fn parameter(&self, name: &'static str) -> Result<Option<&str>, Denial> {
        self.parameters.optional(name).map_err(|_| Denial::Repeated(name))
    }
}

impl Selector {
    fn selects(self, app: &App, identity: &ManagedIdentity, name: &str) -> bool {
        match self {
            Self::Client => app.client_id.eq_ignore_ascii_case(name),
            Self::Principal => service_principal(&app.tenant, app).eq_ignore_ascii_case(name),
            // Names of Azure resources are not case-sensitive.
            Self::Resource => identity.resource_id.eq_ignore_ascii_case(name),
        }
    }
}

/// The value of a header field that must not be repeated.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Whether this has the form of a version: `2019-08-01`.
fn is_date(text: &str) -> bool {
    let is_in_place = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(is_in_place)
}
