//! The documentation matches the code.

use std::{fs, path::Path};

use todo_api::{api::http::code::Code, config::VARIABLES};

use super::files::read;

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
fn every_problem_has_a_heading_in_troubleshooting() {
    let troubleshooting = read("docs/TROUBLESHOOTING.md");
    for code in Code::ALL {
        let (name, status) = code.name_and_status();
        let heading = format!("### `{name}` ({}", status.as_u16());
        assert!(troubleshooting.contains(&heading), "no heading {heading}");
    }
}

#[test]
fn the_handlers_in_the_readme_are_those_of_the_code() {
    let readme = read("README.md");
    let code: String = ["src/api/todos.rs", "src/api/security.rs"].map(read).concat();
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let code = dense(&code);
    let blocks: Vec<_> = readme.split("```rust\n").skip(1).collect();
    assert!(blocks.len() >= 3, "{}", blocks.len());
    for block in blocks {
        let block = block.split("```").next().unwrap();
        assert!(code.contains(&dense(block)), "not in the code:\n{block}");
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
