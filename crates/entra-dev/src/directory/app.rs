//! App registrations.

use std::collections::BTreeMap;

use crate::token_issuer::TokenIssuer;

use super::{
    certificate::AppCertificate, federated_credential::FederatedCredential,
    managed_identity::ManagedIdentity, redirect_uri,
};

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
    /// The ids of the other tenants to which it was added.
    pub(crate) added_to: Vec<String>,
    /// The registered App ID URIs, which name the API in scopes. The first one is canonical.
    pub(crate) app_id_uris: Vec<String>,
    /// The version of the access tokens that this API accepts: 1 or 2.
    pub(crate) access_token_version: u8,
    /// The issuer of those tokens; `None` means that of the options.
    pub(crate) token_issuer: Option<TokenIssuer>,
    /// Whether its tokens are signed with a key of its own, as in Entra after claims mapping.
    pub(crate) own_signing_key: bool,
    /// The delegated permissions of this API.
    pub(crate) scopes: Vec<Scope>,
    /// The app roles that people and apps can have in this API.
    pub(crate) app_roles: Vec<String>,
    /// The optional claims in its access tokens as an API, and in its ID tokens as a client.
    pub(crate) optional_claims: Vec<OptionalClaim>,
    /// The client id of the blueprint, if this app is an agent identity.
    pub(crate) agent_blueprint: Option<String>,
    /// If this app is a blueprint: the client ids of the APIs whose permissions its agents inherit
    /// (<https://learn.microsoft.com/entra/agent-id/concept-inheritable-permissions>).
    pub(crate) inheritable_permissions: Vec<String>,
    /// Whether only people with an assignment may sign in.
    pub(crate) assignment_required: bool,
    /// Whether people are asked for consent. If not, the app counts as approved by an
    /// administrator.
    pub(crate) consent_required: bool,
    /// Whether the authorization endpoint may issue ID tokens.
    pub(crate) id_token_issuance: bool,
    /// Whether the app may use flows without a redirect URI, such as the device code flow.
    pub(crate) public_client: bool,
    /// The registered redirect URIs.
    pub(crate) redirect_uris: Vec<(Platform, String)>,
    /// The valid secrets.
    pub(crate) secrets: Vec<String>,
    /// The expired secrets.
    pub(crate) expired_secrets: Vec<String>,
    /// The certificates whose keys may sign client assertions.
    pub(crate) certificates: Vec<AppCertificate>,
    /// The foreign issuers whose tokens are credentials of the app.
    pub(crate) federated_credentials: Vec<FederatedCredential>,
    /// The client ids of the managed identities whose tokens are credentials of the app.
    pub(crate) trusted_managed_identities: Vec<String>,
    /// Which managed identity this is; `None` for an app registration.
    pub(crate) managed_identity: Option<ManagedIdentity>,
    /// The app roles that this app has in other apps, whose client ids are the keys.
    pub(crate) permissions: BTreeMap<String, Vec<String>>,
}

impl App {
    /// Whether other apps get tokens for this one.
    pub(crate) fn is_api(&self) -> bool {
        !(self.scopes.is_empty() && self.app_roles.is_empty())
    }

    /// Whether the tenant with this id has, or may have, a service principal of the app.
    pub(crate) fn is_known_in(&self, tenant: &str) -> bool {
        !self.single_tenant || self.tenant == tenant
    }

    /// Whether the directory says that the tenant with this id has a service principal of the app.
    pub(crate) fn is_added_to(&self, tenant: &str) -> bool {
        self.tenant == tenant || self.added_to.iter().any(|id| id == tenant)
    }

    /// The platform of this redirect URI. If two registered URIs differ only in a port that is not
    /// compared, the first one decides. Entra may pick either.
    pub(crate) fn platform_of(&self, uri: &str) -> Option<Platform> {
        self.redirect_uris
            .iter()
            .find(|(_, registered)| redirect_uri::matches(registered, uri))
            .map(|(platform, _)| *platform)
    }

    /// Whether scripts of this origin may read responses for this app.
    pub(crate) fn serves_origin(&self, origin: &str) -> bool {
        // The port of an origin is compared if that of the redirect URI is.
        let origin_of = |uri: &str| redirect_uri::origin(uri).unwrap_or_default();
        self.redirect_uris
            .iter()
            .filter(|(platform, _)| *platform == Platform::SinglePage)
            .any(|(_, registered)| redirect_uri::matches(&origin_of(registered), origin))
    }

