//! nginx as a reverse proxy: a load balancer in front of several servers, or a prefix.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{free_ports, wait_until};

/// nginx on its own port and in its own folder. Dropping it kills the process.
pub(crate) struct Proxy {
    pub(crate) url: String,
    process: Child,
    _folder: TempDir,
}

impl Proxy {
    /// Starts nginx in front of servers on these ports.
    pub(crate) async fn start(program: &Path, servers: &[u16]) -> Self {
        Self::launch(program, "", servers).await
    }

    /// Starts nginx in front of a server on this port. The paths begin with a prefix, such as
    /// `/todo`, which the server does not see.
    pub(crate) async fn below(program: &Path, prefix: &str, server: u16) -> Self {
        Self::launch(program, prefix, &[server]).await
    }

    async fn launch(program: &Path, prefix: &str, servers: &[u16]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port] = free_ports();
        let server = |port: &u16| format!("server 127.0.0.1:{port} max_fails=0;");
        let servers: String = servers.iter().map(server).collect();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};"))
            .concat();
        // With a path, nginx replaces the prefix by it. Without one, it does not decode the path.
        let path = if prefix.is_empty() { "" } else { "/" };
        // The settings of docs/DEPLOY.md. A worker process could not read the folder, so there is
        // none.
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log; events {{ }}
             http {{
                 access_log off; {temporary}
                 upstream todo {{ {servers} keepalive 16; }}
                 server {{
                     listen 127.0.0.1:{port};
                     location {prefix}/ {{
                         proxy_pass http://todo{path};
                         proxy_http_version 1.1;
                         proxy_set_header Connection \"\";
                         proxy_next_upstream error timeout;
                         proxy_connect_timeout 1s;
                     }}
                 }}
             }}"
        );
        fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
        let process = command.stderr(Stdio::null()).spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}{prefix}");
        let proxy = Self { url, process, _folder: folder };
        let health = format!("{}/health", proxy.url);
        wait_until("nginx responds", async || reqwest::get(&health).await.is_ok()).await;
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
