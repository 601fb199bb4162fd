//! An app that requires consent.

use entra_dev::ids::CONTOSO;

use super::{Answer, Browser, Form};

pub(crate) const PLANNER: &str = "c4000000-0000-4000-8000-000000000001";

/// The app Planner and the API Calendar, as entries of a directory file.
pub(crate) const PLANNER_ENTRIES: &str = r#"
[[apps]]
client_id = "c4000000-0000-4000-8000-000000000001"
name = "Planner"
tenant = "Contoso"
consent_required = true
redirect_uris.spa = ["http://localhost:8000/oauth2-redirect"]

[[apps]]
client_id = "c4000000-0000-4000-8000-000000000002"
name = "Calendar API"
tenant = "Contoso"
app_id_uri = "api://calendar"
scopes = ["read", "write"]
admin_scopes = ["manage"]
"#;

/// The authorization request of Planner for this scope.
pub(crate) fn planner_requests(scope: &str) -> Form {
    Form::authorization().with("client_id", PLANNER).with("scope", scope)
}

/// Accepts on the consent page of this person.
pub(crate) async fn accept(browser: &Browser, form: &Form, account: &str) -> Answer {
    browser.pick(CONTOSO, &form.clone().with("consent", "accept"), account).await
}
