//! The README documents the rules.

use poem_entra::Rule;

#[test]
fn the_readme_explains_every_rule_in_order() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("\n## The rules\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let explained: Vec<_> = rows.map(|row| row.split_once('`').unwrap().0).collect();
    assert_eq!(explained, Rule::ALL.map(Rule::name));
}
