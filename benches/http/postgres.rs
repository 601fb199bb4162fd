//! A PostgreSQL server, and pgbench. Unlike in the tests, the database is durable.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    process::{Process, command},
    support::{Tool, free_ports, require},
};

pub(crate) struct Postgres {
    programs: PathBuf,
    pub(crate) process: Process,
    /// Whether PostgreSQL needs another user, because this one is root.
    root: bool,
    port: u16,
    folder: TempDir,
}

/// A statement with its values, as a program has sent it.
pub(crate) struct Statement {
    text: String,
    values: Vec<String>,
}

impl Postgres {
    /// `None` if PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let [programs] = require("the benchmark on PostgreSQL", [Tool::Postgres])?;
        // Another user than root must be able to reach it.
        let folder = tempfile::Builder::new().prefix("todo-bench-").tempdir().unwrap();
        let root = fs::metadata(folder.path()).unwrap().uid() == 0;
        if root {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        let mut initdb = as_user(root, &programs.join("initdb"));
        initdb.args(["--auth=trust", "--username=todo", "--encoding=UTF8", "--locale=C"]);
        succeed(initdb.current_dir(folder.path()).arg("--pgdata").arg(&data));

        let [port] = free_ports();
        let mut server = as_user(root, &programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(folder.path());
        server.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        // Only the statements, without the time and process.
        server.args(["-c", "log_line_prefix="]);
        let process = Process::start(server, folder.path());
        let server = Self { programs, process, root, port, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !server.program("pg_isready").arg("-q").status().unwrap().success() {
            assert!(Instant::now() < deadline, "{}", server.log());
            thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    /// Creates a database. Returns the value of `DATABASE_URL`.
    pub(crate) fn create_database(&self, name: &str) -> String {
        succeed(self.program("createdb").arg(name));
        format!("postgres://todo@127.0.0.1:{}/{name}", self.port)
    }

    fn execute(&self, sql: &str) {
        succeed(self.program("psql").args(["--quiet", "--command", sql, "postgres"]));
    }

    /// The last query of the table `todos` that was sent while `send` ran.
    pub(crate) async fn observe(&self, send: impl Future) -> Statement {
        let start = self.log().len();
        self.set_log("all").await;
        send.await;
        self.set_log("none").await;
        let log = self.log();
        let mut last = None;
        for entry in log[start..].split("LOG:  ") {
            last = Statement::read(entry).or(last);
        }
        last.unwrap_or_else(|| panic!("no query in {}", &log[start..]))
    }

    async fn set_log(&self, statements: &str) {
        self.execute(&format!("ALTER SYSTEM SET log_statement = '{statements}'"));
        self.execute("SELECT pg_reload_conf()");
        // Each connection reloads the setting by itself.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    /// Repeats a statement on this number of connections. Returns statements per second.
    pub(crate) fn pgbench(
        &self,
        database: &str,
        statement: &Statement,
        connections: u32,
        time: Duration,
    ) -> f64 {
        let script = self.folder.path().join("script.sql");
        fs::write(&script, statement.script()).unwrap();
        let mut pgbench = self.program("pgbench");
        pgbench.args(["--no-vacuum", "--protocol", "prepared", "--jobs", "1"]);
        pgbench.args(["--client", &connections.to_string(), "--time"]);
        pgbench.arg(time.as_secs().to_string()).arg("--file").arg(&script);
        for (number, value) in (1..).zip(&statement.values) {
            pgbench.args(["--define", &format!("p{number}={value}")]);
        }
        let output = succeed(pgbench.arg(database));
        let printed = String::from_utf8(output.stdout).unwrap();
        let rate = printed.lines().find_map(|line| line.strip_prefix("tps = "));
        rate.unwrap().split(' ').next().unwrap().parse().unwrap()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = as_user(self.root, &self.programs.join(name));
        command.current_dir(self.folder.path());
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command.env("PGUSER", "todo");
        command
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Statement {
    /// Reads an entry of the log: `execute NAME: STATEMENT`, and a line with the values.
    fn read(entry: &str) -> Option<Self> {
        let (statement, detail) = entry.split_once("DETAIL:  ")?;
        let (_, text) = statement.strip_prefix("execute ")?.split_once(": ")?;
        if !text.contains("FROM todos") {
            return None;
        }
        let detail = detail.lines().next()?;
        let (_, values) = detail.split_once("arameters: ")?;
        let value = |text: &str| Some(text.split_once(" = ")?.1.trim_matches('\'').to_owned());
        let values = values.split(", $").map(value).collect::<Option<_>>()?;
        Some(Self { text: text.trim().to_owned(), values })
    }

    /// The statement in pgbench's language.
    fn script(&self) -> String {
        let mut script = self.text.clone();
        for number in (1..=self.values.len()).rev() {
            script = script.replace(&format!("${number}"), &format!(":p{number}"));
        }
        script + ";\n"
    }
}

fn as_user(root: bool, program: &Path) -> Command {
    let mut command = command(program);
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The ids of user and group `nobody` on Debian. Any user but root would do.
const NOBODY: u32 = 65_534;
