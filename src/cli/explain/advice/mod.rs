//! What each case means, and how to fix it: in the portal, with the Azure CLI, in the settings and
//! in the development tenant.

mod audience;
mod key;
mod rights;
mod tenant;
mod token;

use poem_entra::Settings;
use serde::Serialize;

use crate::cases::Case;

use super::unverified::UnverifiedToken;

/// The cause of a refusal, and its fix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Advice {
    /// What is wrong, in sentences.
    pub(super) cause: String,
    /// Several causes in the order in which to check them, each with its fix in the portal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) steps: Vec<String>,
    /// What to do in the Entra admin center, or in the client. Empty if there are steps.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) portal: String,
    /// Commands of the Azure CLI that do the same, or show what is set now.
    pub(super) az: Vec<String>,
    /// A setting of this API to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) setting: Option<String>,
    /// What to do with the development tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) development: Option<String>,
}

/// What the advice depends on.
pub(super) struct Situation<'a> {
    pub(super) token: &'a UnverifiedToken,
    pub(super) settings: &'a Settings,
    /// The client id of Swagger UI, which requests tokens only for this API.
    pub(super) swagger_ui: Option<&'a str>,
    /// Whether the settings are those of the development tenant.
    pub(super) is_dev: bool,
    /// The scope in the form in which clients request it.
    pub(super) scope: &'a str,
    /// The same as in tokens.
    pub(super) short_scope: &'a str,
    /// The app roles or scopes that the refused operation requires: `Admin` or `A or B`.
    pub(super) required: Option<&'a str>,
    /// The value that was expected and the one that was received.
    pub(super) expected: Option<&'a str>,
    pub(super) detail: &'a str,
    /// Seconds since 1970.
    pub(super) now: u64,
}

impl Advice {
    /// The advice for a case. An empty text is left out when it is shown.
    pub(super) fn of(case: Case, situation: &Situation<'_>) -> Self {
        let advice = match case {
            Case::V1Token
            | Case::GraphToken
            | Case::IdToken
            | Case::AudienceForm
            | Case::OtherAudience
            | Case::OtherScope => audience::of(case, situation),
            Case::WrongTenant
            | Case::TenantNotAllowed
            | Case::PersonalAccount
            | Case::Guest
            | Case::WrongIssuer => tenant::of(case, situation),
            Case::MissingScope
            | Case::NoConsent
            | Case::AppOnlyToken
            | Case::MissingRole
            | Case::Agent
            | Case::DeviceToken
            | Case::GroupsOverage
            | Case::Revoked
            | Case::StepUp
            | Case::Denied => rights::of(case, situation),
            Case::UnknownKey
            | Case::RotatedKey
            | Case::OtherCloudKey
            | Case::ExternalIdKey
            | Case::OwnSigningKey
            | Case::OtherAuthorityKey
            | Case::OtherIssuerKey
            | Case::NoKeys => key::of(case, situation),
            Case::Expired
            | Case::NotYetValid
            | Case::BrokenSignature
            | Case::TruncatedToken
            | Case::EncryptedToken
            | Case::BoundToken
            | Case::NotAJwt
            | Case::OtherScheme
            | Case::WrongHeader
            | Case::BadClaim => token::of(case, situation),
        };
        Self { development: advice.development.filter(|_| situation.is_dev), ..advice }
    }

    fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), ..Self::default() }
    }

    fn step(mut self, text: impl Into<String>) -> Self {
        self.steps.push(text.into());
        self
    }

    fn portal(mut self, text: impl Into<String>) -> Self {
        self.portal = text.into();
        self
    }

    fn az(mut self, command: impl Into<String>) -> Self {
        self.az.push(command.into());
        self
    }

    /// The two commands that sign a user in and print a token for this API.
    fn az_new_token(self, situation: &Situation<'_>) -> Self {
        let Situation { scope, settings, .. } = situation;
        let tenant = &settings.tenant;
        self.az(format!("az login --tenant {tenant} --allow-no-subscriptions --scope {scope}")).az(
            format!(
                "az account get-access-token --tenant {tenant} --scope {scope} --query accessToken \
             --output tsv"
            ),
        )
    }

    fn setting(mut self, text: impl Into<String>) -> Self {
        self.setting = Some(text.into());
        self
    }

    fn development(mut self, text: impl Into<String>) -> Self {
        self.development = Some(text.into());
        self
    }

    /// How to get a good token of the development tenant.
    fn dev_token(self) -> Self {
        self.development("Get another token: todo-api token --as uma")
    }
}

impl Situation<'_> {
    /// The API's client id.
    fn api(&self) -> &str {
        &self.settings.client_id
    }

    /// The client id of the app that requested the token, or a placeholder.
    fn client(&self) -> &str {
        self.token.client().unwrap_or("<client id of the client>")
    }

    /// A claim that is a GUID, or a placeholder. Only such claims become part of a command.
    fn guid<'a>(&'a self, name: &str, placeholder: &'a str) -> &'a str {
        self.token.guid(name).unwrap_or(placeholder)
    }

    /// A claim as text, or a placeholder. It must not become part of a command.
    fn claim<'a>(&'a self, name: &str, placeholder: &'a str) -> &'a str {
        self.token.text(name).unwrap_or(placeholder)
    }
}
