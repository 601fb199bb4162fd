//! The documentation matches the code.

use std::{collections::BTreeSet, fs, path::Path};

use proc_macro2::{TokenStream, TokenTree};
use todo_api::{
    api::http::code::Code,
    cases::{self, Case},
    config::VARIABLES,
};

use crate::support::{leads_somewhere, root};

use super::files::{pages, read, sources};

#[test]
fn every_setting_is_explained() {
    let configuration = read("docs/CONFIGURATION.md");
    let sample = read(".env.sample");
    for variable in VARIABLES {
        let row = configuration
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", variable.name)))
            .unwrap_or_else(|| panic!("CONFIGURATION.md has no row for {}", variable.name));
        if let Some(default) = variable.default {
            assert!(row.contains(&format!("| `{default}` |")), "{row} lacks the default {default}");
        }
        let set = format!("{}=", variable.name);
        let explained = sample.lines().any(|line| line.trim_start_matches("# ").starts_with(&set));
        assert!(explained, ".env.sample does not have {}", variable.name);
    }
    let rows = configuration.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(
        rows,
        VARIABLES.len(),
        "CONFIGURATION.md has a variable that the program does not read"
    );
}

#[test]
fn every_problem_and_every_case_has_a_heading_in_troubleshooting() {
    for code in Code::ALL {
        let (name, status) = code.name_and_status();
        let help = cases::troubleshooting(&format!("{name}-{}", status.as_u16()));
        assert!(leads_somewhere(&help, "docs"), "no heading for {help}");
    }
    let troubleshooting = read("docs/TROUBLESHOOTING.md");
    for case in Case::ALL {
        assert!(leads_somewhere(&case.help(), "docs"), "no heading for {}", case.help());
        let heading = format!("### {}\n", case.title());
        assert_eq!(troubleshooting.matches(&heading).count(), 1, "{heading}");
    }
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let mut links = 0;
    for page in pages() {
        let (folder, name) = page.rsplit_once('/').unwrap_or((".", &page));
        let text = read(&page);
        for link in targets(&text).chain(definitions(&text).map(|(_, link)| link)) {
            if link.starts_with("http") {
                continue;
            }
            links += 1;
            let link =
                if link.starts_with('#') { format!("{name}{link}") } else { link.to_owned() };
            assert!(leads_somewhere(&link, folder), "{page}: {link}");
        }
    }
    assert!(links > 100, "{links}");
}

/// The targets of links such as `[text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The labels and targets of definitions such as `[label]: target`.
fn definitions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let definitions = text.lines().filter_map(|line| line.split_once("]: "));
    definitions.filter_map(|(label, target)| Some((label.strip_prefix('[')?, target)))
}

/// `cargo doc` shows the README of `poem-entra`, and has no other file of the repository. Of several
/// definitions of a link, Markdown uses the first one.
#[test]
fn links_to_files_lead_to_the_repository_in_the_code_documentation() {
    let folder = "crates/poem-entra";
    let readme = read(&format!("{folder}/README.md"));
    let to_files = |link: &&str| !link.starts_with("http") && !link.starts_with('#');
    let inline: Vec<_> = targets(&readme).filter(to_files).collect();
    assert!(inline.is_empty(), "define them at the end of the README and in lib.rs: {inline:?}");

    let library = read(&format!("{folder}/src/lib.rs"));
    let (before, _) = library.split_once("include_str!(\"../README.md\")").unwrap();
    let mut found = 0;
    for (label, target) in definitions(&readme).filter(|(_, target)| to_files(target)) {
        found += 1;
        let (_, definition) = before.split_once(&format!("\"[{label}]: \"")).unwrap();
        let (_, online) = definition.split_once("\"/blob/main/").unwrap();
        let (online, _) = online.split_once("\\n\"").unwrap();
        let file = |path: &str| fs::canonicalize(root().join(path)).unwrap();
        assert_eq!(file(online), file(&format!("{folder}/{target}")), "{label}");
    }
    assert!(found > 0);
}

#[test]
fn every_number_of_the_development_tenant_has_a_row_in_troubleshooting() {
    let troubleshooting = read("docs/TROUBLESHOOTING.md");
    let files = sources("crates/entra-dev/src/refusal");
    let numbers = files.iter().flat_map(|file| integers(&read(file).parse().unwrap()));
    let numbers: BTreeSet<_> = numbers.collect();
    // The other integers in the files are smaller.
    let numbers: Vec<_> = numbers.into_iter().filter(|number| *number >= 10_000).collect();
    assert!(numbers.len() >= 60, "{numbers:?}");
    for number in numbers {
        let row = format!("\n| AADSTS{number} |");
        assert_eq!(troubleshooting.matches(&row).count(), 1, "AADSTS{number}");
    }
}

fn integers(tokens: &TokenStream) -> BTreeSet<u32> {
    let integers = tokens.clone().into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => integers(&group.stream()),
        TokenTree::Literal(literal) => {
            literal.to_string().replace('_', "").parse().into_iter().collect()
        }
        _ => BTreeSet::new(),
    });
    integers.collect()
}

#[test]
fn the_code_in_the_pages_is_that_of_the_files() {
    let declaration = &["src/api/todos.rs", "src/api/security.rs"][..];
    let api = &["examples/standalone-api/src/lib.rs"][..];
    let pages = [
        ("README.md", api),
        ("docs/PROTECTION.md", declaration),
        ("docs/COMING-FROM-FASTAPI.md", declaration),
        ("docs/COMING-FROM-MICROSOFT-IDENTITY-WEB.md", api),
    ];
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    for (page, files) in pages {
        let text = read(page);
        let code: String = files.iter().map(|file| dense(&read(file))).collect();
        let blocks: Vec<_> = text.split("```rust\n").skip(1).collect();
        assert!(!blocks.is_empty(), "{page}");
        for block in blocks {
            let block = block.split("```").next().unwrap();
            // Parts may be from different places.
            for part in block.split("\n\n") {
                assert!(code.contains(&dense(part)), "{page}, not in {files:?}:\n{part}");
            }
        }
    }
}

#[test]
fn every_module_has_a_row_in_the_architecture() {
    let architecture = read("docs/ARCHITECTURE.md");
    let rows: Vec<_> = architecture.lines().filter(|line| line.starts_with("| `")).collect();
    for folder in ["src", "src/api", "src/api/http", "src/store"] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap();
            let name = match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.ends_with("mod.rs") => continue,
                Some("rs") => format!("`{name}`"),
                Some(_) => continue,
                None => format!("`{name}/`"),
            };
            assert!(rows.iter().any(|row| row.contains(&name)), "no row for {name}");
        }
    }
    for path in architecture.split('`').skip(1).step_by(2).filter(|code| code.starts_with("src/")) {
        assert!(Path::new(path).exists(), "ARCHITECTURE.md names {path}, which does not exist");
    }
}
