//! Microsoft's types of Graph's objects, as closed JSON Schemas.

use std::{
    process::{Command, Stdio},
    sync::OnceLock,
};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::support::{Tool, require, root};

use super::refusal::Refusal;

/// A validator for the bodies that write each type.
pub(super) struct Schemas(Vec<(Type, Validator)>);

/// A type of Microsoft's package `microsoft-graph-types`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Application,
    ServicePrincipal,
    OAuth2PermissionGrant,
    AppRoleAssignment,
    PasswordCredential,
}

impl Type {
    const ALL: [Self; 5] = [
        Self::Application,
        Self::ServicePrincipal,
        Self::OAuth2PermissionGrant,
        Self::AppRoleAssignment,
        Self::PasswordCredential,
    ];

    fn name(self) -> String {
        format!("{self:?}")
    }

    /// Members that cannot be written, beside those that Microsoft's comments call read-only.
    fn read_only(self) -> &'static [&'static str] {
        match self {
            // Passwords are added with `addPassword`:
            // https://learn.microsoft.com/graph/api/application-update
            Self::Application => &["certification", "deletedDateTime", "passwordCredentials"],
            // They come from the application.
            Self::ServicePrincipal => &[
                "appDisplayName",
                "appOwnerOrganizationId",
                "deletedDateTime",
                "passwordCredentials",
                "servicePrincipalType",
                "verifiedPublisher",
            ],
            Self::AppRoleAssignment => &["deletedDateTime", "resourceDisplayName"],
            Self::PasswordCredential => &["customKeyIdentifier", "keyId"],
            Self::OAuth2PermissionGrant => &[],
        }
    }
}

impl Schemas {
    /// Reads the installed types once. `None` if a tool is missing: then the test must return.
    pub(super) fn load(test: &str) -> Option<&'static Self> {
        static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
        let [node, ..] = require(test, [Tool::Node, Tool::GraphTypes])?;
        Some(SCHEMAS.get_or_init(|| {
            let output = Command::new(node)
                .arg(root().join("tests/graph/schemas.mjs"))
                .args(Type::ALL.map(Type::name))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let schemas: Value = serde_json::from_slice(&output.stdout).unwrap();
            Self(Type::ALL.map(|kind| (kind, validator(kind, &schemas[kind.name()]))).into())
        }))
    }

    /// Whether a body has only members of this type that can be written, with values of their
    /// types.
    pub(super) fn check(&self, kind: Type, body: &Value) -> Result<(), Refusal> {
        let (_, validator) = self.0.iter().find(|(it, _)| *it == kind).unwrap();
        let fault = |error: jsonschema::ValidationError<'_>| {
            Refusal::bad_request(format!(
                "Invalid body of {}: {error} at {:?}",
                kind.name(),
                error.instance_path().as_str()
            ))
        };
        match body.is_object() {
            true => validator.validate(body).map_err(fault),
            false => Err(Refusal::bad_request("Empty Payload. JSON content expected.")),
        }
    }
}

fn validator(kind: Type, schema: &Value) -> Validator {
    let mut schema = schema.clone();
    for (_, definition) in schema["definitions"].as_object_mut().unwrap() {
        let Some(properties) = definition.get_mut("properties").and_then(Value::as_object_mut)
        else {
            continue;
        };
        for (_, property) in properties {
            if property["readOnly"] == true {
                *property = json!(false);
            }
        }
    }
    for member in kind.read_only() {
        let properties = &mut schema["definitions"][kind.name()]["properties"];
        assert!(properties.get(member).is_some(), "{kind:?} has no {member}");
        properties[member] = json!(false);
    }
    jsonschema::options().with_draft(Draft::Draft7).build(&schema).unwrap()
}
