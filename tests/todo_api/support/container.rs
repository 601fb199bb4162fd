//! Containers without an engine: namespaces, a read-only root, a user without rights. Needs root.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::sleep;

use super::{image::Image, send_signal, wait_until};

/// A network of its own, which has only the loopback addresses. All ports are free.
pub(crate) struct Network(Child);

impl Network {
    pub(crate) fn new() -> Self {
        let mut keeper = Command::new("unshare");
        keeper.args(["--net", "sh", "-c", "ip link set lo up && echo up && exec cat"]);
        keeper.env("PATH", PATH);
        let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        Self(keeper)
    }

    /// A command that runs in this network.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.0.id())).arg(program.as_ref());
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running container. Dropping it kills it.
pub(crate) struct Container {
    image: Image,
    variables: Vec<(String, String)>,
    folder: TempDir,
    process: Child,
}

/// What a container gets besides its image.
#[derive(Default)]
pub(crate) struct Setup {
    /// Replaces the command of the image if it is not empty.
    pub(crate) command: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    /// The content of `/etc/hosts`.
    pub(crate) hosts: String,
    pub(crate) mounts: Vec<Mount>,
}

/// A folder of this machine in a container.
pub(crate) struct Mount {
    pub(crate) source: PathBuf,
    pub(crate) target: String,
    pub(crate) read_only: bool,
}

impl Container {
    /// Runs a program in its image.
    pub(crate) fn start(network: &Network, image: Image, program: &Path, setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        image.assemble(program, &root);
        let script = mounts(&root, &setup, folder.path());
        let user = image.user_id();
        let mut command = network.command("unshare");
        command.args(["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]);
        command.args(["sh", "-euc", &script, "sh"]);
        // `unshare` changes the root, the folder and the user, and then runs the program.
        command.args(["setpriv", "--no-new-privs", "unshare"]);
        command.arg(format!("--root={}", root.display()));
        command.arg(format!("--wd={}", image.working_folder));
        command.args([format!("--setgid={user}"), format!("--setuid={user}")]);
        let arguments = if setup.command.is_empty() { &image.command } else { &setup.command };
        command.args(&image.entry_point).args(arguments);
        let mut variables = image.variables.clone();
        variables.extend(setup.variables);
        command.env_clear().env("PATH", PATH).envs(variables.clone());
        let log = File::create(folder.path().join("log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        Self { image, variables, folder, process }
    }

    /// Waits until the health check of the image succeeds.
    pub(crate) async fn wait_until_healthy(&mut self) {
        wait_until("the container is healthy", async || {
            if self.is_running() && self.run(&self.image.health_check).status.success() {
                return true;
            }
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the container ended:\n{}", self.log());
            sleep(BETWEEN_TRIES).await;
            false
        })
        .await;
    }

    /// Runs another command in the container, as its user.
    pub(crate) fn run(&self, command: &[String]) -> Output {
        let user = self.image.user_id();
        let mut nsenter = Command::new("nsenter");
        nsenter.arg(format!("--target={}", self.id()));
        nsenter.args(["--mount", "--pid", "--net", "--root", "--wd"]);
        nsenter.args([format!("--setgid={user}"), format!("--setuid={user}")]);
        nsenter.args(command).env_clear().env("PATH", PATH).envs(self.variables.clone());
        nsenter.output().unwrap()
    }

    /// Sends the first process of the container a signal, and waits until it ends.
    pub(crate) async fn stop(&mut self, signal: &str) -> ExitStatus {
        send_signal(self.id(), signal);
        let mut status = None;
        wait_until("the container has ended", async || {
            sleep(BETWEEN_TRIES).await;
            status = self.process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// A file below `/proc` of the first process.
    pub(crate) fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.id())).unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Whether the program has replaced the commands that start it.
    fn is_running(&self) -> bool {
        let Some(child) = child_of(self.process.id()) else { return false };
        let program = fs::read_link(format!("/proc/{child}/exe"));
        program.is_ok_and(|path| path.ends_with(self.image.program()))
    }

    /// The number of its first process on this machine.
    fn id(&self) -> u32 {
        child_of(self.process.id()).unwrap_or_else(|| panic!("it has ended:\n{}", self.log()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn child_of(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    children.ok()?.split_whitespace().next()?.parse().ok()
}

/// A script that mounts what an engine mounts, makes the root read-only, and runs its arguments.
fn mounts(root: &Path, setup: &Setup, folder: &Path) -> String {
    let hosts = folder.join("hosts");
    fs::write(&hosts, &setup.hosts).unwrap();
    for name in ["dev", "proc"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    File::create(root.join("etc/hosts")).unwrap();
    let (root, hosts) = (root.display(), hosts.display());
    let mut script = format!(
        "mount --bind {root} {root}
         mount -t proc proc {root}/proc
         mount -t tmpfs -o mode=1777 tmpfs {root}/tmp
         mount -t tmpfs -o mode=755 tmpfs {root}/dev
         for device in full null random urandom zero; do
             touch {root}/dev/$device
             mount --bind /dev/$device {root}/dev/$device
         done
         mount --bind {hosts} {root}/etc/hosts\n"
    );
    for mount in &setup.mounts {
        let target = PathBuf::from(format!("{root}{}", mount.target));
        fs::create_dir_all(&target).unwrap();
        // A new volume has the owner of the folder that it replaces.
        if !mount.source.exists() {
            let owner = fs::metadata(&target).unwrap().uid();
            fs::create_dir_all(&mount.source).unwrap();
            chown(&mount.source, Some(owner), Some(owner)).unwrap();
        }
        let (source, target) = (mount.source.display(), target.display());
        writeln!(script, "mount --bind {source} {target}").unwrap();
        if mount.read_only {
            writeln!(script, "mount -o remount,ro,bind {target}").unwrap();
        }
    }
    writeln!(script, "mount -o remount,ro,bind {root}\nexec \"$@\"").unwrap();
    script
}

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Another process cannot notify the test, so the test polls.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
