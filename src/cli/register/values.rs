//! The values of options: each is checked before it becomes a part of a request or of `.env`.

use std::str::FromStr;

use poem_entra::{ClientId, settings::not_a_guid};
use url::Url;
use uuid::Uuid;

use crate::{api::security, config::registration, register::Names};

/// A person and an app role.
#[derive(Debug, Clone)]
pub(super) struct RoleAssignment {
    pub(super) user: String,
    pub(super) role: String,
}

impl FromStr for RoleAssignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (user, role) = text.rsplit_once('=').ok_or("write it as NAME=ROLE")?;
        let user = user.trim();
        if user.is_empty() {
            return Err("the name is missing".to_owned());
        }
        if !is_sign_in_name(user) && Uuid::try_parse(user).is_err() {
            return Err(format!("{user} is not a sign-in name, such as ada@contoso.com"));
        }
        let roles: Vec<_> = security::registered_roles().map(|(name, _)| name).collect();
        if !roles.contains(&role) {
            return Err(format!("there is no app role {role}, only {}", roles.join(", ")));
        }
        Ok(Self { user: user.to_owned(), role: role.to_owned() })
    }
}

/// Whether this can be the sign-in name of a person. It becomes a part of a URL, in which some
/// characters would lead elsewhere.
fn is_sign_in_name(text: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !r"/\?%".contains(c);
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
        && text.chars().all(is_plain)
}

pub(super) fn client_id(text: &str) -> Result<String, String> {
    match ClientId::parse(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("it {}", not_a_guid(text))),
    }
}

/// A tenant is a part of the URL at which people sign in.
pub(super) fn tenant(text: &str) -> Result<String, &'static str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    match text.starts_with(char::is_alphanumeric) && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("write the GUID or a domain of the tenant, such as contoso.com"),
    }
}

pub(super) fn names(text: &str) -> Result<Names, String> {
    // Graph's limit of 256 also holds for the second registration, whose name is longer.
    const LONGEST: usize = 200;
    if text.len() > LONGEST {
        return Err(format!("a name may have at most {LONGEST} bytes"));
    }
    if text.contains(char::is_control) {
        return Err("a name must not contain line breaks or other control characters".to_owned());
    }
    Names::new(text).ok_or_else(|| "a name must contain a letter or a digit".to_owned())
}

const NO_APP_ID_URI: &str = "write a URI with a scheme and a host, such as api://todo.contoso.com, \
    without commas, quotes or spaces";

/// The setting is a list with commas, in a file with quotes.
pub(super) fn app_id_uri(text: &str) -> Result<String, &'static str> {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !",'\"".contains(c);
    // `api://${API_CLIENT_ID}` has no host before there is an id.
    let is_complete = |url: Url| !url.has_authority() || url.has_host();
    match text.chars().all(is_plain) && Url::parse(text).is_ok_and(is_complete) {
        true => Ok(text.to_owned()),
        false => Err(NO_APP_ID_URI),
    }
}

/// Refuses what is left of `api://{tenant}/${API_CLIENT_ID}` without an id. A registered URI may
/// end with a slash.
pub(super) fn complete(uri: String, is_new: bool) -> Result<String, &'static str> {
    match is_new && uri.ends_with('/') {
        true => {
            Err("a new URI must not end with a slash. If it refers to API_CLIENT_ID, put a line \
            API_CLIENT_ID= above it")
        }
        false => Ok(uri),
    }
}

pub(super) fn secure_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(registration::is_secure);
    url.ok_or("it must be an https URL, or an http URL of this machine")
}
