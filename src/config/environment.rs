//! Reads the variables from the environment and from `.env`. No other file reads the environment.

use std::{collections::HashMap, env, fs, io, path::Path};

use super::{
    InvalidConfig, env_text,
    variables::{self, VARIABLES, Variable},
};

/// The values of the variables in [`VARIABLES`].
#[derive(Debug, Clone, Default)]
pub struct Environment(HashMap<String, String>);

/// In the working directory.
pub const FILE: &str = ".env";

/// The access token for Microsoft Graph in `GRAPH_TOKEN`. It is valid for about an hour, so it is
/// not a setting, and `.env` cannot contain it.
pub fn graph_token() -> Option<String> {
    #[allow(clippy::disallowed_methods)]
    let token = env::var_os("GRAPH_TOKEN")?;
    // Bytes that are not UTF-8 become a character that no token has, which is reported later.
    let token = token.to_string_lossy();
    let token = token.trim();
    (!token.is_empty()).then(|| token.to_owned())
}

impl Environment {
    /// Reads the environment, and the file `.env` in the working directory if there is one. The
    /// environment takes precedence.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] names the line of `.env`, or the variables, that cannot be read.
    pub fn load() -> Result<Self, InvalidConfig> {
        Self::load_changed(|text| text)
    }

    /// The same, as if `.env` set this variable. Its other lines may refer to it, as in `${NAME}`.
    ///
    /// # Errors
    ///
    /// The same as [`Environment::load`].
    pub fn load_with(name: &str, value: &str) -> Result<Self, InvalidConfig> {
        Self::load_changed(|text| env_text::with_value(&text, name, value).unwrap_or(text))
    }

    fn load_changed(change: impl FnOnce(String) -> String) -> Result<Self, InvalidConfig> {
        let mut values = Self::from_file(Path::new(FILE), change)?;
        let mut faults = Vec::new();
        for Variable { name, .. } in VARIABLES {
            #[allow(clippy::disallowed_methods)]
            match env::var(name) {
                Ok(value) if !value.trim().is_empty() => {
                    values.0.insert((*name).to_owned(), value);
                }
                Err(env::VarError::NotUnicode(_)) => faults.push(format!("{name} is not UTF-8")),
                _ => {}
            }
        }
        if faults.is_empty() { Ok(values) } else { Err(InvalidConfig(faults)) }
    }

    fn from_file(
        path: &Path,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self, InvalidConfig> {
        let invalid =
            |problem: String| InvalidConfig(vec![format!("{} {problem}", path.display())]);
        let text = match fs::read_to_string(path) {
            Ok(text) => change(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(invalid(format!("cannot be read: {error}"))),
        };
        // Some editors add a byte order mark, and some leave out the last line break.
        let text = format!("{}\n", text.strip_prefix('\u{feff}').unwrap_or(&text));
        let values = dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>();
        let values: HashMap<String, String> = values.map_err(|_| invalid(unreadable(&text)))?;
        // A quote that is not closed makes the following lines part of the value. They may contain
        // secrets, so the value is not shown.
        let has_line_break = |name: &str| values.get(name).is_some_and(|v| v.contains('\n'));
        match VARIABLES.iter().find(|variable| has_line_break(variable.name)) {
            Some(Variable { name, .. }) => {
                Err(invalid(format!("has a line break in {name}: is a closing quote missing?")))
            }
            None => Ok(Self(values)),
        }
    }

    /// Whether neither `.env` nor the environment names a tenant and an API. `make run` starts the
    /// development tenant then.
    pub fn is_unconfigured(&self) -> bool {
        let names_entra = ["AAD_TENANT_ID", "API_CLIENT_ID"].iter().any(|name| self.is_set(name));
        !names_entra && !Path::new(FILE).exists()
    }

    fn is_set(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.trim().is_empty())
    }

    /// Sets one variable.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The value, or the default if the variable is not set. An empty variable counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let set = self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        set.or_else(|| variables::find(name)?.default)
    }

