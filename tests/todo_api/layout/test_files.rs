//! No file of tests is forgotten.

use super::files::{files, read};

#[test]
fn every_file_of_tests_is_part_of_its_program() {
    for folder in
        ["tests/todo_api", "crates/poem-entra/tests/validator", "crates/entra-dev/tests/tenant"]
    {
        let main = read(&format!("{folder}/main.rs"));
        let names = files(folder).into_iter().filter_map(|file| {
            let name = file.strip_prefix(folder)?.split('/').nth(1)?;
            (name != "main.rs").then(|| name.trim_end_matches(".rs").to_owned())
        });
        for name in names {
            assert!(
                main.contains(&format!("\nmod {name};\n")),
                "{folder}/main.rs has no mod {name}"
            );
        }
    }
}
