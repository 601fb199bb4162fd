//! The protected resource metadata (RFC 9728), which tells clients where to get a token.

use serde_json::Value;
use url::Url;

/// The protected resource metadata of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// The path at which clients look for the document (RFC 9728, section 3.1): first the
    /// well-known name, then the path of the API's URL. The path begins at the root of the host.
    pub path: String,
    /// The document (RFC 9728, section 2).
    pub document: Value,
}

impl ResourceMetadata {
    /// The path for an API whose URL has no path.
    pub const ROOT_PATH: &str = "/.well-known/oauth-protected-resource";
}

/// An API as a protected resource: its URL names it.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// The URL as it was configured, because clients compare it with the URL that they call (RFC
    /// 9728, section 3.3).
    pub(crate) url: String,
    pub(crate) metadata_url: Url,
}

impl Resource {
    /// A resource with this URL.
    ///
    /// # Errors
    ///
    /// A fragment that follows the name of the setting and says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must be an http or https URL".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not contain a user name or a password".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must not have a query or a fragment".into());
        }
        // Such a path means the same to every router and proxy.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if !url.path().bytes().all(is_plain) {
            return Err("must have a path of letters, digits, -, ., _, ~ and / only".into());
        }
        let mut metadata_url = url.clone();
        let path = format!("{}{}", ResourceMetadata::ROOT_PATH, url.path().trim_end_matches('/'));
        metadata_url.set_path(&path);
        Ok(Self { url: text.to_owned(), metadata_url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_name_comes_between_the_host_and_the_path() {
        for (url, metadata) in [
            ("https://api.example", "https://api.example/.well-known/oauth-protected-resource"),
            ("https://api.example/", "https://api.example/.well-known/oauth-protected-resource"),
            (
                "http://localhost:8000/todo",
                "http://localhost:8000/.well-known/oauth-protected-resource/todo",
            ),
            (
                "https://api.example/a/b/",
                "https://api.example/.well-known/oauth-protected-resource/a/b",
            ),
        ] {
            let resource = Resource::parse(url).unwrap();
            assert_eq!(resource.url, url);
            assert_eq!(resource.metadata_url.as_str(), metadata);
        }
    }

    #[test]
    fn only_a_plain_url_names_a_resource() {
        for bad in [
            "",
            "api.example",
            "api://todo",
            "https://user@api.example",
            "https://api.example?tenant=1",
            "https://api.example#todo",
            "https://api.example/:id",
            "https://api.example/*all",
            "https://api.example/a%20b",
            "https://api.example/a,b",
        ] {
            assert!(Resource::parse(bad).is_err(), "{bad}");
        }
    }
}