    /// The items of a value that is separated by commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let items = self.get(name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

/// Describes the first line of `.env` that cannot be read. The line may contain a secret, and so
/// may dotenvy's error, which quotes it. Only the name of a known variable is shown.
fn unreadable(text: &str) -> String {
    let mut line_ends = text.match_indices('\n').map(|(at, _)| at + 1);
    let is_readable =
        |end: &usize| dotenvy::from_read_iter(&text.as_bytes()[..*end]).all(|item| item.is_ok());
    let end = line_ends.rfind(is_readable).unwrap_or_default();
    let (before, after) = text.split_at(end);
    let line = before.lines().count() + 1;
    let name = after.split('=').next().unwrap_or_default().trim();
    let variable = variables::find(name).map(|variable| format!(" ({})", variable.name));
    let variable = variable.unwrap_or_default();
    format!(
        "has a line that cannot be read, line {line}{variable}: put a value with spaces, double \
         quotes, backslashes, $ or # in single quotes"
    )
}

#[cfg(test)]
impl Environment {
    /// The required variables, and no others.
    pub(super) fn complete() -> Self {
        Self::default()
            .with("API_CLIENT_ID", "33333333-3333-4333-8333-333333333333")
            .with("SWAGGER_UI_CLIENT_ID", "44444444-4444-4444-8444-444444444444")
            .with("AAD_TENANT_ID", "11111111-1111-4111-8111-111111111111")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_text(text: &str) -> Result<Environment, InvalidConfig> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        fs::write(&file, text).unwrap();
        Environment::from_file(&file, |text| text)
    }

    #[test]
    fn an_unreadable_line_is_named_by_number_and_not_shown() {
        for (text, expected) in [
            (
                "PORT=8000\n\n# A secret.\nAPI_CLIENT_SECRET=top secret\nHOST=\n",
                "line 4 (API_CLIENT_SECRET):",
            ),
            ("API_CLIENT_SECRET=top\\secret", "line 1 (API_CLIENT_SECRET):"),
            ("OTHER='te\nxt'\nexport DATABASE_URL=postgres://u:a secret@db/todo", "line 3:"),
            ("HOST='local\nAPI_CLIENT_SECRET=secret\n", "line 1 (HOST):"),
            ("PORT=8000\n'secret' = 1\n", "line 2:"),
            ("PORT=8000\nsecret\n", "line 2:"),
            ("secret secret=", "line 1:"),
        ] {
            let InvalidConfig(faults) = from_text(text).unwrap_err();
            let [fault] = &faults[..] else { panic!("{faults:?}") };
            assert!(
                fault.contains(&format!(".env has a line that cannot be read, {expected} ")),
                "{fault}"
            );
            assert!(!fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn a_quote_that_is_closed_on_another_line_is_reported() {
        let text = "PORT='8000\nAPI_CLIENT_SECRET=secret\n# that's\n";
        let fault = from_text(text).unwrap_err().to_string();
        assert!(fault.contains(".env has a line break in PORT"), "{fault}");
        assert!(!fault.contains("secret"), "{fault}");
    }

    #[test]
    fn a_file_may_have_a_byte_order_mark_and_single_quotes() {
        let text = "\u{feff}HOST=localhost # both\r\nAPI_CLIENT_SECRET='a $b\\ \"#\"'\r\nPORT=1 ";
        let environment = from_text(text).unwrap();
        assert_eq!(environment.get("HOST"), Some("localhost"));
        assert_eq!(environment.get("PORT"), Some("1"));
        assert_eq!(environment.get("API_CLIENT_SECRET"), Some("a $b\\ \"#\""));
    }

    #[test]
    fn a_missing_file_is_empty_and_a_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            Environment::from_file(&folder.path().join(".env"), |text| text).unwrap().0.is_empty()
        );
        let error = Environment::from_file(folder.path(), |text| text).unwrap_err();
        assert!(error.to_string().contains("cannot be read: "), "{error}");
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let environment = Environment::default().with("PORT", "").with("HOST", " ");
        assert_eq!(environment.get("PORT"), Some("8000"));
        assert_eq!(environment.get("HOST"), Some("localhost"));
    }
}
