//! Runs the commands of a page as a reader would, in a copy of the repository.

use std::{
    fs::{self, File, Permissions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::support::{environment, free_ports, root};

use super::page::{Block, Page};

/// The folder, the programs and the ports of one reader.
pub(super) struct Machine {
    folder: TempDir,
    /// The ports that the pages name, and the free ports that replace them.
    ports: [(u16, u16); 3],
}

impl Machine {
    /// Runs the blocks of a page one after the other.
    ///
    /// # Errors
    ///
    /// The page, the line and the output of the first block that fails.
    pub(super) async fn run(page: &Page) -> Result<(), String> {
        let machine = Self::new();
        let script = machine.script(page);
        let output = spawn_blocking(move || machine.shell(&script)).await.unwrap();
        let mut outputs = output.split(BEGIN).skip(1);
        for block in page.blocks().filter(|block| block.runs()) {
            // A block that fails ends the script.
            let shown = outputs.next().unwrap_or_default();
            if let Some(fault) = block.fault(shown) {
                return Err(format!("{}:{}: {fault}:\n{shown}", page.name, block.line));
            }
        }
        Ok(())
    }

    fn new() -> Self {
        let [api, tenant, https] = free_ports();
        let ports = [(8000, api), (8001, tenant), (8443, https)];
        let machine = Self { folder: tempfile::tempdir().unwrap(), ports };
        copy(root(), &machine.path("original"));
        copy(&machine.path("original"), &machine.path("todo-api"));
        fs::create_dir(machine.path("bin")).unwrap();
        for (name, commands) in PROGRAMS {
            let path = machine.path("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{commands}\n")).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The blocks of a page as one script, which marks the output of each.
    fn script(&self, page: &Page) -> String {
        let blocks = page.blocks().filter(|block| block.runs()).map(Block::script);
        let blocks = blocks.collect::<String>();
        let mut script = format!("{START}{blocks}")
            .replace("<url of this repository>", env!("CARGO_PKG_REPOSITORY"));
        script = script.replace(" /backups", " $HOME/backups");
        for (documented, free) in self.ports {
            let documented = format!("localhost:{documented}");
            script = script.replace(&documented, &format!("localhost:{free}"));
        }
        script
    }

    fn shell(&self, script: &str) -> String {
        let [file, output] = ["script", "output"].map(|name| self.path(name));
        fs::write(&file, script).unwrap();
        let log = File::create(&output).unwrap();
        let programs = Path::new(env!("CARGO_BIN_EXE_todo-api")).parent().unwrap();
        let path = environment("PATH").unwrap();
        let [api, tenant, https] = self.ports.map(|(_, free)| free.to_string());
        let mut command = Command::new("sh");
        command
            .arg(&file)
            .current_dir(self.path("todo-api"))
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("PROGRAMS", programs)
            .env("ORIGINAL", self.path("original"))
            .env("HOME", self.folder.path())
            .env("PORT", api)
            .env("DEV_TENANT_PORT", tenant)
            .env("DEV_TENANT_HTTPS_PORT", https)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        let mut group = Group(command.spawn().unwrap());
        group.0.wait().unwrap();
        fs::read_to_string(output).unwrap()
    }
}

/// A script with the servers that it started. Dropping it kills all of them.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // There may be no process left.
        let _ = Command::new("sh").args(["-c", &format!("kill -KILL -{}", self.0.id())]).output();
        let _ = self.0.wait();
    }
}

impl Block {
    /// The block with what its comments ask for.
    fn script(&self) -> String {
        let before: String =
            self.before.iter().map(|(url, command)| step(url.as_deref(), command)).collect();
        let commands = match self.exit_code {
            0 => step(self.serves.as_deref(), &self.commands),
            code => {
                format!("code=0\n(\n{}\n) || code=$?\ntest $code -eq {code}\n", self.commands)
            }
        };
        format!("echo\necho '{BEGIN}'\n{before}{commands}echo\necho '{END}'\n")
    }

    fn fault(&self, shown: &str) -> Option<String> {
        let missing = self.prints.iter().find(|text| !shown.contains(*text));
        let is_problem = self.prints.is_empty() && shown.contains(r#""type":"about:blank""#);
        match missing {
            _ if !shown.contains(END) => Some(format!("the exit code is not {}", self.exit_code)),
            Some(text) => Some(format!("the output lacks {text:?}")),
            None if is_problem => Some("the response is a problem; use `prints`".to_owned()),
            None => None,
        }
    }
}

/// Commands, or the start of a server: then the script waits until its URL can be read.
fn step(serves: Option<&str>, commands: &str) -> String {
    match serves {
        None => format!("{commands}\n"),
        Some(url) => format!("{{\n{commands}\n}} > server.log 2>&1 &\nwait_for {url}\n"),
    }
}

/// Copies the files of the repository, without build output.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let left_out = ["target", "node_modules", "data", ".git", ".env"];
        if left_out.iter().any(|other| name == *other) {
            continue;
        }
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

const BEGIN: &str = "@@ begin";
const END: &str = "@@ end";

/// The script stops at the first command that fails, or if a server does not start within two
/// minutes, which says nothing about speed.
const START: &str = r#"
set -eu
wait_for() {
    tries=0
    until curl --silent --fail --insecure --output /dev/null "$1"; do
        tries=$((tries + 1))
        if [ $tries -gt 2400 ]; then
            cat server.log
            exit 1
        fi
        sleep 0.05
    done
}
stop() {
    kill "$(cat "$HOME/server.pid")"
    wait
}
"#;

/// Programs that do what a reader's do, without the network and without compiling this copy.
const PROGRAMS: [(&str, &str); 4] = [
    ("git", r#"[ "$1" = clone ] && exec cp -R "$ORIGINAL" "$3""#),
    (
        "cargo",
        r#"case "$*" in
    "run -- "*) shift 2; exec todo-api "$@" ;;
    "run -q -- "* | "run --quiet -- "*) shift 3; exec todo-api "$@" ;;
esac
echo "this test cannot run: cargo $*" >&2
exit 1"#,
    ),
    (
        "todo-api",
        r#"[ "$1" = serve ] && echo $$ > "$HOME/server.pid"
exec "$PROGRAMS/todo-api" "$@""#,
    ),
    (
        "entra-dev",
        r#"case "$*" in
    *--check* | *--example* | *--for*) exec "$PROGRAMS/entra-dev" "$@" ;;
esac
echo $$ > "$HOME/server.pid"
exec "$PROGRAMS/entra-dev" --port "$DEV_TENANT_PORT" --https-port "$DEV_TENANT_HTTPS_PORT" "$@""#,
    ),
];
