//! Our validator and two that others wrote judge the same tokens. Where they differ, the table says
//! why, and `docs/CONFORMANCE.md` shows it.

mod mint;
mod rows;

use std::{
    fmt::{self, Write as _},
    fs,
    io::{Seek, Write as _},
    path::Path,
    process::Command,
};

use poem_entra::{Rule, Settings, Validator};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    support::{App, TestClock},
    tools::{Tool, require},
};

use self::{
    Verdict::{Accepted, Refused},
    mint::Mint,
    rows::ROWS,
};

#[tokio::test]
async fn three_judges_differ_on_tokens_only_where_the_table_says_why() {
    let test = "three_judges_differ_on_tokens_only_where_the_table_says_why";
    let tools = [Tool::Node, Tool::Jose, Tool::FastapiAzureAuth];
    let Some([node, _, python]) = require(test, tools) else { return };
    let app = App::start_at(TestClock::real(), |environment| environment).await;
    let mint = Mint::new(&app, node.clone()).await;
    let tokens: Vec<_> = ROWS.iter().map(|row| (row.make)(&mint)).collect();

    let ours = our_validator(&app);
    let (jose, fastapi) = tokio::join!(
        judge(&node, "judge.mjs", &app, &tokens),
        judge(&python, "judge.py", &app, &tokens),
    );
    let mut surprises = String::new();
    for (index, row) in ROWS.iter().enumerate() {
        let ours = ours.validate(&tokens[index]).await;
        let rule = ours.as_ref().err().map(|rejection| rejection.rule());
        let (jose, fastapi) = (&jose[index], &fastapi[index]);
        if (rule, jose.verdict(), fastapi.verdict()) != (row.ours, row.jose, row.fastapi) {
            let name = row.token;
            let why = ours.as_ref().err().map(|rejection| rejection.detail());
            writeln!(surprises, "{name}:\n  {rule:?} {why:?}\n  {jose:?}\n  {fastapi:?}").unwrap();
        }
    }
    assert!(surprises.is_empty(), "not as in the table (poem-entra, jose, fastapi):\n{surprises}");
}

#[test]
fn the_document_has_the_table_and_the_versions() {
    let document = fs::read_to_string(root().join("docs/CONFORMANCE.md")).unwrap();
    for row in ROWS {
        assert_eq!(row.why.is_empty(), row.is_agreed(), "{}", row.token);
    }
    for table in [differing(), agreed()] {
        assert!(
            document.contains(&format!("\n\n{table}\n")),
            "docs/CONFORMANCE.md lacks this table:\n\n{table}"
        );
    }
    let packages = fs::read_to_string(root().join("tests/tools/package.json")).unwrap();
    let packages: Value = serde_json::from_str(&packages).unwrap();
    let requirements = fs::read_to_string(root().join("tests/tools/requirements.txt")).unwrap();
    let required = |name: &str| {
        let line = requirements.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim_matches(['=', ' ', '\\']).to_owned()
    };
    for (name, version) in [
        ("jose", packages["dependencies"]["jose"].as_str().unwrap().to_owned()),
        ("oidc-provider", packages["dependencies"]["oidc-provider"].as_str().unwrap().to_owned()),
        ("fastapi-azure-auth", required("fastapi-azure-auth==")),
        ("PyJWT", required("pyjwt==")),
    ] {
        let named = format!("{name} {version}");
        assert!(document.contains(&named), "docs/CONFORMANCE.md does not name {named}");
    }
}

/// A token and what the three say of it.
struct Row {
    token: &'static str,
    /// The rule that refuses it.
    ours: Option<Rule>,
    jose: Verdict,
    fastapi: Verdict,
    /// Empty where all agree.
    why: &'static str,
    make: fn(&Mint<'_>) -> String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
}

impl Row {
    fn is_agreed(&self) -> bool {
        let ours = if self.ours.is_none() { Accepted } else { Refused };
        ours == self.jose && ours == self.fastapi
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Accepted => "accepted",
            Refused => "refused",
        })
    }
}

/// With the settings that the API gives it, and the clock that the other judges have.
fn our_validator(app: &App) -> Validator {
    let mut settings = Settings::new(entra_dev::ids::CONTOSO, entra_dev::ids::API_CLIENT_ID);
    settings.instance = app.tenant.base_url().into();
    Validator::new(&settings).unwrap()
}

/// What another judge prints for a token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement {
    accepted: bool,
    #[allow(dead_code, reason = "it is shown where the verdict is a surprise")]
    reason: Option<String>,
}

impl Judgement {
    fn verdict(&self) -> Verdict {
        if self.accepted { Accepted } else { Refused }
    }
}

/// Another judge's verdicts on all tokens, in their order.
async fn judge(program: &Path, script: &str, app: &App, tokens: &[String]) -> Vec<Judgement> {
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
    // The tenant answers its questions meanwhile.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<_> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), tokens.len(), "{script}: {said}");
    verdicts
}

/// The rows on which the three differ, as the document shows them.
fn differing() -> String {
    let heads = "| Token | poem-entra | jose | fastapi-azure-auth | Why they differ |";
    let mut table = format!("{heads}\n|---|---|---|---|---|\n");
    for Row { token, ours, jose, fastapi, why, .. } in ROWS.iter().filter(|row| !row.is_agreed()) {
        let ours = our_column(*ours);
        writeln!(table, "| {token} | {ours} | {jose} | {fastapi} | {why} |").unwrap();
    }
    table
}

/// The rows on which they agree.
fn agreed() -> String {
    let mut table = String::from("| Token | All three |\n|---|---|\n");
    for Row { token, ours, .. } in ROWS.iter().filter(|row| row.is_agreed()) {
        writeln!(table, "| {token} | {} |", our_column(*ours)).unwrap();
    }
    table
}

fn our_column(rule: Option<Rule>) -> String {
    rule.map_or_else(|| Accepted.to_string(), |rule| format!("{Refused} ({rule})"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
