//! The declaration of scopes and roles, and what must agree with it.

use std::collections::BTreeSet;

use todo_api::api::{self, document::DocumentSettings, security};
use toml::Table;

use crate::support::root;

fn registered_roles() -> BTreeSet<String> {
    security::registered_roles().map(|(name, _)| name.to_owned()).collect()
}

fn scopes() -> BTreeSet<String> {
    security::SCOPES.iter().map(|scope| scope.name.to_owned()).collect()
}

#[test]
fn the_document_has_the_scopes_and_roles_of_the_registration() {
    let settings = DocumentSettings {
        server: "http://localhost:8000".into(),
        authority: "http://localhost:8001/t".into(),
        app_id_uri: "api://todo".into(),
    };
    let document = api::document(&settings).unwrap();
    let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"];
    let documented = flow["scopes"].as_object().unwrap().keys();
    let documented = documented.map(|scope| scope.trim_start_matches("api://todo/").to_owned());
    assert_eq!(documented.collect::<BTreeSet<_>>(), scopes());

    let mut required = BTreeSet::new();
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            let roles = operation["x-required-roles"].as_array().into_iter().flatten();
            required.extend(roles.map(|role| role.as_str().unwrap().to_owned()));
        }
    }
    assert!(required.contains("Admin"), "{required:?}");
    assert!(required.is_subset(&registered_roles()), "{required:?}");
}

#[test]
fn the_development_tenant_has_the_scopes_and_roles_of_the_registration() {
    let directory: Table = entra_dev::Directory::EXAMPLE.parse().unwrap();
    let apps = directory["apps"].as_array().unwrap();
    let api = apps.iter().find(|app| app["name"].as_str() == Some("Todo API")).unwrap();
    let list = |member: &str| {
        let items = api[member].as_array().unwrap().iter();
        items.map(|item| item.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(list("scopes"), scopes());
    // The role of an app, which no operation accepts: tests show that it is refused.
    let without_the_app_role: BTreeSet<_> =
        list("app_roles").into_iter().filter(|role| role != "Todos.ReadWrite.All").collect();
    assert_eq!(without_the_app_role, registered_roles());
}

#[test]
fn the_page_for_the_portal_has_the_texts_of_the_registration() {
    let page = std::fs::read_to_string(root().join("docs/ENTRA-SETUP.md")).unwrap();
    for scope in security::SCOPES {
        for text in [
            scope.name,
            scope.admin_consent_name,
            scope.admin_consent_description,
            scope.user_consent_name,
            scope.user_consent_description,
        ] {
            assert!(page.contains(text), "{text}");
        }
    }
    for (name, description) in security::registered_roles() {
        assert!(page.contains(&format!("`{name}` | {description} |")), "{name}");
    }
}
