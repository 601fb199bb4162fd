//! Why a registration could not be completed, in words. Microsoft Graph's error codes:
//! <https://learn.microsoft.com/graph/errors>.

use std::time::Duration;

use reqwest::StatusCode;

use super::{permission::Permission, refusal::Refusal};

/// Why a registration could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The HTTP client could not be created.
    #[error("failed to start the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The token contains a character that is not allowed in tokens.
    #[error("the token cannot be used, because it contains {0}")]
    TokenCharacter(&'static str),
    /// There was no response.
    #[error("Microsoft Graph cannot be reached at {host}")]
    Unreachable {
        /// The host.
        host: String,
        /// The error of the HTTP client.
        #[source]
        source: reqwest::Error,
    },
    /// A change was sent, and there was no response.
    #[error("the last change was sent to {host}, but the response was lost")]
    LostResponse {
        /// The host.
        host: String,
        /// The error of the HTTP client.
        #[source]
        source: reqwest::Error,
    },
    /// Graph refused a request.
    #[error("Microsoft Graph refused the request: {0}")]
    Refused(Refusal),
    /// A change was sent, and Graph failed.
    #[error("Microsoft Graph failed during the change: {0}")]
    Failed(Refusal),
    /// The token's audience is another resource.
    #[error("the token is not for Microsoft Graph")]
    WrongAudience,
    /// The token is too old.
    #[error("the token has expired")]
    Expired,
    /// Graph does not accept the token.
    #[error("Microsoft Graph does not accept the token: {0}")]
    InvalidToken(String),
    /// The caller lacks a permission.
    #[error("this account may not {what}")]
    Forbidden {
        /// What was to be done.
        what: String,
        /// What is missing.
        permission: Permission,
    },
    /// An App ID URI has a domain that the tenant does not own.
    #[error("the domain of the App ID URI is not verified in the tenant: {0}")]
    UnverifiedDomain(String),
    /// An App ID URI belongs to another registration.
    #[error("another registration already has the App ID URI {0}")]
    UriTaken(String),
    /// An App ID URI has a form that Graph does not accept.
    #[error("Microsoft Graph does not accept the App ID URI {0}")]
    InvalidUri(String),
    /// The unique name belongs to a registration that the caller may not change.
    #[error(
        "the name is taken: there is a registration with the unique name {0}, and this account may \
         not change it"
    )]
    NameTaken(String),
    /// The unique name belongs to a registration that was deleted less than 30 days ago.
    #[error("the name is taken: a deleted registration still has the unique name {0}")]
    NameOfDeleted(String),
    /// Graph refuses to change the registration, probably because it names clients that the tenant
    /// does not have.
    #[error(
        "Microsoft Graph refused the request: {refusal}. The reason may be that the registration {name} \
         names clients that the tenant does not have: {}",
        .clients.join(", ")
    )]
    UnknownClients {
        /// The response.
        refusal: Refusal,
        /// The display name of the registration.
        name: String,
        /// The client ids.
        clients: Vec<String>,
    },
    /// Graph was asked too often.
    #[error("Microsoft Graph still refuses after five minutes ({0})")]
    Throttled(Refusal),
    /// Graph asks for a wait that is too long.
    #[error("Microsoft Graph asks to wait {} minutes ({refusal})", .wait.as_secs().div_ceil(60))]
    LongWait {
        /// The wait.
        wait: Duration,
        /// The response.
        refusal: Refusal,
    },
    /// Changes that Graph accepted are not visible.
    #[error("Microsoft Graph still does not show what was changed, after a minute")]
    NotVisible,
    /// The settings name a registration that does not exist.
    #[error("{variable} is {client_id}, but the tenant has no registration with this client id")]
    NoRegistration {
        /// The setting.
        variable: &'static str,
        /// Its value.
        client_id: String,
    },
    /// A setting names the other one of the two registrations.
    #[error("{variable} is the client id of the other registration, {name}")]
    OtherRegistration {
        /// The setting.
        variable: &'static str,
        /// The display name of the registration.
        name: String,
    },
    /// Nobody has this name.
    #[error("there is no user {0} in the tenant")]
    NoUser(String),
    /// A list continues on another server.
    #[error("a link in the response leads to another server, or in a circle")]
    OtherServer,
    /// The response to a question is not a JSON object, or has no content.
    #[error("{host} does not respond like Microsoft Graph")]
    NotGraph {
        /// The host.
        host: String,
    },
    /// The response is too large.
    #[error("the response is larger than 16 MiB")]
    TooLarge,
    /// The response has another form than Graph documents.
    #[error("the response cannot be understood")]
    Unreadable(#[from] serde_json::Error),
    /// A person stopped the program.
    #[error("stopped")]
    Stopped,
}

impl Failure {
    /// For a request that changes something: without a response, or after an internal error, nobody
    /// knows whether it did.
    pub(super) fn after_write(self) -> Self {
        match self {
            // Nothing was sent without a connection.
            Self::Unreachable { host, source } if !source.is_connect() => {
                Self::LostResponse { host, source }
            }
            Self::Refused(refusal) if refusal.status.is_server_error() => Self::Failed(refusal),
            other => other,
        }
    }

