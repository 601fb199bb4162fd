//! Which App ID URIs an application may get:
//! <https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions>.

use url::Url;

use super::{directory::TENANT, refusal::Refusal};

/// Refuses a URI that contains neither the client id nor the tenant id nor a verified domain.
pub(super) fn check(uri: &str, client_id: &str, verified: &[String]) -> Result<(), Refusal> {
    let unverified = || {
        let message = format!(
            "Failed to add identifier URI {uri}. All newly added URIs must contain a tenant \
             verified domain, tenant ID, or app ID, as per the default tenant policy of your \
             organization."
        );
        Refusal::new(400, "HostNameNotOnVerifiedDomain", message)
            .with_details("HostNameNotOnVerifiedDomain", "identifierUris")
    };
    let url = Url::parse(uri).map_err(|_| invalid())?;
    let host = url.host_str().ok_or_else(invalid)?;
    if !matches!(url.scheme(), "api" | "https" | "http") || uri.ends_with('/') || uri.len() > 255 {
        return Err(invalid());
    }
    let is_verified = verified.iter().any(|domain| {
        host.strip_suffix(domain.as_str())
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    });
    let mut parts = uri.split(['/', ':']);
    let names_owner = url.scheme() == "api"
        && parts.any(|part| part == TENANT || (!client_id.is_empty() && part == client_id));
    match is_verified || names_owner {
        true => Ok(()),
        false => Err(unverified()),
    }
}

fn invalid() -> Refusal {
    Refusal::invalid_value("identifierUris", "has an invalid value.")
}
