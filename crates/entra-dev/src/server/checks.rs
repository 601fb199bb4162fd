//! Checks the options before a tenant starts.

use std::net::IpAddr;

use crate::{
    control_token::ControlToken,
    directory::{Directory, is_app_id_uri, origin},
    host_name::HostNames,
    http::Urls,
    ids::API_CLIENT_ID,
    options::Options,
};

use super::error::{BadAppIdUri, BadRedirectUri, StartError};

/// The directory with the App ID URIs and redirect URIs of the options.
pub(super) fn directory_of(options: &Options) -> Result<Directory, StartError> {
    if let Some(uri) = options.spa_redirect_uris.iter().find(|uri| origin(uri).is_none()) {
        return Err(BadRedirectUri { uri: uri.clone() }.into());
    }
    let directory = with_api_known_as(&options.directory, &options.api_app_id_uris)?;
    Ok(directory.with_swagger_ui_at(&options.spa_redirect_uris))
}

/// The directory in which the Todo API has these App ID URIs, if there are any.
fn with_api_known_as(directory: &Directory, uris: &[String]) -> Result<Directory, BadAppIdUri> {
    if uris.is_empty() {
        return Ok(directory.clone());
    }
    let names_another =
        |uri: &str| directory.resource(uri).is_some_and(|app| app.client_id != API_CLIENT_ID);
    match uris.iter().find(|uri| !is_app_id_uri(uri) || names_another(uri)) {
        Some(uri) => Err(BadAppIdUri { uri: uri.clone() }),
        None => Ok(directory.with_api_known_as(uris)),
    }
}

/// Checks that the listeners have different ports, unless the system picks them.
pub(super) fn check_ports(options: &Options) -> Result<(), StartError> {
    match options.https_port {
        Some(port) if port == options.port && port != 0 => Err(StartError::SamePort(port)),
        _ => Ok(()),
    }
}

/// Checks that nobody reaches the tenant by accident, and that it can be reached at each URL that
/// is the issuer of access tokens.
pub(super) fn check_reach(
    directory: &Directory,
    options: &Options,
    names: &HostNames,
) -> Result<(), StartError> {
    if let Some(host) = options.host.filter(|host| !host.is_loopback())
        && (options.answer_to.is_empty() || options.control_token.is_none())
    {
        return Err(StartError::Exposed(host));
    }
    let of_apis = directory.apps().iter().filter_map(|app| app.token_issuer.as_ref());
    for issuer in of_apis.chain([&options.access_token_issuer]) {
        issuer.check_reach(names, options.https_port.is_some())?;
    }
    Ok(())
}

/// Says loudly who can reach the tenant, if it is not only this machine.
pub(super) fn warn_of_reach(urls: &Urls, host: Option<IpAddr>, token: Option<&ControlToken>) {
    if let Some(notice) = urls.notice() {
        tracing::warn!("{notice}");
    }
    if let Some(host) = host.filter(|host| !host.is_loopback()) {
        tracing::warn!("it listens on {host}: other machines may reach it");
    }
    if token.is_some_and(ControlToken::is_short) {
        tracing::warn!("the control token is short: anybody who guesses it can forge tokens");
    }
}
