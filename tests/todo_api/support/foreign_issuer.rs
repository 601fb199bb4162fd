//! An OpenID Connect provider that this project did not write.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde::Deserialize;

use super::root;

/// `tests/foreign/issuer.mjs` in a process. Dropping it kills the process.
pub(crate) struct ForeignIssuer {
    pub(crate) signed_in: SignedIn,
    process: Child,
}

/// What the script prints after a user has signed in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignedIn {
    pub(crate) instance: String,
    pub(crate) tenant: String,
    pub(crate) api_client_id: String,
    /// The client that has signed the user in: the audience of the ID token.
    pub(crate) client_id: String,
    /// The user: the subject of the ID token.
    pub(crate) subject: String,
    pub(crate) token: String,
    pub(crate) token_for_another_api: String,
    pub(crate) id_token: String,
}

impl ForeignIssuer {
    /// Blocks until a user has signed in. The script has a timeout for this.
    pub(crate) fn start(node: PathBuf) -> Self {
        let mut log = tempfile::tempfile().unwrap();
        let mut process = spawn(node, log.try_clone().unwrap());
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let signed_in = serde_json::from_str(&line).unwrap_or_else(|error| {
            let _ = process.kill();
            let mut said = String::new();
            log.rewind().and_then(|()| log.read_to_string(&mut said)).unwrap();
            panic!("{error} in {line:?}\n{said}");
        });
        Self { signed_in, process }
    }
}

impl Drop for ForeignIssuer {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(node: PathBuf, log: File) -> Child {
    Command::new(node)
        .arg(root().join("tests/foreign/issuer.mjs"))
        // The script ends when its standard input closes, even if the test cannot kill it.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap()
}
