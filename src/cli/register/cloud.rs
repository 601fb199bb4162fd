//! The address of Microsoft Graph in each cloud
//! (<https://learn.microsoft.com/graph/deployments>).

use anyhow::Context;
use poem_entra::authority::cloud_of_issuer;
use url::Url;

/// Graph's address in the cloud that this instance belongs to. The US Government cloud for DoD has
/// the same instance as the other one, so it needs `--graph-url`.
pub(super) fn graph_of(instance: &Url) -> anyhow::Result<Url> {
    let host = instance.host_str().unwrap_or_default();
    let issuer = format!("https://{host}/{TENANT}/v2.0");
    let address = match cloud_of_issuer(&issuer) {
        Some("US Government") => Some("https://graph.microsoft.us"),
        Some(name) if name.starts_with("China") => Some("https://microsoftgraph.chinacloudapi.cn"),
        Some("the public cloud" | "External ID") => Some("https://graph.microsoft.com"),
        _ => None,
    };
    let address = address.with_context(|| {
        format!(
            "AAD_INSTANCE is {instance}, and it is not known where Microsoft Graph is in that cloud; \
             name its address with --graph-url"
        )
    })?;
    Ok(Url::parse(address)?)
}

/// Any tenant: the cloud does not depend on it.
const TENANT: &str = "11111111-1111-4111-8111-111111111111";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_own_graph() {
        for (instance, expected) in [
            ("https://login.microsoftonline.com", Some("https://graph.microsoft.com/")),
            ("https://login.microsoftonline.us", Some("https://graph.microsoft.us/")),
            (
                "https://login.partner.microsoftonline.cn",
                Some("https://microsoftgraph.chinacloudapi.cn/"),
            ),
            ("https://contoso.ciamlogin.com", Some("https://graph.microsoft.com/")),
            ("http://localhost:8001", None),
            ("https://login.sovcloud-identity.fr", None),
        ] {
            let found = graph_of(&Url::parse(instance).unwrap());
            assert_eq!(found.ok().as_ref().map(Url::as_str), expected, "{instance}");
        }
    }
}
