//! The security scheme in the document, which tells clients how to sign a user in.

use poem_openapi::registry::{
    MetaOAuthFlow, MetaOAuthFlows, MetaOAuthScope, MetaSecurityScheme, Registry,
};

use crate::policy::Policy;

use super::mark::mark;

/// The security scheme of an API that Microsoft Entra ID protects: authorization code flow with
/// PKCE. Declare one with [`security_scheme!`](crate::security_scheme).
pub trait SecurityScheme: 'static {
    /// The scopes and their descriptions. Each scope begins with the placeholder `{api}`, which
    /// [`publish`](super::publish) replaces with the App ID URI.
    const SCOPES: &'static [(&'static str, &'static str)];

    /// Adds the scheme to the document. Your own guard calls it from `register`.
    fn register(registry: &mut Registry) {
        let scopes = Self::SCOPES
            .iter()
            .map(|&(name, description)| MetaOAuthScope { name, description: Some(description) });
        let authorization_code = MetaOAuthFlow {
            authorization_url: Some("{authority}/oauth2/v2.0/authorize"),
            token_url: Some("{authority}/oauth2/v2.0/token"),
            refresh_url: None,
            scopes: scopes.collect(),
        };
        let scheme = MetaSecurityScheme {
            ty: "oauth2",
            description: Some("Microsoft Entra ID: authorization code flow with PKCE."),
            name: None,
            key_in: None,
            scheme: None,
            bearer_format: None,
            flows: Some(MetaOAuthFlows {
                implicit: None,
                password: None,
                client_credentials: None,
                authorization_code: Some(authorization_code),
            }),
            openid_connect_url: None,
        };
        registry.create_security_scheme(NAME, scheme);
    }

    /// The scheme's name and the description of the policy, in a form that
    /// [`publish`](super::publish) recognizes. Your own guard returns them from `security_schemes`.
    fn with_policy<P: Policy>() -> Vec<&'static str> {
        vec![NAME, mark::<P>()]
    }
}

/// The scheme's name in the document.
const NAME: &str = "oauth2";

/// Declares a [`SecurityScheme`](crate::poem::SecurityScheme) with the API's scopes and their
/// descriptions. The scopes are short names, as in tokens.
///
/// ```
/// poem_entra::security_scheme!(pub EntraId, "access_as_user" = "Act as the signed-in user.");
/// ```
#[macro_export]
macro_rules! security_scheme {
    ($(#[$attribute:meta])* $visibility:vis $name:ident, $($scope:literal = $text:literal),+ $(,)?) => {
        $(#[$attribute])*
        #[doc = "The security scheme: Microsoft Entra ID, authorization code flow with PKCE."]
        $visibility struct $name;

        impl $crate::poem::SecurityScheme for $name {
            const SCOPES: &'static [(&'static str, &'static str)] =
                &[$((concat!("{api}/", $scope), $text)),+];
        }
    };
}
