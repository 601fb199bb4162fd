//! A secret of the API's registration.

use serde::Deserialize;
use serde_json::json;

use super::{
    call::Call,
    error::Failure,
    graph::Graph,
    permission::Permission,
    resources::{self, Application, PasswordCredential},
    wait::Patience,
};

/// A new secret. Graph tells its value only once.
pub struct NewSecret(String);

impl NewSecret {
    /// The value. Never log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The request that creates a secret with this display name.
    pub fn call(application: &Application, name: &str) -> Call {
        let body = json!({ "passwordCredential": { "displayName": name } });
        Call::post(&["applications", &application.id, "addPassword"], body)
    }

    /// Creates a secret with this display name. One with the same name is removed first: an
    /// interrupted run created it, and its value is lost.
    ///
    /// # Errors
    ///
    /// Why it could not be created.
    pub async fn create(
        graph: &Graph,
        application: &Application,
        name: &str,
    ) -> Result<Self, Failure> {
        let in_terms = |failure: Failure| {
            failure.in_terms_of("create a secret of the registration", Permission::Applications)
        };
        let credentials = application.password_credentials.iter();
        for PasswordCredential { key_id, .. } in credentials.filter(|it| it.display_name == name) {
            let path = ["applications", &application.id, "removePassword"];
            let call = Call::post(&path, json!({ "keyId": key_id }));
            graph.write(&call, Patience::Existing).await.map_err(in_terms)?;
        }
        let call = Self::call(application, name);
        let answer = graph.write(&call, Patience::New).await.map_err(in_terms)?;
        let created: NewPassword = resources::read(answer.body)?;
        Ok(Self(created.secret_text))
    }
}

/// The response that has the value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewPassword {
    secret_text: String,
}
