use std::collections::BTreeMap;

use super::certificate::AppCertificate;
use super::redirect_uri;
use crate::ids::MICROSOFT_GRAPH;

/// An app registration together with its service principal.
#[derive(Debug, Clone, Default)]
pub(crate) struct App {
    /// The client id, a GUID.
    pub(crate) client_id: String,
    /// The name that the account page shows.
    pub(crate) name: String,
    /// The id of the tenant it is registered in.
    pub(crate) tenant: String,
    /// Whether only people of that tenant may use it.
    pub(crate) single_tenant: bool,
    /// The other name of the API besides its client id.
    pub(crate) app_id_uri: String,
    /// 1 or 2: what kind of access token this API takes.
    pub(crate) access_token_version: u8,
    /// The delegated permissions of this API.
    pub(crate) scopes: Vec<Scope>,
    /// What people and apps can be at this API.
    pub(crate) app_roles: Vec<String>,
    /// The optional claims in its access tokens.
    pub(crate) optional_claims: Vec<OptionalClaim>,
    /// Whether only people with an assignment may sign in.
    pub(crate) assignment_required: bool,
    /// Whether people are asked for their consent; otherwise it counts as given by an
    /// administrator.
    pub(crate) consent_required: bool,
    /// Whether the authorization endpoint hands out ID tokens.
    pub(crate) id_token_issuance: bool,
    /// Whether it may use flows without a redirect URI, such as the device code.
    pub(crate) public_client: bool,
    /// Where answers may go.
    pub(crate) redirect_uris: Vec<(Platform, String)>,
    /// The secrets that are valid.
    pub(crate) secrets: Vec<String>,
    /// The secrets that were valid once.
    pub(crate) expired_secrets: Vec<String>,
    /// What client assertions may be signed with.
    pub(crate) certificates: Vec<AppCertificate>,
    /// The app roles it has at other apps, by their client ids.
    pub(crate) permissions: BTreeMap<String, Vec<String>>,
}

impl App {
    /// Microsoft Graph, as far as signing in goes: it serves the OpenID Connect user information.
    pub(crate) fn microsoft_graph() -> Self {
        let user_read = Scope { name: "User.Read".to_owned(), admin_consent: false };
        Self {
            client_id: MICROSOFT_GRAPH.to_owned(),
            name: "Microsoft Graph".to_owned(),
            app_id_uri: "https://graph.microsoft.com".to_owned(),
            access_token_version: 1,
            scopes: vec![user_read],
            ..Self::default()
        }
    }

    /// Whether the tenant with this id has, or may have, a service principal of it.
    pub(crate) fn is_known_in(&self, tenant: &str) -> bool {
        !self.single_tenant || self.tenant == tenant
    }

    /// The platform whose redirect URI this is. Where two differ only in a port that is not
    /// compared, it is that of the first, and at Entra that of either.
    pub(crate) fn platform_of(&self, uri: &str) -> Option<Platform> {
        self.redirect_uris
            .iter()
            .find(|(_, registered)| redirect_uri::matches(registered, uri))
            .map(|(platform, _)| *platform)
    }

    /// Whether scripts of this origin may read answers meant for this app.
    pub(crate) fn serves_origin(&self, origin: &str) -> bool {
        // Where the port of the URI is not compared, that of its origin is not either.
        let place = |uri: &str| redirect_uri::origin(uri).unwrap_or_default();
        self.redirect_uris
            .iter()
            .filter(|(platform, _)| *platform == Platform::SinglePage)
            .any(|(_, registered)| redirect_uri::matches(&place(registered), origin))
    }

    /// Whether it has anything to authenticate with.
    pub(crate) fn is_confidential(&self) -> bool {
        !(self.secrets.is_empty()
            && self.expired_secrets.is_empty()
            && self.certificates.is_empty())
    }

    /// Whether this name is the resource part of a scope of this API.
    pub(crate) fn is_resource(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.app_id_uri)
            || name.strip_prefix("api://").unwrap_or(name).eq_ignore_ascii_case(&self.client_id)
    }

    /// Whether its access tokens carry this optional claim.
    pub(crate) fn wants(&self, claim: OptionalClaim) -> bool {
        self.optional_claims.contains(&claim)
    }

    /// The permission with this name.
    pub(crate) fn scope(&self, name: &str) -> Option<&Scope> {
        self.scopes.iter().find(|scope| scope.name == name)
    }
}

/// A delegated permission of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The value in the `scp` claim.
    pub(crate) name: String,
    /// Whether only an administrator can consent to it.
    pub(crate) admin_consent: bool,
}

/// What kind of program a redirect URI belongs to ("Redirect URI configuration: platform").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// A script in a browser: PKCE, no secret, cross-origin redemption.
    SinglePage,
    /// A server: authenticates itself.
    Web,
    /// A program on a person's machine: no secret.
    Native,
}

/// A claim that access tokens carry only if the API asks for it ("Optional claims reference").
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OptionalClaim {
    /// 1 for a guest, 0 for a member.
    Acct,
    /// The authentication contexts that the client asked for and the person has satisfied.
    Acrs,
    /// The address of the person.
    Email,
    /// The ids of the person's groups.
    Groups,
    /// `app` in tokens of apps on their own account. In tokens of people, Entra gives it only where
    /// an API sets `include_user_token`, which there is not here.
    Idtyp,
    /// The capabilities that the client has declared.
    XmsCc,
}

impl OptionalClaim {
    /// The claim, as tokens and directory files call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Acct => "acct",
            Self::Acrs => "acrs",
            Self::Email => "email",
            Self::Groups => "groups",
            Self::Idtyp => "idtyp",
            Self::XmsCc => "xms_cc",
        }
    }
}
