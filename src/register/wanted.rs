//! What the registrations must contain.

use super::declared;

/// What the registrations must contain. Scopes, roles and their texts are not in here: they come
/// from the declaration.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The names of the registrations.
    pub names: Names,
    /// How existing registrations are found. If one is `None`, its unique name is used.
    pub client_ids: ClientIds,
    /// Whose accounts may sign in. `None`: as registered.
    pub audience: Option<Audience>,
    /// The same for a new registration, if `audience` is `None`.
    pub new_audience: Audience,
    /// The App ID URIs. If empty, `api://{client id}`. They may contain [`NEW_CLIENT_ID`].
    pub app_id_uris: Vec<String>,
    /// The redirect URIs of the docs page.
    pub redirect_uris: Vec<String>,
    /// Whether the Azure CLI may get tokens without asking for consent.
    pub allow_azure_cli: bool,
    /// Whether to consent for everybody in the tenant.
    pub admin_consent: bool,
    /// Sign-in names of people, and the app roles to assign to them.
    pub assignments: Vec<(String, String)>,
}

/// Replaces the API's client id in an App ID URI until the API is registered and has one.
pub const NEW_CLIENT_ID: &str = "00000000-0000-0000-0000-000000000000";

impl Wanted {
    /// The App ID URIs of the API with this client id. Empty for the default.
    pub fn app_id_uris_of(&self, client_id: &str) -> Vec<String> {
        self.app_id_uris.iter().map(|uri| uri.replace(NEW_CLIENT_ID, client_id)).collect()
    }
}

/// The names of the two registrations.
#[derive(Debug, Clone)]
pub struct Names {
    name: String,
    unique_name: String,
}

impl Names {
    /// The names that follow from this display name of the API. `None` if it contains no letter or
    /// digit, because the unique name would be empty.
    pub fn new(name: &str) -> Option<Self> {
        let name = name.trim();
        if !name.contains(char::is_alphanumeric) {
            return None;
        }
        let words = name.split(|c: char| !c.is_ascii_alphanumeric());
        let mut words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        // Two names may differ only in what the unique name cannot contain.
        let id = declared::id_of("name", name);
        if !name.is_ascii() {
            words.extend(id.split('-').next());
        }
        let unique_name = words.join("-").to_ascii_lowercase();
        Some(Self { name: name.to_owned(), unique_name })
    }

    /// The display name.
    pub fn display(&self, registration: Which) -> String {
        match registration {
            Which::Api => self.name.clone(),
            Which::SwaggerUi => format!("{} - Swagger UI", self.name),
        }
    }

    /// The alternate key, which only the request that creates the registration can set.
    pub fn unique(&self, registration: Which) -> String {
        match registration {
            Which::Api => self.unique_name.clone(),
            Which::SwaggerUi => format!("{}-swagger-ui", self.unique_name),
        }
    }
}

/// The client ids in the settings.
#[derive(Debug, Clone, Default)]
pub struct ClientIds {
    /// `API_CLIENT_ID`.
    pub api: Option<String>,
    /// `SWAGGER_UI_CLIENT_ID`.
    pub swagger_ui: Option<String>,
}

impl ClientIds {
    pub(super) fn of(&self, registration: Which) -> Option<&str> {
        match registration {
            Which::Api => self.api.as_deref(),
            Which::SwaggerUi => self.swagger_ui.as_deref(),
        }
    }
}

/// One of the two registrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The API, which tokens are issued for.
    Api,
    /// The client that people use to sign in on the docs page.
    SwaggerUi,
}

impl Which {
    pub(super) const ALL: [Self; 2] = [Self::Api, Self::SwaggerUi];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Api => Self::SwaggerUi,
            Self::SwaggerUi => Self::Api,
        }
    }

    /// The setting that contains the client id.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Api => "API_CLIENT_ID",
            Self::SwaggerUi => "SWAGGER_UI_CLIENT_ID",
        }
    }
}

/// Whose accounts may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Those of the tenant.
    MyOrganization,
    /// Those of all tenants.
    AnyOrganization,
    /// Those of all tenants, and personal accounts.
    AnyOrganizationAndPersonal,
}

impl Audience {
    /// The value of `signInAudience`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::MyOrganization => "AzureADMyOrg",
            Self::AnyOrganization => "AzureADMultipleOrgs",
            Self::AnyOrganizationAndPersonal => "AzureADandPersonalMicrosoftAccount",
        }
    }

    /// `None` for a value that `register` never writes, such as `PersonalMicrosoftAccount`.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let all = [Self::MyOrganization, Self::AnyOrganization, Self::AnyOrganizationAndPersonal];
        all.into_iter().find(|audience| audience.as_str() == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_scripts_have_unique_names_of_their_own() {
        let unique = |name: &str| Names::new(name).map(|names| names.unique(Which::Api));
        assert_eq!(unique("Todo API").as_deref(), Some("todo-api"));
        let names = ["Задачи 1", "Склад 1", "Задачи", "1"].map(|name| unique(name).unwrap());
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{names:?}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{names:?}");
        }
        assert_eq!(names[0].len(), "1-01234567".len(), "{names:?}");
        assert_eq!(unique(" Задачи 1 "), unique("Задачи 1"));
        assert_eq!([unique("—"), unique("")], [None, None]);
    }
}
