//! Why a managed identity gets no token, in the formats of both protocols.

use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::{audit::Outcome, directory::App, keys::SignError, refusal::Refusal};

/// Why there is no token.
#[derive(Debug)]
pub(super) enum Denial {
    /// IMDS is not to be reached through a proxy.
    Forwarded,
    IdentityHeaderMissing,
    IdentityHeaderWrong,
    MetadataHeader,
    Missing(&'static str),
    Repeated(&'static str),
    SeveralIdentities,
    SeveralSelectors,
    UnknownIdentity,
    UnknownTenant(String),
    Version {
        version: String,
        first: &'static str,
    },
    /// Entra refuses the token.
    Entra(Refusal),
}

impl Denial {
    /// An API that requires an assignment.
    pub(super) fn not_assigned(identity: &App, resource: &App) -> Self {
        Self::Entra(Refusal::assignment_of_app_missing(&identity.client_id, &resource.name))
    }

    /// A token that could not be signed.
    pub(super) fn signing_failed(error: &SignError) -> Self {
        Self::Entra(Refusal::signing_failed(error))
    }

    /// An API that is not in the directory.
    pub(super) fn unknown_resource(resource: &str, tenant: &str) -> Self {
        Self::Entra(Refusal::resource_unknown(resource, tenant))
    }

    /// What the audit trail records.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Entra(refusal) => refusal.outcome(),
            _ => Outcome::Refused { aadsts: 0, reason: self.text(UNKNOWN_IDENTITY) },
        }
    }

    /// The response of App Service. As there, a refusal of Entra is an internal error.
    pub(super) fn of_app_service(&self, correlation_id: String, now: u64) -> (StatusCode, Value) {
        let (status, message) = match self {
            Self::Entra(refusal) => {
                let reason = refusal.report(correlation_id.clone(), now).error_description;
                let text =
                    format!("An unexpected error occurred while fetching the AAD Token: {reason}");
                (StatusCode::INTERNAL_SERVER_ERROR, text)
            }
            Self::IdentityHeaderMissing | Self::IdentityHeaderWrong => {
                (StatusCode::UNAUTHORIZED, self.text(UNKNOWN_IDENTITY))
            }
            _ => (StatusCode::BAD_REQUEST, self.text(UNKNOWN_IDENTITY)),
        };
        self.log(&correlation_id);
        let body = json!({
            "statusCode": status.as_u16(),
            "message": message,
            "correlationId": correlation_id,
        });
        (status, body)
    }

    /// The response of IMDS. A refusal of Entra is passed on.
    pub(super) fn of_imds(&self, correlation_id: String, now: u64) -> (StatusCode, Value) {
        match self {
            Self::Entra(refusal) => {
                let report = refusal.report(correlation_id, now);
                (refusal.status, serde_json::to_value(report).unwrap_or_default())
            }
            _ => {
                self.log(&correlation_id);
                let description = self.text("Identity not found");
                let error = match self {
                    Self::MetadataHeader => "bad_request_102",
                    _ => "invalid_request",
                };
                let body = json!({ "error": error, "error_description": description });
                (StatusCode::BAD_REQUEST, body)
            }
        }
    }

    /// What is wrong, with the text of the protocol for an unknown identity.
    fn text(&self, unknown_identity: &str) -> String {
        match self {
            Self::Forwarded => "The request has the header X-Forwarded-For: this endpoint cannot be \
                                used through a proxy."
                .to_owned(),
            Self::IdentityHeaderMissing => "The header X-IDENTITY-HEADER is missing or repeated: \
                                            send the value of IDENTITY_HEADER."
                .to_owned(),
            Self::IdentityHeaderWrong => "The header X-IDENTITY-HEADER is not the value of \
                                          IDENTITY_HEADER. The page of the app below /_dev shows it."
                .to_owned(),
            Self::MetadataHeader => "Required metadata header not specified".to_owned(),
            Self::Missing(name) => format!("Required query variable '{name}' is missing"),
            Self::Repeated(name) => format!("The query variable '{name}' is given more than once"),
            Self::SeveralIdentities => "Multiple user assigned identities exist, please specify the \
                                        clientId / resourceId of the identity in the token request"
                .to_owned(),
            Self::SeveralSelectors => "Only one of client_id, principal_id, object_id and mi_res_id \
                                       can name the identity"
                .to_owned(),
            Self::UnknownIdentity => unknown_identity.to_owned(),
            Self::UnknownTenant(tenant) => format!("There is no tenant '{tenant}' here"),
            Self::Version { version, first } => {
                format!("The api-version '{version}' is not supported: use '{first}' or later")
            }
            Self::Entra(_) => String::new(),
        }
    }

    fn log(&self, correlation_id: &str) {
        tracing::info!(
            correlation_id,
            "the development tenant refused a token for a managed identity"
        );
    }
}

/// The text of App Service.
const UNKNOWN_IDENTITY: &str =
    "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
