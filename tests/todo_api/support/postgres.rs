//! A PostgreSQL server for tests, on a loopback port and in a temporary folder.

use std::{
    fs::{self, File, Permissions},
    io::Write,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::{GIVE_UP_AFTER, free_ports};

/// A running server. It stops when it is dropped and when the test program ends.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    /// Whether the tests run as root, which PostgreSQL refuses to do.
    root: bool,
    port: u16,
    /// A shell that stops the server when its standard input closes, which happens at the latest
    /// when the test program ends.
    watchdog: Option<Child>,
    databases: AtomicU32,
}

impl Postgres {
    /// The server that all tests share.
    pub(crate) fn shared(programs: &Path) -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(programs))
    }

    /// A server for one test, which may stop and start it. `programs` is the folder with `initdb`
    /// and `postgres`.
    pub(crate) fn start(programs: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("todo-postgres-").tempdir().unwrap();
        let root = fs::metadata(folder.path()).unwrap().uid() == 0;
        if root {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let (programs, [port]) = (programs.to_owned(), free_ports());
        let databases = AtomicU32::new(0);
        let mut server = Self { programs, folder, root, port, watchdog: None, databases };
        let output = server
            .command("initdb")
            .args(["--auth=trust", "--username=todo", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(server.data())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        server.resume();
        server
    }

    /// Starts the server again with the same data.
    pub(crate) fn resume(&mut self) {
        let mut watchdog = self.command("sh");
        watchdog.args(["-c", WATCHDOG, "watchdog"]).arg(self.programs.join("postgres"));
        watchdog.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        watchdog.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        // The tests do not cover power failures.
        watchdog.args(["-c", "fsync=off", "-c", "max_connections=300"]);
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        watchdog.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        self.watchdog = Some(watchdog.spawn().unwrap());
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while !self.is_ready() {
            assert!(Instant::now() < deadline, "{}", fs::read_to_string(self.log()).unwrap());
            std::thread::yield_now();
        }
    }

    /// Stops the server immediately, like a crash, and waits until it has ended.
    pub(crate) fn pause(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            let mut input = watchdog.stdin.take().unwrap();
            input.write_all(b"keep\n").unwrap();
            drop(input);
            watchdog.wait().unwrap();
        }
    }

    /// Restarts the server with TLS and this certificate and key, both in PEM.
    pub(crate) fn use_tls(&mut self, certificate: &str, key: &str) {
        self.pause();
        // The default names; PostgreSQL refuses a key file that others can read.
        for (name, content) in [("server.crt", certificate), ("server.key", key)] {
            let path = self.data().join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            self.own(&path);
        }
        self.configure("ssl = on");
        self.resume();
    }

    /// Restarts the server, which then accepts only clients with a certificate of this authority.
    pub(crate) fn require_client_certificate(&mut self, authority: &str) {
        self.pause();
        let path = self.data().join("authority.pem");
        fs::copy(authority, &path).unwrap();
        self.own(&path);
        self.configure("ssl_ca_file = 'authority.pem'");
        self.authenticate("hostssl all all all trust clientcert=verify-ca");
        self.resume();
    }

    /// Restarts the server, which then accepts only clients with a password.
    pub(crate) fn require_password(&mut self) {
        self.pause();
        self.authenticate("host all all all scram-sha-256");
        self.resume();
    }

    fn configure(&self, setting: &str) {
        let settings = self.data().join("postgresql.conf");
        let mut settings = File::options().append(true).open(settings).unwrap();
        writeln!(settings, "{setting}").unwrap();
    }

    /// Replaces the rules for authentication.
    fn authenticate(&self, rule: &str) {
        fs::write(self.data().join("pg_hba.conf"), format!("{rule}\n")).unwrap();
    }

    /// Makes the server's user the owner of a file.
    fn own(&self, file: &Path) {
        if self.root {
            chown(file, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// The URL of a new database.
    pub(crate) async fn create_database(&self) -> String {
        let name = format!("todo{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let client = connect(&self.url("postgres")).await;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        self.url(&name)
    }

    /// The URL of a new database, and the folder with the socket of the server, which is to be at
    /// `folder`.
    pub(crate) async fn create_database_behind_socket(&self, folder: &str) -> (String, &Path) {
        let url = self.create_database().await;
        let (_, name) = url.rsplit_once('/').unwrap();
        let url = format!("postgres:///{name}?user=todo&host={folder}&port={}", self.port);
        (url, self.folder.path())
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://todo@127.0.0.1:{}/{database}", self.port)
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = Command::new(if path.exists() { path } else { program.into() });
        command.current_dir(self.folder.path());
        if self.root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        let mut command = self.command("pg_isready");
        command.args(["-q", "-h", "127.0.0.1", "-p", &port, "-t", "1"]);
        command.status().unwrap().success()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("postgres.log")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.pause();
    }
}

/// Connects to a database without TLS. The connection closes when the client is dropped.
pub(super) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The ids of user and group `nobody` on Debian. Any user but root would do.
const NOBODY: u32 = 65_534;

/// Stops the server with SIGQUIT, which does not wait for connections. When the tests have ended or
/// were killed, it also deletes the folder.
const WATCHDOG: &str = r#"
"$@" &
read -r word
kill -QUIT $!
wait $!
[ "$word" = keep ] || rm -rf "$PWD"
"#;
