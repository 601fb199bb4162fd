//! The APIs of Microsoft that are in every directory.

use crate::ids::{MICROSOFT_GRAPH, TOKEN_EXCHANGE};

use super::{
    app::{App, OptionalClaim, Scope},
    federated_credential::TOKEN_EXCHANGE as TOKEN_EXCHANGE_URI,
};

/// The only permission in a `.default` of Microsoft Graph. Every new app registration has it.
const DEFAULT_PERMISSION: &str = "User.Read";

/// The permissions of Microsoft Graph that exist here. Only administrators can consent to those
/// with `true`. All but the first one are also app roles
/// (<https://learn.microsoft.com/graph/permissions-reference>).
const PERMISSIONS: [(&str, bool); 6] = [
    (DEFAULT_PERMISSION, false),
    ("User.ReadBasic.All", false),
    ("User.Read.All", true),
    ("GroupMember.Read.All", true),
    ("Group.Read.All", true),
    ("Directory.Read.All", true),
];

/// Microsoft Graph. `http::graph` and the user information endpoint accept its access tokens.
pub(super) fn graph() -> App {
    let permissions = PERMISSIONS.iter();
    App {
        client_id: MICROSOFT_GRAPH.to_owned(),
        name: "Microsoft Graph".to_owned(),
        app_id_uris: vec!["https://graph.microsoft.com".to_owned()],
        access_token_version: 1,
        scopes: (permissions.clone())
            .map(|(name, admin_consent)| Scope {
                name: (*name).to_owned(),
                admin_consent: *admin_consent,
            })
            .collect(),
        app_roles: permissions.skip(1).map(|(name, _)| (*name).to_owned()).collect(),
        optional_claims: vec![OptionalClaim::Idtyp],
        ..App::default()
    }
}

/// The API whose tokens are client assertions: those of managed identities for apps that trust
/// them, and those of blueprints for their agents
/// (<https://learn.microsoft.com/entra/agent-id/agent-oauth-protocols>).
pub(super) fn token_exchange() -> App {
    App {
        client_id: TOKEN_EXCHANGE.to_owned(),
        name: "Azure AD Token Exchange".to_owned(),
        app_id_uris: vec![TOKEN_EXCHANGE_URI.to_owned()],
        access_token_version: 2,
        optional_claims: vec![
            OptionalClaim::Idtyp,
            OptionalClaim::XmsActFct,
            OptionalClaim::XmsParAppAzp,
            OptionalClaim::XmsSubFct,
        ],
        ..App::default()
    }
}

/// All of them.
pub(super) fn all() -> [App; 2] {
    [graph(), token_exchange()]
}

impl App {
    /// The permissions of this API that `.default` means: all of them, because an administrator has
    /// approved them, except at Microsoft Graph.
    pub(crate) fn default_scopes(&self) -> impl Iterator<Item = &Scope> {
        let only = (self.client_id == MICROSOFT_GRAPH).then_some(DEFAULT_PERMISSION);
        self.scopes.iter().filter(move |scope| only.is_none_or(|name| scope.name == name))
    }
}
