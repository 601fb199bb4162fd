//! Our validator and two others judge the same tokens. The table says where and why they differ,
//! and `docs/CONFORMANCE.md` shows it.

mod agreed;
mod claims;
mod format;

use std::{collections::BTreeMap, fmt::Write as _, fs};

use serde_json::Value;

use crate::support::{
    App, Tool,
    judges::{Mint, Row, agreed, differing, judge, our_validator},
    require, root, test_name,
};

#[tokio::test]
async fn validators_differ_only_on_tokens_in_the_table() {
    let tools = [Tool::Node, Tool::Jose, Tool::FastapiAzureAuth];
    let Some([node, _, python]) = require(test_name!(), tools) else { return };
    let app = App::start().await;
    let mint = Mint::new(&app, node.clone()).await;
    let tokens: Vec<_> = rows().map(|row| (row.make)(&mint)).collect();

    let ours = our_validator(&app);
    let (jose, fastapi) = tokio::join!(
        judge(&node, "judge.mjs", &app, &tokens),
        judge(&python, "judge.py", &app, &tokens),
    );
    let mut differences = String::new();
    for (index, row) in rows().enumerate() {
        let ours = ours.validate(&tokens[index]).await;
        let rule = ours.as_ref().err().map(|rejection| rejection.rule());
        let (jose, fastapi) = (&jose[index], &fastapi[index]);
        if (rule, jose.verdict(), fastapi.verdict()) != (row.ours, row.jose, row.fastapi) {
            let name = row.token;
            let why = ours.as_ref().err().map(|rejection| rejection.detail());
            writeln!(differences, "{name}:\n  {rule:?} {why:?}\n  {jose:?}\n  {fastapi:?}")
                .unwrap();
        }
    }
    assert!(
        differences.is_empty(),
        "the verdicts differ from the table (poem-entra, jose, fastapi):\n{differences}"
    );
}

#[test]
fn docs_conformance_md_has_the_table_and_the_versions() {
    let document = fs::read_to_string(root().join("docs/CONFORMANCE.md")).unwrap();
    for row in rows() {
        assert_eq!(row.why.is_empty(), row.is_agreed(), "{}", row.token);
    }
    for table in [differing(rows()), agreed(rows())] {
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

#[test]
fn docs_conformance_md_explains_each_kind_of_difference_from_microsoft() {
    let document = fs::read_to_string(root().join("docs/CONFORMANCE.md")).unwrap();
    let verdicts = root().join("crates/poem-entra/vectors/verdicts.json");
    let verdicts: Value = serde_json::from_slice(&fs::read(verdicts).unwrap()).unwrap();
    let files = verdicts["verdicts"].as_object().unwrap().values();
    let answers: Vec<_> = files.flat_map(|file| file.as_array().unwrap()).collect();
    let mut kinds = BTreeMap::<_, usize>::new();
    for kind in answers.iter().filter_map(|answer| answer["differs"].as_str()) {
        *kinds.entry(kind).or_default() += 1;
    }
    for (kind, vectors) in &kinds {
        let row = format!("\n| `{kind}` | {vectors} | ");
        assert!(document.contains(&row), "docs/CONFORMANCE.md lacks this row:{row}");
    }
    let judged = answers.iter().filter(|answer| answer["unjudged"].is_null()).count();
    let version = |library: &str| verdicts["versions"][library].as_str().unwrap();
    for text in [
        format!("On {}, ", verdicts["judged"].as_str().unwrap()),
        format!("about {judged} of them"),
        format!("In {} cases, ", kinds.values().sum::<usize>()),
        format!("Microsoft.IdentityModel {}", version("Microsoft.IdentityModel.Validators")),
        format!("Microsoft.Identity.Web {}", version("Microsoft.Identity.Web")),
        format!(".NET {}", version(".NET")),
    ] {
        assert!(document.contains(&text), "docs/CONFORMANCE.md does not say {text:?}");
    }
}

/// The table.
fn rows() -> impl Iterator<Item = &'static Row> {
    [agreed::ROWS, claims::ROWS, format::ROWS, claims::GUESTS].into_iter().flatten()
}

/// The object id of another user.
const OTHER: &str = "0a000000-0000-4000-8000-000000000001";
