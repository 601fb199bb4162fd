//! The settings that `register` reads. None is required, because `register` is what sets them.

use poem_entra::{ClientId, settings::not_a_guid};
use url::Url;

use super::{
    Environment, InvalidConfig, ServerConfig,
    reader::{Reader, is_http_elsewhere},
};

/// The settings that name the registrations, and those from which their redirect URI follows.
#[derive(Debug)]
pub struct RegistrationConfig {
    /// `API_CLIENT_ID`, if it is set.
    pub api_client_id: Option<String>,
    /// `SWAGGER_UI_CLIENT_ID`, if it is set.
    pub swagger_ui_client_id: Option<String>,
    /// `AAD_TENANT_ID`, if it is set.
    pub tenant: Option<String>,
    /// `AAD_INSTANCE`.
    pub instance: Url,
    /// `APP_ID_URI`.
    pub app_id_uris: Vec<String>,
    /// `ALLOWED_TENANTS`.
    pub allowed_tenants: Vec<String>,
    /// Whether `API_CLIENT_SECRET` is set.
    pub has_secret: bool,
    /// Where the server listens, and how callers reach it.
    pub server: ServerConfig,
}

impl RegistrationConfig {
    /// Reads and checks these settings.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] lists what is wrong with them.
    pub fn read(environment: &Environment) -> Result<Self, InvalidConfig> {
        let mut reader = Reader::new(environment);
        let server = reader.server();
        let get = |name| environment.get(name).map(str::to_owned);
        let api_client_id = reader.client_id("API_CLIENT_ID");
        let swagger_ui_client_id = reader.client_id("SWAGGER_UI_CLIENT_ID");
        let instance = reader.instance();
        let config = instance.map(|instance| Self {
            api_client_id,
            swagger_ui_client_id,
            tenant: get("AAD_TENANT_ID"),
            instance,
            app_id_uris: environment.list("APP_ID_URI"),
            allowed_tenants: environment.list("ALLOWED_TENANTS"),
            has_secret: get("API_CLIENT_SECRET").is_some(),
            server,
        });
        reader.finish(config)
    }
}

impl Reader<'_> {
    /// A GUID, if the variable is set.
    fn client_id(&mut self, name: &str) -> Option<String> {
        let id = self.get(name)?.to_owned();
        if ClientId::parse(&id).is_none() {
            self.report(format!("{name} {}", not_a_guid(&id)));
        }
        Some(id)
    }

    fn instance(&mut self) -> Option<Url> {
        let name = "AAD_INSTANCE";
        let url = Url::parse(self.get(name)?).ok().filter(is_secure);
        if url.is_none() {
            self.report(format!("{name} must be an https URL, or an http URL of this machine"));
        }
        url
    }
}

/// Whether a token can be sent to this URL: https, or http on this machine.
pub fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && !is_http_elsewhere(url.as_str()))
}
