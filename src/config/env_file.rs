//! Changes the file `.env` without losing any of its lines.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::env_text;

/// The file `.env` with changes that are not written yet.
#[derive(Debug)]
pub struct EnvFile {
    /// Where the file is, after following symbolic links.
    path: PathBuf,
    /// `None` if there is no file.
    mode: Option<u32>,
    written: String,
    text: String,
    is_secret: bool,
}

/// Why the file cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// The file or its folder cannot be read.
    #[error("{} cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file or its folder cannot be written.
    #[error("{} cannot be written", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// The changed text would not have the new value, or would change another one.
    #[error(
        "{name} cannot be set in {}: its line must have the form {name}=value, and must not be inside \
         the quotes of another variable",
        .path.display()
    )]
    Form {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: String,
    },
}

impl EnvFile {
    /// Reads the file. It need not exist.
    ///
    /// # Errors
    ///
    /// If it exists and cannot be read, or is a symbolic link that leads nowhere.
    pub fn read(path: &Path) -> Result<Self, EnvFileError> {
        let failed = |error| EnvFileError::Read(path.to_owned(), error);
        let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(error) if is_missing(&error) => {
                let (written, text) = (String::new(), String::new());
                let path = path.to_owned();
                return Ok(Self { path, mode: None, written, text, is_secret: false });
            }
            Err(error) => return Err(failed(error)),
        }
        let target = fs::canonicalize(path).map_err(failed)?;
        let metadata = fs::metadata(&target).map_err(failed)?;
        if !metadata.is_file() {
            // Writing replaces what is there, which must not be a device.
            return Err(failed(io::Error::other("it is not a file")));
        }
        let text = fs::read_to_string(&target).map_err(failed)?;
        let mode = metadata.permissions().mode() & 0o7777;
        let written = text.clone();
        Ok(Self { path: target, mode: Some(mode), written, text, is_secret: false })
    }

    /// The value that the file gives to this variable.
    pub fn value(&self, name: &str) -> Option<String> {
        env_text::value(&self.text, name)
    }

    /// The path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that [`EnvFile::set`] will be able to set these variables.
    ///
    /// # Errors
    ///
    /// The same as [`EnvFile::set`].
    pub fn check(&self, names: &[&str]) -> Result<(), EnvFileError> {
        // Two values, because setting the value that is there already always succeeds.
        let values = ["a", "b"];
        let cases = names.iter().flat_map(|name| values.map(|value| (name, value)));
        cases.map(|(name, value)| self.with(name, value)).collect::<Result<Vec<_>, _>>()?;
        Ok(())
    }

    /// Sets a variable. The last line that sets it is changed, otherwise a line is added: below the
    /// comment that describes the variable, or at the end. Other variables may refer to it, as in
    /// `${NAME}`.
    ///
    /// # Errors
    ///
    /// If the file has a form that is not understood, such as a variable inside the quotes of
    /// another one.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), EnvFileError> {
        self.text = self.with(name, value)?;
        Ok(())
    }

    /// The text with this value.
    fn with(&self, name: &str, value: &str) -> Result<String, EnvFileError> {
        let form = || EnvFileError::Form { path: self.path.clone(), name: name.to_owned() };
        env_text::with_value(&self.text, name, value).ok_or_else(form)
    }

    /// Sets a variable that nobody else may read: the file gets the mode 600.
    ///
    /// # Errors
    ///
    /// The same as [`EnvFile::set`].
    pub fn set_secret(&mut self, name: &str, value: &str) -> Result<(), EnvFileError> {
        self.is_secret = true;
        self.set(name, value)
    }

    /// The rest of the comment line that begins like this.
    pub fn note(&self, beginning: &str) -> Option<&str> {
        let rest = self.text.lines().find_map(|line| line.strip_prefix(beginning));
        rest.map(str::trim)
    }

    /// Adds a comment line at the end.
    pub fn add_note(&mut self, line: &str) {
        self.text = env_text::with_line(&self.text, line);
    }

    /// Removes the comment line that begins like this.
    pub fn remove_note(&mut self, beginning: &str) {
        let lines = self.text.split_inclusive('\n');
        self.text = lines.filter(|line| !line.starts_with(beginning)).collect();
    }

    /// Writes the changes. Returns whether there were any.
    ///
    /// The new file replaces the old one in one step, so a program that reads it, or a failure of
    /// the power, finds either of them and never a part.
    ///
    /// # Errors
    ///
    /// If the file cannot be replaced. Nothing has changed then.
    pub fn write(&mut self) -> Result<bool, EnvFileError> {
        if self.text == self.written {
            return Ok(false);
        }
        let failed = |error| EnvFileError::Write(self.path.clone(), error);
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // The mode of a new file is limited by the umask.
        let mode = self.mode.unwrap_or(if self.is_secret { 0o600 } else { 0o644 });
        let mode = if self.is_secret { 0o600 } else { mode };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".env.").permissions(Permissions::from_mode(mode));
        let mut file = builder.tempfile_in(folder).map_err(failed)?;
        file.write_all(self.text.as_bytes()).map_err(failed)?;
        if self.mode.is_some() {
            // An existing file keeps its mode, whatever the umask is.
            file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
        }
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        // Without this, a failure of the power could bring the old file back.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        self.written.clone_from(&self.text);
        self.mode = Some(mode);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with this text, and its folder.
    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_value_is_replaced_in_place_and_everything_else_stays() {
        for (before, after) in [
            ("", "PORT=9\n"),
            ("# Mine.\nA=1", "# Mine.\nA=1\nPORT=9\n"),
            ("PORT=\nA=1\n", "PORT=9\nA=1\n"),
            ("export PORT = 8 # why\nA='x # y'\n", "export PORT = 9 # why\nA='x # y'\n"),
            ("PORT='8' # why\r\nA=1\r\n", "PORT=9 # why\r\nA=1\r\n"),
            ("A=1\r\n", "A=1\r\nPORT=9\r\n"),
            ("\u{feff}PORT=\"8\"\n", "\u{feff}PORT=9\n"),
            ("PORT=7\nPORT=8\n", "PORT=7\nPORT=9\n"),
            ("# The port.\n# PORT=8\n\nA=1\n", "# The port.\n# PORT=8\nPORT=9\n\nA=1\n"),
            ("APORT=1\nPORT_A=2\n", "APORT=1\nPORT_A=2\nPORT=9\n"),
            ("PORT=9\nA=1", "PORT=9\nA=1"),
            ("PORT=8\nA=a-${PORT}\n", "PORT=9\nA=a-${PORT}\n"),
            ("A=\"$PORT \\$PORT\"\nPORT=8\nB=$A\n", "A=\"$PORT \\$PORT\"\nPORT=9\nB=$A\n"),
            ("PORT=${A}\nB='$PORT'\n", "PORT=9\nB='$PORT'\n"),
            ("MY=$A $B\nPORT=8\n", "MY=$A $B\nPORT=9\n"),
            ("MY=$A $B\nPORT=8\nC=${PORT}\n", "MY=$A $B\nPORT=9\nC=${PORT}\n"),
            ("PORT=8\nC=$PORT $A\\d\n", "PORT=9\nC=$PORT $A\\d\n"),
            ("C=$PORT $A\n", "C=$PORT $A\nPORT=9\n"),
            ("PORT=8\nDIR=$HOME\\bin\n", "PORT=9\nDIR=$HOME\\bin\n"),
        ] {
            let (_folder, path) = file(before);
            let mut env = EnvFile::read(&path).unwrap();
            env.check(&["PORT"]).unwrap_or_else(|error| panic!("{before:?}: {error}"));
            env.set("PORT", "9").unwrap_or_else(|error| panic!("{before:?}: {error}"));
            assert_eq!(env.write().unwrap(), before != after, "{before:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), after, "{before:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_understood_stays_as_it_is() {
        for text in [
            "TEXT='a\nPORT=8\n'\n",
            "A=$B $PORT\nTEXT='a\nPORT=8\n'\n",
            "PORT='8\n",
            "PORT='8'0\n",
            "two words\n",
        ] {
            let (_folder, path) = file(text);
            let mut env = EnvFile::read(&path).unwrap();
            let error = env.set("PORT", "9").unwrap_err();
            assert!(error.to_string().starts_with("PORT cannot be set in "), "{error}");
            assert!(env.check(&["PORT"]).is_err(), "{text:?}");
            assert!(!env.write().unwrap());
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_value_with_a_meaning_is_quoted() {
        let (_folder, path) = file("");
        let mut env = EnvFile::read(&path).unwrap();
        env.set("API_CLIENT_SECRET", "a#b $c\"d\\e").unwrap();
        env.write().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "API_CLIENT_SECRET='a#b $c\"d\\e'\n");
        assert!(env.set("API_CLIENT_SECRET", "it's").is_err());
    }

    #[test]
    fn a_secret_makes_the_file_private_and_otherwise_the_mode_stays() {
        let (folder, path) = file("A=1\n");
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        let mut env = EnvFile::read(&path).unwrap();
        env.set("PORT", "9").unwrap();
        env.write().unwrap();
        assert_eq!(mode(&path), 0o664);
        env.set_secret("API_CLIENT_SECRET", "x").unwrap();
        env.write().unwrap();
        assert_eq!(mode(&path), 0o600);

        let new = folder.path().join("new");
        let mut env = EnvFile::read(&new).unwrap();
        env.set_secret("API_CLIENT_SECRET", "x").unwrap();
        env.write().unwrap();
        assert_eq!(mode(&new), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file stays");
    }

    #[test]
    fn a_symbolic_link_stays_a_link() {
        let (folder, path) = file("PORT=8\n");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut env = EnvFile::read(&link).unwrap();
        env.set("PORT", "9").unwrap();
        env.write().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "PORT=9\n");

        fs::remove_file(&path).unwrap();
        let error = EnvFile::read(&link).unwrap_err();
        assert!(error.to_string().ends_with("link cannot be read"), "{error}");
    }

    #[test]
    fn a_note_is_added_found_and_removed() {
        let (_folder, path) = file("A=1");
        let mut env = EnvFile::read(&path).unwrap();
        assert_eq!(env.note("# creating: "), None);
        env.add_note("# creating: x");
        env.write().unwrap();
        let mut env = EnvFile::read(&path).unwrap();
        assert_eq!(env.note("# creating: "), Some("x"));
        env.remove_note("# creating: ");
        env.write().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
    }
}
