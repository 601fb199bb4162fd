//! Which modules and crates each module of `src` may know.

use super::{
    files::{read, sources},
    source::{Path, paths},
};

/// A module and everything that it may know. A module may always know its own submodules, so a
/// folder with one row is not checked inside.
struct Rule {
    module: &'static str,
    /// Other modules of this crate.
    modules: &'static [&'static str],
    /// Those of [`CRATES`] that the module may use. All other crates are allowed everywhere.
    crates: &'static [&'static str],
}

/// The crates whose use is limited to some modules.
const CRATES: &[&str] = &[
    "anyhow",
    "clap",
    "deadpool_postgres",
    "dotenvy",
    "entra_dev",
    "hyper",
    "jsonwebtoken",
    "poem",
    "poem_entra",
    "poem_openapi",
    "rusqlite",
    "sd_notify",
    "serde",
    "serde_json",
    "tokio",
    "tokio_postgres",
    "tracing_subscriber",
];

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { module: "cases", modules: &[], crates: &["poem_entra"] },
    Rule { module: "causes", modules: &[], crates: &[] },
    Rule { module: "objects", modules: &[], crates: &["serde", "serde_json"] },
    // The domain.
    Rule { module: "list", modules: &["todo"], crates: &[] },
    Rule { module: "todo", modules: &[], crates: &[] },
    // The store. It is the only module that knows SQL.
    Rule { module: "store", modules: &["causes", "list", "todo"], crates: &["deadpool_postgres", "rusqlite", "tokio", "tokio_postgres"] },
    // The API. `api::todos` knows no tokens, SQL or settings.
    Rule { module: "api", modules: &[], crates: &["poem", "poem_entra", "poem_openapi", "serde_json"] },
    Rule { module: "api::audit", modules: &["api::security"], crates: &[] },
    Rule {
        module: "api::bodies",
        modules: &["api::http::paging", "api::http::problem", "todo"],
        crates: &["poem_openapi", "serde"],
    },
    Rule {
        module: "api::docs",
        modules: &["api::http::pages", "api::http::preconditions"],
        crates: &["poem", "poem_openapi", "serde_json"],
    },
    Rule { module: "api::document", modules: &["api::http::problem"], crates: &["poem_entra", "serde_json"] },
    Rule {
        module: "api::document::errors",
        modules: &["api::bodies", "api::health", "api::http::edge", "api::http::headers", "api::http::json", "api::http::paging", "api::http::preconditions", "api::http::problem", "api::security", "todo"],
        crates: &["poem_entra", "serde_json"],
    },
    Rule {
        module: "api::document::schemas",
        modules: &["api::document", "api::health", "api::http::code", "api::http::problem", "todo"],
        crates: &["poem_openapi", "serde_json"],
    },
    Rule { module: "api::document::text", modules: &["api::security"], crates: &["serde_json"] },
    Rule {
        module: "api::health",
        modules: &["api::http::json", "api::http::preconditions", "api::http::problem", "store"],
        crates: &["poem", "poem_entra", "poem_openapi", "serde"],
    },
    Rule { module: "api::http", modules: &[], crates: &[] },
    Rule { module: "api::http::code", modules: &[], crates: &["poem"] },
    Rule { module: "api::http::cors", modules: &["api::http::problem", "telemetry"], crates: &["poem"] },
    Rule {
        module: "api::http::edge",
        modules: &["api::http::cors", "api::http::host", "api::http::limits", "api::http::methods", "api::http::problem", "api::http::transfer_coding", "telemetry"],
        crates: &["poem", "poem_entra", "poem_openapi"],
    },
    Rule {
        module: "api::http::headers",
        modules: &["api::http::problem", "todo"],
        crates: &["poem", "poem_openapi"],
    },
    Rule { module: "api::http::host", modules: &["api::http::problem"], crates: &["poem"] },
    Rule {
        module: "api::http::json",
        modules: &["api::http::problem", "objects"],
        crates: &["poem", "poem_openapi", "serde", "serde_json", "tokio"],
    },
    Rule {
        module: "api::http::limits",
        modules: &["api::http::problem", "api::http::rate_limit", "proxies"],
        crates: &["poem", "tokio"],
    },
    Rule { module: "api::http::methods", modules: &[], crates: &["poem", "poem_openapi"] },
    Rule { module: "api::http::transfer_coding", modules: &["api::http::problem"], crates: &["poem"] },
    Rule { module: "api::http::pages", modules: &[], crates: &["poem", "poem_openapi"] },
    Rule {
        module: "api::http::paging",
        modules: &["api::http::problem", "list", "todo"],
        crates: &["poem_openapi"],
    },
    Rule {
        module: "api::http::preconditions",
        modules: &["api::http::headers", "api::http::problem", "list", "store", "todo"],
        crates: &["poem", "poem_openapi"],
    },
    Rule {
        module: "api::http::problem",
        modules: &["api::http::code", "api::http::json", "cases", "causes", "store"],
        crates: &["poem", "poem_entra", "poem_openapi", "serde", "serde_json"],
    },
    Rule {
        module: "api::http::rate_limit",
        modules: &["api::http::problem", "proxies"],
        crates: &["poem", "poem_entra", "tokio"],
    },
    Rule {
        module: "api::metadata",
        modules: &["api::http::pages"],
        crates: &["poem", "poem_entra", "poem_openapi"],
    },
    Rule {
        module: "api::security",
        modules: &["api::http::problem", "store", "todo"],
        crates: &["poem", "poem_entra", "poem_openapi"],
    },
    Rule {
        module: "api::todos",
        modules: &["api::audit", "api::bodies", "api::http::headers", "api::http::json", "api::http::paging", "api::http::preconditions", "api::http::problem", "api::security", "list", "store", "todo"],
        crates: &["poem_openapi"],
    },
    // The server.
    Rule { module: "config", modules: &["proxies", "store", "tls"], crates: &["poem_entra", "tracing_subscriber"] },
    Rule { module: "config::env_file", modules: &["config::env_text"], crates: &[] },
    Rule { module: "config::env_text", modules: &[], crates: &["dotenvy"] },
    Rule { module: "config::environment", modules: &["config", "config::env_text"], crates: &["dotenvy"] },
    Rule { module: "listener", modules: &["causes", "proxies", "tls", "unread_body", "workers"], crates: &["hyper", "poem", "tokio"] },
    Rule { module: "workers", modules: &[], crates: &["tokio"] },
    Rule { module: "tls", modules: &[], crates: &[] },
    Rule { module: "unread_body", modules: &[], crates: &["hyper", "tokio"] },
    Rule { module: "proxies", modules: &[], crates: &["poem"] },
    Rule { module: "telemetry", modules: &["config"], crates: &["poem", "poem_entra", "poem_openapi", "tracing_subscriber"] },
    Rule {
        module: "server",
        modules: &["api", "api::docs", "api::document", "api::health", "api::http::cors", "api::http::edge", "api::http::limits", "api::http::problem", "api::metadata", "api::security", "api::todos", "config", "listener", "store", "telemetry", "workers"],
        crates: &["poem", "poem_entra", "serde_json", "tokio"],
    },
    // The app registrations. Nobody else knows Microsoft Graph.
    Rule { module: "register", modules: &["api::security", "objects"], crates: &["serde", "serde_json", "tokio"] },
    // The commands. Only one module knows the development tenant.
    Rule {
        module: "cli",
        modules: &["api", "api::docs", "api::document", "cases", "causes", "config", "listener", "server", "store", "telemetry", "tls", "workers"],
        crates: &["anyhow", "clap", "hyper", "poem_entra", "sd_notify", "serde_json", "tokio"],
    },
    Rule {
        module: "cli::explain",
        modules: &["api", "api::security", "cases", "causes", "cli", "cli::dev_tenant", "config"],
        crates: &["anyhow", "clap", "poem_entra", "serde", "serde_json", "tokio"],
    },
    Rule {
        module: "cli::register",
        modules: &["api::docs", "api::security", "causes", "cli", "config", "config::env_file", "listener", "objects", "register"],
        crates: &["anyhow", "clap", "poem_entra", "serde", "serde_json", "tokio"],
    },
    Rule { module: "cli::dev_tenant", modules: &["config", "listener"], crates: &["anyhow", "entra_dev"] },
];