    /// The same failure in terms of what was to be done: a phrase such as "read the tenant".
    pub(super) fn in_terms_of(self, what: &str, permission: Permission) -> Self {
        let Self::Refused(refusal) = self else { return self };
        let says = |text: &str| refusal.message.to_ascii_lowercase().contains(text);
        match refusal.status {
            StatusCode::UNAUTHORIZED if says("audience") => Self::WrongAudience,
            StatusCode::UNAUTHORIZED if says("expired") => Self::Expired,
            StatusCode::UNAUTHORIZED => Self::InvalidToken(refusal.to_string()),
            StatusCode::FORBIDDEN => Self::Forbidden { what: what.to_owned(), permission },
            _ if refusal.is_unverified_domain() => Self::UnverifiedDomain(refusal.message),
            _ if refusal.is_conflict() && says("identifieruris") => Self::UriTaken(refusal.message),
            _ if refusal.is_invalid_uri() => Self::InvalidUri(refusal.message),
            _ => Self::Refused(refusal),
        }
    }

    /// Whether a change may have been made all the same.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::LostResponse { .. } | Self::Failed(_))
    }

    /// What to do.
    pub fn advice(&self) -> String {
        match self {
            Self::Client(_) => "Install the CA certificates of the system (ca-certificates), or \
                name a file with SSL_CERT_FILE."
                .to_owned(),
            Self::TokenCharacter(_) => {
                "A token is one word. Copy it again, on one line, without quotes \
                and without the word Bearer. Or run the command with --use-az."
                    .to_owned()
            }
            Self::Unreachable { .. } => "Check the network. If this machine must use a proxy, set \
                HTTPS_PROXY in the environment. Another cloud needs AAD_INSTANCE or --graph-url."
                .to_owned(),
            Self::WrongAudience => "Get one with: az account get-access-token --resource-type \
                ms-graph --query accessToken --output tsv\nOr run the command with --use-az."
                .to_owned(),
            Self::Expired | Self::InvalidToken(_) => {
                "Sign in again: az login, then run the command \
                with --use-az. A token in GRAPH_TOKEN is valid for about an hour."
                    .to_owned()
            }
            Self::Forbidden { permission, .. } => permission.advice(),
            Self::UnverifiedDomain(_) => {
                "Verify the domain under Custom domain names in the Entra \
                admin center, or use a URI that contains the client id: without --app-id-uri and \
                APP_ID_URI, it is api:// and the client id."
                    .to_owned()
            }
            Self::UriTaken(_) => {
                "Choose another URI with --app-id-uri. If the other registration is \
                not needed any more, delete it, also under Deleted applications."
                    .to_owned()
            }
            Self::InvalidUri(_) => "Use one that begins with api:// or https://, contains the client id \
                or a verified domain of the tenant, and does not end with a slash. Without \
                --app-id-uri and APP_ID_URI, it is api:// and the client id."
                .to_owned(),
            Self::NameTaken(_) => "Choose another name with --name. If the registration is yours, \
                set API_CLIENT_ID and SWAGGER_UI_CLIENT_ID in .env."
                .to_owned(),
            Self::NameOfDeleted(_) => {
                "In the Entra admin center, under App registrations, Deleted \
                applications, delete it permanently or restore it. Or choose another name with \
                --name."
                    .to_owned()
            }
            Self::NotGraph { .. } => {
                "Check the network: a proxy, or a public network with a sign-in page, may have \
                responded in place of Microsoft Graph. If --graph-url is set, check it."
                    .to_owned()
            }
            Self::Refused(_) | Self::Unreadable(_) | Self::TooLarge | Self::OtherServer => {
                "https://learn.microsoft.com/graph/errors explains the code. If there is none, another \
                 server, such as a proxy, may have responded: check the network and --graph-url."
                    .to_owned()
            }
            Self::UnknownClients { name, .. } => format!(
                "If a client was deleted, remove its id from the registration {name} in the Entra admin \
                 center: under Expose an API, Authorized client applications, and under Manifest, \
                 knownClientApplications."
            ),
            Self::LongWait { .. } => "Wait until this time has passed.".to_owned(),
            Self::Throttled(_) | Self::Failed(_) | Self::NotVisible => {
                "Wait a few minutes.".to_owned()
            }
            Self::NoRegistration { variable, .. } => format!(
                "Correct {variable} in .env or in the environment. If the registration was deleted, \
                 empty {variable}: it is created again then. Check also that you signed in to the \
                 right tenant."
            ),
            Self::OtherRegistration { .. } => "Correct API_CLIENT_ID and SWAGGER_UI_CLIENT_ID in .env or \
                in the environment."
                .to_owned(),
            Self::NoUser(_) => "Write the sign-in name (user principal name) that the Entra admin \
                center shows. A guest's contains #EXT#, so put it in quotes."
                .to_owned(),
            Self::LostResponse { .. } => "Check the network.".to_owned(),
            Self::Stopped => String::new(),
        }
    }
}
