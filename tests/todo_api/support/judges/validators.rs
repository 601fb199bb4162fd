//! Our validator and two others. Each judges the same tokens.

use std::{
    io::{Seek, Write},
    path::Path,
    process::Command,
};

use poem_entra::{Settings, Validator};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{App, root, run};

use super::Verdict::{self, Accepted, Refused};

/// Our validator with the settings of the API and the real clock, which the others also use.
pub(crate) fn our_validator(app: &App) -> Validator {
    let mut settings = Settings::new(entra_dev::ids::CONTOSO, entra_dev::ids::API_CLIENT_ID);
    settings.instance = app.tenant.base_url().into();
    Validator::new(&settings).unwrap()
}

/// What another validator prints for a token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Judgement {
    accepted: bool,
    #[allow(dead_code, reason = "shown if the verdict is unexpected")]
    reason: Option<String>,
}

impl Judgement {
    pub(crate) fn verdict(&self) -> Verdict {
        if self.accepted { Accepted } else { Refused }
    }
}

/// The verdicts of another validator on these tokens, in the same order.
pub(crate) async fn judge(
    program: &Path,
    script: &str,
    app: &App,
    tokens: &[String],
) -> Vec<Judgement> {
    let tenant = format!("{}/{}", app.tenant.base_url(), entra_dev::ids::CONTOSO);
    let mut lines = tempfile::tempfile().unwrap();
    for token in tokens {
        writeln!(lines, "{}", Value::from(token.as_str())).unwrap();
    }
    lines.rewind().unwrap();
    let mut command = Command::new(program);
    command
        .arg(root().join("tests/foreign").join(script))
        .arg(format!("{tenant}/v2.0/.well-known/openid-configuration"))
        .arg(entra_dev::ids::API_CLIENT_ID)
        .stdin(lines);
    let output = run(command).await;
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<_> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), tokens.len(), "{script}: {said}");
    verdicts
}
