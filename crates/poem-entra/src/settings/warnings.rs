//! Finds settings that are valid but have no effect.

use url::Url;

use crate::{authority::Directory, ids::ClientId};

use super::{Fault, Setting, Settings, checked::Checked, without_slash};

impl Settings {
    /// The settings that have no effect, which is usually a mistake. Log them when the API starts.
    /// If there are faults ([`Settings::check`]), the list is empty.
    pub fn warnings(&self) -> Vec<Fault> {
        let Ok(checked) = self.checked() else { return Vec::new() };
        let accepted = self.accepted_without_settings(&checked);
        let mut warnings = Vec::new();
        for (index, audience) in self.audiences.iter().enumerate() {
            let known = |other: &String| without_slash(other) == without_slash(audience);
            let problem = if accepted.iter().any(known) {
                "which is accepted anyway".to_owned()
            } else if self.audiences[..index].iter().any(known) {
                "which is already in the list".to_owned()
            } else if audience == "*" {
                "which is not a wildcard: no token has this audience".to_owned()
            } else if let Some(of_scope) = audience_of_scope(audience, &accepted) {
                format!("which is a scope: its tokens have the audience {of_scope}")
            } else if ClientId::parse(audience).is_none() && Url::parse(audience).is_err() {
                "which is neither a GUID nor an absolute URI: no token has this audience".to_owned()
            } else {
                continue;
            };
            let problem = format!("contains {audience:?}, {problem}");
            warnings.push(Fault { setting: Setting::Audiences, problem });
        }
        warnings
    }

    /// The audiences that are accepted without any setting, and those of the App ID URIs.
    fn accepted_without_settings(&self, checked: &Checked) -> Vec<String> {
        let client_id = checked.client_id;
        let mut accepted = vec![client_id.to_string(), checked.app_id_uri.clone()];
        accepted.extend(self.app_id_uris.iter().cloned());
        if let Directory::Tenant(tenant) = checked.authority.directory() {
            accepted.push(format!("api://{tenant}/{client_id}"));
        }
        accepted
    }
}

/// The audience of the tokens that a client gets for this text, if it is a scope: `/.default` after
/// any audience, or a name after an audience of this API.
fn audience_of_scope<'a>(text: &'a str, accepted: &[String]) -> Option<&'a str> {
    let (audience, name) = text.rsplit_once('/')?;
    let is_scope = name == ".default"
        || (!name.is_empty() && accepted.iter().any(|own| without_slash(own) == audience));
    is_scope.then_some(audience)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "33333333-3333-4333-8333-333333333333";

    #[test]
    fn settings_without_an_effect_are_warnings() {
        let tenant = "11111111-1111-4111-8111-111111111111";
        for (audience, expected) in [
            (CLIENT.to_owned(), Some("which is accepted anyway")),
            (format!("api://{CLIENT}"), Some("which is accepted anyway")),
            (format!("api://{CLIENT}/"), Some("which is accepted anyway")),
            (format!("api://{tenant}/{CLIENT}"), Some("which is accepted anyway")),
            ("https://old.contoso.example/".into(), Some("which is already in the list")),
            ("*".into(), Some("which is not a wildcard: no token has this audience")),
            (
                format!("api://{CLIENT}/access_as_user"),
                Some("which is a scope: its tokens have the audience api://"),
            ),
            (
                format!("{CLIENT}/access_as_user"),
                Some("which is a scope: its tokens have the audience 33333333"),
            ),
            (
                "api://todo/.default".into(),
                Some("which is a scope: its tokens have the audience api://todo"),
            ),
            (
                "access_as_user".into(),
                Some("which is neither a GUID nor an absolute URI: no token has this audience"),
            ),
            ("api://todo".into(), None),
            ("https://api.contoso.example/v2".into(), None),
            ("22222222-2222-4222-8222-222222222222".into(), None),
        ] {
            let mut settings = Settings::new(tenant, CLIENT);
            settings.audiences = vec!["https://old.contoso.example".into(), audience.clone()];
            let warnings = settings.warnings();
            let expected = expected.map(|problem| format!("contains {audience:?}, {problem}"));
            match (&warnings[..], expected) {
                ([], None) => {}
                ([Fault { setting: Setting::Audiences, problem }], Some(expected)) => {
                    assert!(problem.starts_with(&expected), "{problem}");
                }
                (warnings, expected) => panic!("{audience}: {warnings:?} {expected:?}"),
            }
        }
        // Only for a single tenant is this audience accepted anyway.
        let mut settings = Settings::new("common", CLIENT);
        settings.allowed_tenants = vec!["any".into()];
        settings.audiences = vec![format!("api://{tenant}/{CLIENT}")];
        assert_eq!(settings.warnings(), []);
        settings.app_id_uris = settings.audiences.clone();
        assert_eq!(settings.warnings().len(), 1);
        settings.client_id.clear();
        assert_eq!(settings.warnings(), [], "faults are reported instead");
    }
}