#[test]
fn every_module_knows_only_what_it_may() {
    let mut found = Vec::new();
    for file in sources("src") {
        if !["src/lib.rs", "src/main.rs"].contains(&file.as_str()) {
            found.extend(violations(&file, &read(&file)));
        }
    }
    assert!(found.is_empty(), "RULES in {} says what each module may know: {found:#?}", file!());
}

/// What a file of `src` knows against the rules: `FILE: MODULE knows NAME`.
fn violations(file: &str, text: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(rule) = rule_for(&module) else {
        return vec![format!("{file}: no rule for this module")];
    };
    let mut violations: Vec<_> = paths(text)
        .iter()
        .filter_map(|path| match own_module(path, &module) {
            Some(target) => forbidden_module(rule, &target),
            None => forbidden_crate(rule, path),
        })
        .map(|name| format!("{file}: {} knows {name}", rule.module))
        .collect();
    violations.dedup();
    violations
}

fn forbidden_module(rule: &Rule, target: &[String]) -> Option<String> {
    let Some(known) = rule_for(target) else { return Some(target.join("::")) };
    let is_inside = known.module.starts_with(&format!("{}::", rule.module));
    let allowed = known.module == rule.module || is_inside || rule.modules.contains(&known.module);
    (!allowed).then(|| known.module.to_owned())
}

