//! Processes that the benchmark starts, and the resources that they use.

use std::{
    collections::HashMap,
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A process that ends when it is dropped, with all processes that it has started.
pub(crate) struct Process(Child);

/// What a process and its descendants have used.
pub(crate) struct Usage {
    /// CPU time since the start.
    pub(crate) cpu: Duration,
    /// Memory now, in MB. Pages that processes share are counted for each of them.
    pub(crate) memory: f64,
}

impl Process {
    /// Starts a program in a folder, with nothing in its environment but `PATH` and the variables
    /// of the command. Its output is added to the file `log` in the folder.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        command.current_dir(folder).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap())
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.0.id())
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let tree = tree(self.0.id());
        signal("TERM", &tree[..1]);
        let deadline = Instant::now() + Duration::from_secs(3);
        while !self.has_ended() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        signal("KILL", &tree);
        let _ = self.0.wait();
    }
}

impl Usage {
    /// Of a process and its descendants, also those that have ended.
    pub(crate) fn of(process: u32) -> Self {
        let mut usage = Self { cpu: Duration::ZERO, memory: 0.0 };
        for process in tree(process) {
            let Some(stat) = Stat::read(process) else { continue };
            usage.cpu += stat.cpu;
            usage.memory += resident(process).unwrap_or_default();
        }
        usage
    }
}

/// A process and its descendants. PostgreSQL puts each of its processes into a group of its own, so
/// groups are not enough.
fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(stat) = Stat::read(process) {
            children.entry(stat.parent).or_default().push(process);
        }
    }
    let mut tree = vec![root];
    let mut at = 0;
    while let Some(process) = tree.get(at) {
        tree.extend(children.remove(process).unwrap_or_default());
        at += 1;
    }
    tree
}

fn signal(name: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$@\"", "kill", name]).args(processes).stderr(Stdio::null());
    kill.status().unwrap();
}

/// A program with nothing in its environment but `PATH` and `HOME`, so that the developer's
/// settings change no result, and with enough file descriptors.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 8192 2>/dev/null; exec \"$@\"", "sh"]).arg(program);
    command.env_clear();
    for name in ["PATH", "HOME"] {
        command.envs(std::env::var(name).map(|value| (name, value)));
    }
    command
}

/// Some fields of `/proc/PID/stat`.
struct Stat {
    parent: u32,
    /// Including children that have ended.
    cpu: Duration,
}

impl Stat {
    fn read(process: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name of the program may contain spaces and parentheses. The third field is next.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: Option<Vec<u64>> = (11..15).map(|at| fields.get(at)?.parse().ok()).collect();
        let cpu = TICK * u32::try_from(ticks?.iter().sum::<u64>()).ok()?;
        Some(Self { parent: fields.get(1)?.parse().ok()?, cpu })
    }
}

/// The CPU time that all processes of the machine have used, and that the host has taken away.
pub(crate) fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    let fields = stat.lines().next().unwrap().split_whitespace().skip(1);
    let fields: Vec<u32> = fields.map(|field| field.parse().unwrap_or_default()).collect();
    // All but the fields for idle time.
    let busy = [0, 1, 2, 5, 6, 7].map(|at| fields.get(at).copied().unwrap_or_default());
    TICK * busy.iter().sum::<u32>()
}

/// The unit of times in `/proc`.
const TICK: Duration = Duration::from_millis(10);

/// Memory in MB.
fn resident(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}
