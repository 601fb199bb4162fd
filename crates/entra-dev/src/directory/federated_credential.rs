//! Federated identity credentials: the foreign issuers that an app trusts.

use serde::{Deserialize, Serialize};
use toml::Spanned;
use url::{Host, Url};

use super::{
    check::Checks,
    entries::{AppEntry, Text},
};

/// A token of this issuer, subject and audience is a credential of the app
/// (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation>). As in Entra, all
/// three are compared character for character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FederatedCredential {
    /// The `iss` claim: a URL below which the metadata of the issuer is.
    pub(crate) issuer: String,
    /// The `sub` claim.
    pub(crate) subject: String,
    /// The `aud` claim, or one of them.
    pub(crate) audience: String,
}

/// The audience of tokens that are exchanged at Entra.
pub(crate) const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// The maximum number of federated credentials of an app, as in Entra.
const MOST: usize = 20;
/// The maximum length of an issuer, subject or audience, as in Entra.
const MAX_LENGTH: usize = 600;

/// An entry of `federated_credentials`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FederatedCredentialEntry {
    pub(super) issuer: Text,
    subject: Text,
    #[serde(default = "default_audiences")]
    audiences: Spanned<Vec<String>>,
}

/// The field of `FederatedCredentialEntry` that has a default.
pub(super) const AUDIENCES: &str = "audiences";

fn default_audiences() -> Spanned<Vec<String>> {
    Spanned::new(0..0, vec![TOKEN_EXCHANGE.to_owned()])
}

impl AppEntry {
    pub(super) fn to_federated_credentials(&self, checks: &mut Checks) -> Vec<FederatedCredential> {
        if let Some(credential) = self.federated_credentials.get(MOST) {
            let text = format!("an app cannot have more than {MOST} federated credentials");
            checks.report(credential.issuer.span(), text);
        }
        let mut credentials: Vec<FederatedCredential> = Vec::new();
        for entry in &self.federated_credentials {
            let credential = entry.to_credential(checks);
            let is_same = |known: &FederatedCredential| {
                known.issuer == credential.issuer && known.subject == credential.subject
            };
            if credentials.iter().any(is_same) {
                let text = "there is another federated credential with this issuer and subject";
                checks.report(entry.subject.span(), text);
            }
            credentials.push(credential);
        }
        credentials
    }
}

impl FederatedCredentialEntry {
    fn to_credential(&self, checks: &mut Checks) -> FederatedCredential {
        if !is_issuer(self.issuer.as_ref()) {
            let text = "an issuer must be a URL with https, or with http on this machine, without \
                        a query and a fragment, of at most 600 characters";
            checks.report(self.issuer.span(), text);
        }
        if !is_name(self.subject.as_ref()) {
            let text = "a subject must have between 1 and 600 characters";
            checks.report(self.subject.span(), text);
        }
        let audience = match self.audiences.as_ref().as_slice() {
            [audience] if is_name(audience) => audience.clone(),
            _ => {
                let text = "as in Entra, there must be exactly one audience, of at most 600 \
                            characters";
                checks.report(self.audiences.span(), text);
                String::new()
            }
        };
        FederatedCredential {
            issuer: self.issuer.as_ref().clone(),
            subject: self.subject.as_ref().clone(),
            audience,
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_LENGTH).contains(&text.chars().count())
}

/// Whether keys can be fetched from this issuer.
fn is_issuer(text: &str) -> bool {
    let is_plain = |url: &Url| {
        url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    is_name(text) && Url::parse(text).is_ok_and(|url| is_plain(&url) && may_be_fetched(&url))
}

/// Whether keys may be fetched from this URL: with HTTPS, or with HTTP from this machine.
pub(crate) fn may_be_fetched(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_on_this_machine(url))
}

/// Whether the host is a loopback one.
pub(crate) fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