fn forbidden_crate(rule: &Rule, path: &Path) -> Option<String> {
    let name = path.segments[0].as_str();
    // A single name is a variable or a field, except at the start of a `use`.
    let is_path = path.segments.len() > 1;
    (is_path && CRATES.contains(&name) && !rule.crates.contains(&name)).then(|| name.to_owned())
}

/// The path from the root of this crate, if the path says so: `super::problem` in `api::todos` is
/// `api::problem`.
fn own_module(path: &Path, module: &[String]) -> Option<Vec<String>> {
    let (first, others) = path.segments.split_first()?;
    if others.is_empty() {
        return None;
    }
    if ["crate", "todo_api"].contains(&first.as_str()) {
        return Some(others.to_vec());
    }
    let ups = path.segments.iter().take_while(|segment| *segment == "super").count();
    if ups == 0 && first != "self" {
        return None;
    }
    let mut target = [module, &path.inline_modules[..]].concat();
    target.truncate(target.len().saturating_sub(ups));
    target.extend(path.segments.iter().skip(ups.max(1)).cloned());
    Some(target)
}

/// `src/api/todos.rs` is the module `api::todos`, and `src/api/mod.rs` the module `api`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The rule for the innermost module that has one. Modules of `src`,
/// `src/api` and `src/api/http` need their own.
fn rule_for(path: &[String]) -> Option<&'static Rule> {
    let mut prefixes = (1..=path.len()).rev().map(|length| path[..length].join("::"));
    prefixes.find_map(|name| RULES.iter().find(|rule| rule.module == name))
}

#[test]
fn every_module_has_a_rule() {
    for file in sources("src") {
        let module = module_of(&file);
        let needs_rule = match &module[..] {
            [name] => !["lib", "main"].contains(&name.as_str()),
            [first, _] => first == "api",
            [first, second, _] => first == "api" && second == "http",
            _ => false,
        };
        let has_rule = RULES.iter().any(|rule| rule.module == module.join("::"));
        assert!(has_rule || !needs_rule, "no rule for {file}");
    }
    for rule in RULES {
        let file = format!("src/{}", rule.module.replace("::", "/"));
        let exists = [format!("{file}.rs"), format!("{file}/mod.rs")]
            .iter()
            .any(|file| std::path::Path::new(file).exists());
        assert!(exists, "the rule for {} is not needed", rule.module);
        for name in rule.modules {
            let has_rule = RULES.iter().any(|rule| rule.module == *name);
            assert!(has_rule, "the rule for {} allows {name}, which has no rule", rule.module);
        }
        for name in rule.crates {
            assert!(CRATES.contains(name), "{name} is not in CRATES");
        }
    }
}

