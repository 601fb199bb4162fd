//! The settings. The faults and their texts are those of `serve`.

use crate::config::{Config, InvalidConfig};

use super::{Report, Status};

/// Reports each fault of settings with which the server does not start.
pub(super) fn report_faults(report: &mut Report, faults: &InvalidConfig, dev: bool) {
    for fault in &faults.0 {
        let variable = variable(fault);
        let missing = fault.contains(" is missing");
        let fix = match variable {
            Some(name) if missing && !dev => format!(
                "Set {name} in .env or in the environment, or let todo-api register do it. To try \
                 the API without an Azure account: todo-api serve --dev"
            ),
            Some(name) => match proposed_url(fault) {
                Some(url) => format!(
                    "Set {name}={url} in .env or in the environment. The tenant belongs in \
                     AAD_TENANT_ID."
                ),
                None => format!("Correct {name} in .env or in the environment."),
            },
            None => "Correct the file .env.".to_owned(),
        };
        report.fault(Status::Fail, "settings", fault, fix, page(variable));
    }
    let detail = "was not checked, because that needs correct settings";
    let fix = "Correct the settings, and run todo-api doctor again.";
    report.fault(Status::Warn, "authority", detail, fix, "CONFIGURATION.md");
}

/// Reports settings that are probably wrong.
pub(super) fn report_warnings(report: &mut Report, config: &Config, dev: bool) {
    // The check of the redirect URI reports this one.
    let redirect = config.server.redirect_problem();
    let warnings: Vec<_> =
        config.warnings.iter().filter(|warning| Some(*warning) != redirect.as_ref()).collect();
    for warning in &warnings {
        let variable = variable(warning);
        let fix = match variable {
            Some(name) => format!("Correct or remove {name}."),
            None => "Correct the setting.".to_owned(),
        };
        report.fault(Status::Warn, "settings", warning.as_str(), fix, page(variable));
    }
    if warnings.is_empty() {
        report.ok(
            "settings",
            match dev {
                true => "nothing is wrong for serve --dev, which needs none".to_owned(),
                false => format!(
                    "every value has the right form; API_CLIENT_ID is {} (compare it with \
                     Application (client) ID of the API in the portal: doctor cannot check that)",
                    config.entra.client_id
                ),
            },
        );
    }
}

/// The variable that a fault begins with.
fn variable(fault: &str) -> Option<&str> {
    let name = fault.split(' ').next()?;
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(is_name).then_some(name)
}

/// The URL that a fault of `AAD_INSTANCE` says to write.
fn proposed_url(fault: &str) -> Option<&str> {
    let (_, proposed) = fault.strip_prefix("AAD_INSTANCE ")?.split_once("; write ")?;
    proposed.split(' ').next().filter(|url| url.starts_with("http"))
}

/// Where the documentation says what to write.
fn page(variable: Option<&str>) -> &'static str {
    match variable {
        Some("API_CLIENT_ID" | "AAD_TENANT_ID" | "API_CLIENT_SECRET") => "ENTRA-SETUP.md#the-api",
        Some("SWAGGER_UI_CLIENT_ID") => "ENTRA-SETUP.md#swagger-ui",
        Some("APP_ID_URI" | "API_AUDIENCE") => "ENTRA-SETUP.md#other-app-id-uris",
        Some("ALLOWED_TENANTS") => "ENTRA-SETUP.md#people-from-several-tenants",
        Some(
            "HTTPS_PROXY" | "https_proxy" | "ALL_PROXY" | "NO_PROXY" | "SSL_CERT_FILE"
            | "SSL_CERT_DIR",
        ) => "CONFIGURATION.md#variables-of-the-libraries",
        Some(_) => "CONFIGURATION.md",
        None => "CONFIGURATION.md#precedence",
    }
}
