//! Commands that know another host name than the rest of the machine, as in a container.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where a host name has an address.
pub(crate) struct Elsewhere {
    /// The file that commands see as `/etc/hosts`.
    pub(crate) hosts: PathBuf,
}

impl Elsewhere {
    /// Runs a command where `/etc/hosts` is the file in the variable `HOSTS`.
    pub(crate) const COMMAND: [&str; 6] = [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        "mount --bind \"$HOSTS\" /etc/hosts && exec \"$0\" \"$@\"",
    ];

    /// Writes the file into the folder.
    pub(crate) fn knowing(name: &str, address: &str, folder: &Path) -> Self {
        let hosts = folder.join("hosts");
        fs::write(&hosts, format!("127.0.0.1 localhost\n{address} {name}\n")).unwrap();
        Self { hosts }
    }

    /// The same command, run where the name is known.
    pub(crate) fn run(&self, command: &Command) -> Command {
        let mut through = Command::new(Self::COMMAND[0]);
        through.args(&Self::COMMAND[1..]).arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            through.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => through.env(name, value),
                None => through.env_remove(name),
            };
        }
        through.env("HOSTS", &self.hosts);
        through
    }
}
