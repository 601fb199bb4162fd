//! The refusals of workload identity federation, in alphabetical order.

use crate::federation::FetchError;

use super::Refusal;

impl Refusal {
    /// An algorithm other than RS256.
    pub(crate) fn federated_algorithm(algorithm: &str) -> Self {
        let text = format!(
            "Invalid JWT token. '{algorithm}' is not a supported signature algorithm. Supported \
             signing algorithms are: 'RS256'."
        );
        Self::unauthorized("invalid_client", 5_002_738, text)
    }

    /// A token for another audience than the federated credential names.
    pub(crate) fn federated_audience(audience: &str) -> Self {
        Self::no_record(700_212, "audience", audience)
    }

    /// A token of an issuer that the app does not trust.
    pub(crate) fn federated_issuer(issuer: &str) -> Self {
        Self::no_record(700_211, "issuer", issuer)
    }

    /// A key that the issuer does not publish.
    pub(crate) fn federated_key(key: &str, issuer: &str) -> Self {
        let text = format!(
            "The certificate with identifier {key} used to sign the federated credential could not \
             be found in the metadata of identity provider {issuer}. Please validate that your \
             Identity Provider's metadata exposes the key used to sign the incoming token."
        );
        Self::unauthorized("invalid_client", 7_000_272, text)
    }

    /// A token of this tenant that is not of a managed identity.
    pub(crate) fn federated_own_token() -> Self {
        let text = "Only MSI tokens may be used as Federated Identity Credentials for AAD issuer: \
                    the assertion is not the token of a managed identity.";
        Self::unauthorized("invalid_client", 700_226, text)
    }

    /// A token of another subject than the federated credentials name.
    pub(crate) fn federated_subject(subject: &str) -> Self {
        Self::no_record(700_213, "subject", subject)
    }

    /// A token that says that it is not a JWT.
    pub(crate) fn federated_type() -> Self {
        let text = "Invalid JWT header type specified. Allowed types: 'JWT'.";
        Self::new("invalid_request", 5_002_727, text)
    }

    /// The keys of an issuer cannot be fetched.
    pub(crate) fn issuer_unavailable(error: &FetchError) -> Self {
        let text = format!("Request to External OIDC endpoint failed: {error}.");
        Self::new("invalid_request", 501_661, text)
    }

    fn no_record(number: u32, name: &str, value: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion {name} '{value}'. \
             Check your federated identity credential Subject, Audience and Issuer against the \
             presented assertion. The comparison is case-sensitive."
        );
        Self::unauthorized("invalid_client", number, text)
    }
}
