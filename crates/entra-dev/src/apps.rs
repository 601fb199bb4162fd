use url::Url;

use crate::ids::{API_CLIENT_ID, SWAGGER_UI_CLIENT_ID};

/// An app registration.
#[derive(Debug)]
pub(crate) struct App {
    /// The client id, a GUID.
    pub(crate) client_id: &'static str,
    /// The name that the account page shows.
    pub(crate) name: &'static str,
    /// The redirect URIs of the platform "single-page application".
    pub(crate) spa_redirect_uris: Vec<String>,
}

impl App {
    /// Whether this exact redirect URI is registered (RFC 9700 section 4.1.3: compare bytes).
    ///
    /// Entra ignores the port of loopback URIs for native apps only, and this is not one.
    pub(crate) fn may_redirect_to(&self, uri: &str) -> bool {
        self.spa_redirect_uris.iter().any(|registered| registered == uri)
    }
}

/// The apps the tenants know.
#[derive(Debug)]
pub(crate) struct Apps {
    registered: [App; 2],
    origins: Vec<String>,
}

impl Apps {
    /// The contract's apps, with these redirect URIs for Swagger UI; the first unusable one if any.
    pub(crate) fn new(spa_redirect_uris: &[String]) -> Result<Self, BadRedirectUri> {
        let origins = spa_redirect_uris.iter().map(|uri| origin(uri)).collect::<Result<_, _>>()?;
        let spa_redirect_uris = spa_redirect_uris.to_vec();
        let swagger_ui = App {
            client_id: SWAGGER_UI_CLIENT_ID,
            name: "Todo API - Swagger UI",
            spa_redirect_uris,
        };
        // The API itself never signs anybody in, hence no redirect URI.
        let api = App { client_id: API_CLIENT_ID, name: "Todo API", spa_redirect_uris: Vec::new() };
        Ok(Self { registered: [swagger_ui, api], origins })
    }

    /// The app with this client id.
    pub(crate) fn find(&self, client_id: &str) -> Option<&App> {
        self.registered.iter().find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    /// Whether scripts of this origin may read the token endpoint's answers. Entra grants that to
    /// the origins of single-page redirect URIs only.
    pub(crate) fn serve_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|registered| registered == origin)
    }
}

/// A redirect URI that cannot be registered.
#[derive(Debug, thiserror::Error)]
#[error("unusable redirect URI {uri:?}: it must be absolute, http or https, ASCII, no fragment")]
pub struct BadRedirectUri {
    uri: String,
}

/// The web origin of a redirect URI (RFC 6454), provided that the URI can be one (RFC 6749 section
/// 3.1.2: absolute, no fragment).
fn origin(uri: &str) -> Result<String, BadRedirectUri> {
    let bad = || BadRedirectUri { uri: uri.to_owned() };
    let parsed = Url::parse(uri).map_err(|_| bad())?;
    let plain = uri.bytes().all(|byte| byte.is_ascii_graphic()) && parsed.fragment().is_none();
    if plain && matches!(parsed.scheme(), "http" | "https") {
        Ok(parsed.origin().ascii_serialization())
    } else {
        Err(bad())
    }
}
