//! The program `todo-cli`. README.md says how to run it.

use std::{env, process::ExitCode};

use todo_cli::{Settings, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = Settings {
        api_url: variable("API_URL", "http://localhost:8000"),
        scope: variable("API_SCOPE", "api://33333333-3333-4333-8333-333333333333/access_as_user"),
        instance: variable("AAD_INSTANCE", "http://localhost:8001"),
        tenant: variable("AAD_TENANT_ID", "11111111-1111-4111-8111-111111111111"),
        client_id: variable("CLIENT_ID", "66666666-6666-4666-8666-666666666666"),
    };
    let arguments: Vec<_> = env::args().skip(1).collect();
    let command: Vec<_> = arguments.iter().map(String::as_str).collect();
    let lines = run(&settings, &command, async |device| {
        eprintln!("To sign in, open {} and enter the code {}", device.page, device.code);
    })
    .await;
    match lines {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The environment variable, or the value for the development tenant.
#[allow(clippy::disallowed_methods, reason = "the example reads its settings from the environment")]
fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