    /// Whether the app authenticates: it has a credential or, if it is an agent, its blueprint has.
    pub(crate) fn is_confidential(&self) -> bool {
        let has_none = self.secrets.is_empty()
            && self.expired_secrets.is_empty()
            && self.certificates.is_empty()
            && self.federated_credentials.is_empty()
            && self.trusted_managed_identities.is_empty()
            && self.managed_identity.is_none();
        !has_none || self.agent_blueprint.is_some()
    }

    /// Whether this client gets app-only tokens for this API: if the API requires an assignment,
    /// only with one.
    pub(crate) fn is_admitted_by(&self, api: &Self) -> bool {
        !api.assignment_required || self.permissions.contains_key(&api.client_id)
    }

    /// The App ID URI with which scopes and audiences are written.
    pub(crate) fn app_id_uri(&self) -> &str {
        // A directory file always registers one.
        self.app_id_uris.first().unwrap_or(&self.client_id)
    }

    /// Whether this is the resource part of a scope of this API: a registered App ID URI or the
    /// client id. `api://` with the client id is an App ID URI like any other, so it must be
    /// registered. Slashes at the end are not compared.
    pub(crate) fn is_resource(&self, name: &str) -> bool {
        self.registered_name(name).is_some()
    }

    /// The resource part of a scope of this API as it is registered, without slashes at the end.
    pub(crate) fn registered_name(&self, name: &str) -> Option<&str> {
        let name = name.trim_end_matches('/');
        let mut names = self.names().map(|known| known.trim_end_matches('/'));
        names.find(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether this is one of the names of this API, character for character.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The App ID URIs and the client id.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.app_id_uris.iter().chain([&self.client_id]).map(String::as_str)
    }

    /// Whether the tokens for this app have this optional claim: its access tokens as an API, and
    /// its ID tokens as a client.
    pub(crate) fn wants(&self, claim: OptionalClaim) -> bool {
        self.optional_claims.contains(&claim)
    }

    /// The permission with this name, ignoring case.
    pub(crate) fn scope(&self, name: &str) -> Option<&Scope> {
        self.scopes.iter().find(|scope| scope.name.eq_ignore_ascii_case(name))
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

/// The kind of program to which a redirect URI belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// A script in a browser: uses PKCE and no secret, and redeems codes cross-origin.
    SinglePage,
    /// A server, which authenticates.
    Web,
    /// A program on the person's machine, without a secret.
    Native,
}

/// A claim that tokens have only if the app that they are for asks for it
/// (<https://learn.microsoft.com/entra/identity-platform/optional-claims-reference>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OptionalClaim {
    /// 1 for a guest, 0 for a member.
    Acct,
    /// The authentication contexts that the client has requested.
    Acrs,
    /// The mail address of the person.
    Email,
    /// The last name of the person. Access tokens of version 1 always have it.
    FamilyName,
    /// The first name of the person. Access tokens of version 1 always have it.
    GivenName,
    /// The ids of the person's groups.
    Groups,
    /// `app` in app-only tokens. Entra also adds it to tokens of people if the API sets
    /// `include_user_token`, which is not supported here.
    Idtyp,
    /// The sign-in name of a member of the tenant. Access tokens of version 1 always have it.
    Upn,
    /// Facts about the client, such as that it is an agent.
    XmsActFct,
    /// The capabilities of the client.
    XmsCc,
    /// The Azure resource of the client, if the client is a managed identity. In Entra, only APIs
    /// of Microsoft get it.
    XmsMirid,
    /// The client id of the client's blueprint, if the client is an agent.
    XmsParAppAzp,
    /// Facts about the subject, such as that it is an agent's user account.
    XmsSubFct,
}

impl OptionalClaim {
    /// The name of the claim in tokens and directory files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Acct => "acct",
            Self::Acrs => "acrs",
            Self::Email => "email",
            Self::FamilyName => "family_name",
            Self::GivenName => "given_name",
            Self::Groups => "groups",
            Self::Idtyp => "idtyp",
            Self::Upn => "upn",
            Self::XmsActFct => "xms_act_fct",
            Self::XmsCc => "xms_cc",
            Self::XmsMirid => "xms_mirid",
            Self::XmsParAppAzp => "xms_par_app_azp",
            Self::XmsSubFct => "xms_sub_fct",
        }
    }
}
