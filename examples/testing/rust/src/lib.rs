//! A small API that is protected with Microsoft Entra ID. It has no code for tests.

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Route};
use poem_entra::{Policy, Requirement, Settings, StartError, User, Validator, poem::Guard};
use poem_openapi::{OpenApi, OpenApiService, payload::PlainText};

poem_entra::security_scheme!(EntraId, "access_as_user" = "Act as the signed-in user.");

/// A person who has signed in.
struct SignedIn;

impl Policy for SignedIn {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]);
}

/// A person who has signed in and has the app role Admin.
struct Admin;

impl Policy for Admin {
    type Caller = User;
    const REQUIRES: Requirement = Requirement::scope(&["access_as_user"]).and_role(&["Admin"]);
}

struct Api;

#[OpenApi]
impl Api {
    /// Say who is calling
    #[oai(path = "/me", method = "get")]
    async fn get_me(&self, caller: Guard<EntraId, SignedIn>) -> PlainText<String> {
        PlainText(caller.object_id().to_string())
    }

    /// Delete all announcements
    #[oai(path = "/announcements", method = "delete")]
    async fn delete_announcements(&self, _caller: Guard<EntraId, Admin>) {}
}

/// The API for this tenant and app registration.
///
/// # Errors
///
/// If the settings are wrong.
pub fn routes(settings: &Settings) -> Result<impl Endpoint + use<>, StartError> {
    let validator = Arc::new(Validator::new(settings)?);
    // Fetches the signing keys and keeps them fresh.
    validator.maintain();
    Ok(Route::new().nest("/", OpenApiService::new(Api, "Tested API", "1.0")).data(validator))
}
