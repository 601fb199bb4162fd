//! Reverse proxies: a load balancer in front of several servers, or a path that the proxy removes.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{Tool, free_ports, wait_until};

/// A proxy on its own port and in its own folder. Dropping it kills the process.
pub(crate) struct Proxy {
    pub(crate) url: String,
    process: Child,
    _folder: TempDir,
}

impl Proxy {
    /// Starts nginx in front of servers on these ports.
    pub(crate) async fn start(nginx: &Path, servers: &[u16]) -> Self {
        let [port] = free_ports();
        let configuration = nginx_configuration(port, servers, &location("/", ""));
        Self::launch(Tool::Nginx, nginx, &configuration, format!("http://127.0.0.1:{port}")).await
    }

    /// The URL of a proxy on this port that serves the API below a path.
    pub(crate) fn url_below(port: u16) -> String {
        format!("http://127.0.0.1:{port}/todo")
    }

    /// Starts a proxy on this port: nginx or HAProxy. It serves the API below a path, which it
    /// removes from requests.
    pub(crate) async fn below(tool: Tool, program: &Path, port: u16, server: u16) -> Self {
        let configuration = match tool {
            Tool::Haproxy => haproxy_configuration(port, server),
            _ => {
                let metadata = "= /.well-known/oauth-protected-resource/todo";
                let locations = location("/todo/", "/") + &location(metadata, "");
                nginx_configuration(port, &[server], &locations)
            }
        };
        Self::launch(tool, program, &configuration, Self::url_below(port)).await
    }

    async fn launch(tool: Tool, program: &Path, configuration: &str, url: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("proxy.conf"), configuration).unwrap();
        let mut command = Command::new(program);
        command.current_dir(folder.path());
        match tool {
            Tool::Haproxy => command.args(["-db", "-f", "proxy.conf"]),
            _ => command.args(["-p", ".", "-c", "proxy.conf", "-e", "error.log"]),
        };
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let proxy = Self { url, process, _folder: folder };
        let health = format!("{}/health", proxy.url);
        wait_until("the proxy responds", async || reqwest::get(&health).await.is_ok()).await;
        proxy
    }
}

/// The settings of docs/DEPLOY.md. A worker process could not read the folder, so there is none.
/// Other sites of this proxy compress JSON.
fn nginx_configuration(port: u16, servers: &[u16], locations: &str) -> String {
    let server = |port: &u16| format!("server 127.0.0.1:{port} max_fails=0;");
    let servers: String = servers.iter().map(server).collect();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};"))
        .concat();
    format!(
        "daemon off; master_process off; pid nginx.pid; error_log error.log; events {{ }}
         http {{
             access_log off; {temporary}
             gzip on; gzip_types application/json; gzip_min_length 0;
             upstream todo {{ {servers} keepalive 16; }}
             server {{
                 listen 127.0.0.1:{port};
                 large_client_header_buffers 4 32k;
                 {locations}
             }}
         }}"
    )
}

/// With a path, nginx replaces the prefix by it. Without one, it does not decode the path.
fn location(prefix: &str, path: &str) -> String {
    format!(
        "location {prefix} {{
             proxy_pass http://todo{path};
             proxy_http_version 1.1;
             proxy_set_header Connection \"\";
             proxy_set_header Forwarded \"\";
             proxy_next_upstream error timeout;
             proxy_connect_timeout 1s;
             gzip off;
         }}"
    )
}

/// The settings of docs/DEPLOY.md.
fn haproxy_configuration(port: u16, server: u16) -> String {
    format!(
        "global
             tune.bufsize 65536
         defaults
             mode http
             timeout connect 1s
             timeout client 60s
             timeout server 60s
         frontend todo
             bind 127.0.0.1:{port}
             acl metadata path /.well-known/oauth-protected-resource/todo
             http-request redirect location /todo/ code 308 if {{ path /todo }}
             http-request deny deny_status 404 unless {{ path_beg /todo/ }} or metadata
             http-request replace-path /todo/(.*) /\\1
             http-request del-header Forwarded
             default_backend todo
         backend todo
             server one 127.0.0.1:{server}
"
    )
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