#[test]
fn a_planted_use_of_a_module_or_crate_is_reported() {
    for (file, text, name) in [
        ("src/store/mod.rs", "use crate::{\n    config::Config,\n    todo::Todo,\n};", "config"),
        ("src/store/sqlite/writer.rs", "use crate::{\n    todo::{self},\n    api,\n};", "api"),
        ("src/store/sqlite/writer.rs", "use super::super::super::server::Server;", "server"),
        ("src/store/mod.rs", "fn f() { crate::telemetry::x() }", "telemetry"),
        ("src/store/mod.rs", "mod tests { use super::super::telemetry; }", "telemetry"),
        ("src/store/mod.rs", "macro_rules! m { () => { $crate::server::f() }; }", "server"),
        ("src/store/mod.rs", "use poem::Result;", "poem"),
        ("src/todo.rs", "use crate::list::Listing;", "list"),
        ("src/todo.rs", "use super::store;", "store"),
        ("src/todo.rs", "#[derive(serde::Serialize)] struct Todo;", "serde"),
        ("src/todo.rs", "fn f(row: &rusqlite::Row) {}", "rusqlite"),
        ("src/list.rs", "use crate::store::Store;", "store"),
        ("src/api/todos.rs", "use poem_entra::Validator;", "poem_entra"),
        ("src/api/todos.rs", "use {jsonwebtoken::decode, std::fmt};", "jsonwebtoken"),
        ("src/api/todos.rs", "fn f() { let _ = rusqlite::version(); }", "rusqlite"),
        ("src/api/todos.rs", "use crate::{config, list::Listing};", "config"),
        ("src/api/todos.rs", "use super::super::telemetry as log;", "telemetry"),
        ("src/api/todos.rs", "use super::*;", "api"),
        ("src/api/http/problem.rs", "use super::super::todos::TodosApi;", "api::todos"),
        (
            "src/api/http/problem.rs",
            "impl From<::tokio_postgres::Error> for Problem {}",
            "tokio_postgres",
        ),
        ("src/config/reader.rs", "use dotenvy as file;\nfn f() { dotenvy::dotenv() }", "dotenvy"),
        ("src/telemetry.rs", "fn start() -> anyhow::Result<()> { Ok(()) }", "anyhow"),
        ("src/server.rs", "use entra_dev::DevTenant;", "entra_dev"),
        ("src/cli/serve.rs", "use entra_dev::DevTenant;", "entra_dev"),
        ("src/server.rs", "use crate::{cli::Cli, todo::Todo};", "cli"),
        ("src/server.rs", "use crate::unknown;", "unknown"),
    ] {
        let found = violations(file, text);
        let expected = format!("knows {name}");
        assert!(found.iter().any(|found| found.ends_with(&expected)), "{file}: {text}: {found:?}");
    }
    assert_eq!(violations("src/new.rs", ""), ["src/new.rs: no rule for this module"]);
}

#[test]
fn an_allowed_use_is_not_reported() {
    for (file, text) in [
        ("src/store/sqlite/writer.rs", "use super::super::queries; use crate::{list, todo::Todo};"),
        ("src/store/mod.rs", "pub(in crate::store) fn f() {} pub(super) fn g() {}"),
        ("src/store/mod.rs", "// crate::telemetry\nfn f() { \"crate::config\"; }"),
        ("src/api/todos.rs", "mod tests { use super::*; use crate::store::Store; }"),
        ("src/api/mod.rs", "use self::todos::TodosApi;"),
    ] {
        assert_eq!(violations(file, text), [""; 0], "{text}");
    }
}
