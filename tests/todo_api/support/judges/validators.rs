//! Our validator and two others. Each judges the same tokens.

use std::{
    io::{Seek, Write},
    path::Path,
    process::Command,
    sync::Arc,
};

use poem_entra::{Settings, Validator};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{App, root, run};

use super::Verdict::{self, Accepted, Refused};

/// Our validator with the settings and the clock of the API.
pub(crate) fn our_validator(app: &App) -> Validator {
    let mut settings = Settings::new(entra_dev::ids::CONTOSO, entra_dev::ids::API_CLIENT_ID);
    settings.instance = app.tenant.base_url().into();
    Validator::builder(settings).clock(Arc::new(app.clock.clone())).build().unwrap()
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

/// The verdicts of another validator on these tokens, in the same order, at the time of the API.
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
        .arg(app.clock.now().to_string())
        .stdin(lines);
    let output = run(command).await;
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<_> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), tokens.len(), "{script}: {said}");
    verdicts
}
