//! The load generator, wrk.

use std::{path::Path, process::Command, time::Duration};

use super::programs::harness_file;

/// Requests to one server for a while, over connections that stay open.
pub(crate) struct Load<'a> {
    pub(crate) url: String,
    pub(crate) connections: u32,
    pub(crate) duration: Duration,
    pub(crate) request: Request<'a>,
}

/// What each request contains.
#[derive(Clone, Copy)]
pub(crate) enum Request<'a> {
    /// GET with this token.
    Get(&'a str),
    /// POST of a new todo with the tokens in this file in turn.
    Create(&'a Path),
    /// GET with the tokens in this file in turn.
    Rotate(&'a Path),
    /// GET with the token in the first file; every hundredth request has the next token of the
    /// second file.
    WithNew(&'a Path, &'a Path),
}

/// What the load generator saw.
pub(crate) struct Traffic {
    pub(crate) requests: f64,
    /// Requests per second.
    pub(crate) rate: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Load<'_> {
    pub(crate) fn run(&self) -> Traffic {
        let mut wrk = Command::new("sh");
        // Each connection needs a file descriptor, and 1,024 is a common limit.
        wrk.args(["-c", "ulimit -n 4096 2>/dev/null; exec wrk \"$@\"", "wrk"]);
        wrk.args(["--threads", "1", "--connections", &self.connections.to_string()]);
        wrk.args(["--duration", &format!("{}s", self.duration.as_secs())]);
        let script = match self.request {
            Request::Create(_) => harness_file("create.lua"),
            _ => harness_file("load.lua"),
        };
        wrk.arg("--script").arg(script);
        if let Request::Get(token) = self.request {
            wrk.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        wrk.arg(&self.url).arg("--");
        match self.request {
            Request::Get(_) => {}
            Request::Rotate(tokens) | Request::Create(tokens) => {
                wrk.arg(tokens);
            }
            Request::WithNew(tokens, new) => {
                wrk.arg(tokens).arg(new);
            }
        }
        let output = wrk.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "wrk failed: {printed}{complaints}");
        self.read(&printed)
    }

    /// Reads the line that load.lua prints.
    fn read(&self, printed: &str) -> Traffic {
        let line = printed.lines().find_map(|line| line.strip_prefix("result "));
        let line = line.unwrap_or_else(|| panic!("wrk printed no result: {printed}"));
        let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [requests, micros, p50, p99, errors] = numbers[..] else { panic!("{line}") };
        assert_eq!(errors, 0, "some requests to {} failed: {printed}", self.url);
        assert!(requests > 0, "{} answered no request", self.url);
        let requests = requests as f64;
        Traffic {
            requests,
            rate: requests / Duration::from_micros(micros).as_secs_f64(),
            p50: Duration::from_micros(p50),
            p99: Duration::from_micros(p99),
        }
    }
}

/// Whether wrk is installed.
pub(crate) fn has_wrk() -> bool {
    // wrk prints its version, and exits with 1.
    Command::new("wrk").arg("--version").output().is_ok()
}
