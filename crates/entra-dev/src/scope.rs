use crate::ids::API_CLIENT_ID;
use crate::refusal::Refusal;

/// The one delegated permission the API has; the `scp` claim carries it in this short form.
pub(crate) const ACCESS_AS_USER: &str = "access_as_user";

/// The full name of that permission, as clients ask for it.
pub(crate) fn access_as_user() -> String {
    format!("api://{API_CLIENT_ID}/{ACCESS_AS_USER}")
}

/// What a client asked for and gets: the API's permission, and perhaps parts of an ID token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    granted: Vec<String>,
}

impl Scope {
    /// Reads the `scope` parameter (RFC 6749 section 3.3).
    ///
    /// It must name the API. `offline_access` is accepted and not granted: there are no refresh
    /// tokens yet, and a scope that is echoed is a promise.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut granted = Vec::<String>::new();
        let mut names_the_api = false;
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "openid" | "profile" | "email" => {}
                "offline_access" => continue,
                _ if is_the_apis(value) => names_the_api = true,
                _ => return Err(Refusal::invalid_scope(value)),
            }
            if !granted.iter().any(|known| known == value) {
                granted.push(value.to_owned());
            }
        }
        if names_the_api { Ok(Self { granted }) } else { Err(Refusal::invalid_scope(text)) }
    }

    /// Whether one of the OpenID Connect scopes was asked for.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.granted.iter().any(|granted| granted == name)
    }

    /// The `scope` of the token response, in the client's own strings: MSAL compares them.
    pub(crate) fn granted(&self) -> String {
        self.granted.join(" ")
    }
}

/// Entra takes the app id URI or the bare client id as the resource, and `.default` for whatever
/// has been consented to, which here is everything.
fn is_the_apis(value: &str) -> bool {
    value.strip_prefix("api://").unwrap_or(value).split_once('/').is_some_and(
        |(resource, permission)| {
            resource.eq_ignore_ascii_case(API_CLIENT_ID)
                && matches!(permission, ACCESS_AS_USER | ".default")
        },
    )
}
