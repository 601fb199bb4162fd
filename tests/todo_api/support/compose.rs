//! What `compose.yaml` says.

use std::{path::Path, process::Command};

use serde_json::{Map, Value};

/// A service of the compose file.
#[derive(Debug)]
pub(crate) struct Service(pub(crate) Value);

impl Service {
    /// The services with their names. `python` has PyYAML.
    pub(crate) fn read_all(python: &Path) -> Vec<(String, Self)> {
        let program =
            "import json, sys, yaml; json.dump(yaml.safe_load(open('compose.yaml')), sys.stdout)";
        let output = Command::new(python).args(["-c", program]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let file: Map<String, Value> = serde_json::from_slice(&output.stdout).unwrap();
        let services = file["services"].as_object().unwrap().clone();
        services.into_iter().map(|(name, service)| (name, Self(service))).collect()
    }

    /// The Dockerfile of the service; `None` if the image is somebody else's.
    pub(crate) fn dockerfile(&self) -> Option<&str> {
        match self.0.get("build")? {
            Value::String(_) => Some("Dockerfile"),
            build => build["dockerfile"].as_str(),
        }
    }

    /// A list of texts.
    pub(crate) fn list(&self, member: &str) -> Vec<String> {
        let items = self.0.get(member).and_then(Value::as_array).into_iter().flatten();
        items.map(|item| item.as_str().unwrap().to_owned()).collect()
    }

    /// The environment. Variables of the user's shell have their defaults.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let variables = self.0["environment"].as_object().unwrap().iter();
        let text = |value: &Value| {
            let text = value.as_str().unwrap();
            let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            inner.map_or(text, |inner| inner.split_once(":-").unwrap().1).to_owned()
        };
        variables.map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// The command of the health check.
    pub(crate) fn health_check(&self) -> Vec<String> {
        let test = self.0["healthcheck"]["test"].as_array().unwrap();
        assert_eq!(test[0], "CMD");
        test[1..].iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    }

    /// The other names of the service.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let aliases = self.0.pointer("/networks/default/aliases").and_then(Value::as_array);
        let aliases = aliases.into_iter().flatten();
        aliases.map(|alias| alias.as_str().unwrap().to_owned()).collect()
    }
}
