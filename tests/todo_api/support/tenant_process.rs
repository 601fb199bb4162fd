//! The program `entra-dev`, which belongs to another package.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::run;

/// The program in its own process. Dropping it kills the process.
pub(crate) struct EntraDev {
    pub(crate) url: String,
    pub(crate) https_url: String,
    process: Child,
}

impl EntraDev {
    /// Starts the program on free ports with these arguments, and waits until it is ready. It keeps
    /// its files in the folder.
    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(Self::build().await);
        // If the test is killed, the program reads the end of its input.
        command.args(["--port=0", "--https-port=0", "--until-stdin-closes"]).args(arguments);
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let log = folder.join("entra-dev.log");
        let mut process = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        let printed = BufReader::new(process.stdout.take().unwrap());
        let mut lines = printed.lines().map(Result::unwrap);
        let mut url = |title| {
            let line = lines.find(|line| line.trim_start().starts_with(title));
            let line = line.unwrap_or_else(|| panic!("{}", fs::read_to_string(&log).unwrap()));
            line.split_whitespace().last().unwrap().to_owned()
        };
        let (url, https_url) = (url("HTTP "), url("HTTPS "));
        Self { url, https_url, process }
    }

    /// Builds the program if it is not up to date, and returns its path. Cargo builds only the
    /// programs of packages whose tests it runs.
    pub(crate) async fn build() -> PathBuf {
        // Naming a test enables the features of the development dependencies, as in `make test`.
        // Otherwise, most packages would be compiled again.
        let output = run(cargo(&["build", "--bin=entra-dev", "--test=running_tenant"])).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Path::new(env!("CARGO_BIN_EXE_todo-api")).with_file_name("entra-dev")
    }
}

impl Drop for EntraDev {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command of cargo for the whole workspace, with the features of `make test`.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).args(["--workspace", "--all-features", "--offline", "--locked"]);
    cargo.current_dir(super::root());
    cargo
}
