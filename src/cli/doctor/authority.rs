//! The authority: what it publishes, and how this machine reaches it.

use std::sync::Arc;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use poem_entra::{Clock, Examination, ExamineError, SystemClock, examine};

use crate::{causes::Causes, config::Config};

use super::{Report, Status};

/// A difference that the resolution of `Date` and the network explain, in seconds.
const UNREMARKABLE_OFFSET: u64 = 5;

pub(super) async fn check(report: &mut Report, config: &Config) {
    let instance = &config.entra.instance;
    let proxy = proxy(instance, instance);
    match &proxy {
        Some(proxy) => report.ok("proxy", format!("requests to the authority go to {proxy}")),
        None => report.ok("proxy", "requests to the authority go to it directly"),
    }
    let clock = Arc::new(SystemClock);
    match examine(&config.entra, Arc::clone(&clock) as Arc<dyn Clock>).await {
        Ok(found) => {
            report.ok("discovery", &found.discovery_url);
            report.ok(
                "issuer",
                match found.tenant {
                    Some(tenant) => format!("{} of the tenant {tenant}", found.issuer),
                    None => format!("{} of any tenant in ALLOWED_TENANTS", found.issuer),
                },
            );
            report.ok("keys", format!("{} at {}", found.keys, found.keys_url));
            check_clock(report, &found, config.entra.leeway.as_secs());
            check_own_keys(report, &found, config.entra.claims_mapping);
        }
        Err(error) => report_failure(report, &error, instance),
    }
}

/// The proxy for requests to this URL of an instance, without a password. The HTTP client finds it
/// in the same way, except that it uses none for an authority on this machine.
fn proxy(instance: &str, url: &str) -> Option<String> {
    let is_https = instance.parse::<Uri>().ok()?.scheme_str() == Some("https");
    let proxy = Matcher::from_system().intercept(&url.parse().ok()?).filter(|_| is_https)?;
    Some(format!("the proxy {}", proxy.uri()))
}

fn report_failure(report: &mut Report, error: &ExamineError, instance: &str) {
    let (name, fix) = match error {
        ExamineError::Start(_) => (
            "discovery",
            "Install the CA certificates of the system (ca-certificates), or name a file with \
             SSL_CERT_FILE."
                .to_owned(),
        ),
        ExamineError::Unreachable(_) => {
            ("discovery", fix_for_network(proxy(instance, instance), "AAD_INSTANCE"))
        }
        ExamineError::Refused(_) => ("discovery", fix_for_status(error.status()).to_owned()),
        ExamineError::Keys(_) => (
            "keys",
            match error.unreachable_url() {
                Some(url) => {
                    fix_for_network(proxy(instance, url), "the jwks_uri of the discovery document")
                }
                None => fix_for_keys(error.status()).to_owned(),
            },
        ),
        ExamineError::Issuer(_) => (
            "issuer",
            "AAD_INSTANCE and AAD_TENANT_ID must belong to the same cloud and tenant; correct one \
             of them."
                .to_owned(),
        ),
        _ => ("discovery", NOT_ENTRA.to_owned()),
    };
    let page = "TROUBLESHOOTING.md#keys_unavailable-503";
    report.fault(Status::Fail, name, Causes(error).to_string(), fix, page);
}

/// What to do about a response that does not come from Entra.
const NOT_ENTRA: &str = "Something other than Entra responds at AAD_INSTANCE, such as a gateway or \
                         the sign-in page of a network. Correct AAD_INSTANCE, or the gateway.";
/// What to do about a failure that goes away by itself.
const TEMPORARY: &str = "This is usually temporary: try again later.";

/// What to do if there is no response from this address, to which requests go through this proxy.
fn fix_for_network(proxy: Option<String>, address: &str) -> String {
    match proxy {
        Some(proxy) => format!(
            "Check that {proxy} is running and allows this host. HTTPS_PROXY sets the proxy, and \
             NO_PROXY excludes hosts. If it intercepts TLS, install its CA."
        ),
        None => format!(
            "Check {address}, and that this machine can reach it. If it must use a proxy, set \
             HTTPS_PROXY in the environment."
        ),
    }
}

/// What to do if the discovery document is requested and the response has this status.
fn fix_for_status(status: Option<u16>) -> &'static str {
    match status {
        Some(400 | 404) => {
            "There is no such tenant, so correct AAD_TENANT_ID, or AAD_INSTANCE if the tenant is in \
             another cloud."
        }
        Some(300..=399) => "Set AAD_INSTANCE to the address that the redirect leads to.",
        Some(429 | 500..=599) => TEMPORARY,
        _ => NOT_ENTRA,
    }
}

/// What to do about keys that cannot be fetched or read, although the discovery document can.
fn fix_for_keys(status: Option<u16>) -> &'static str {
    match status {
        Some(429 | 500..=599) => TEMPORARY,
        _ => {
            "The discovery document is usable, but the keys at its jwks_uri are not. Check that \
             this machine can reach that address, and that no gateway or proxy changes the keys."
        }
    }
}

/// The rules compare times in tokens, which are from the authority's clock, with the clock of this
/// machine. `leeway` is in seconds.
fn check_clock(report: &mut Report, found: &Examination, leeway: u64) {
    let Some(offset) = found.clock_offset else {
        report.ok("clock", "the authority's responses have no Date to compare the clock with");
        return;
    };
    let seconds = offset.unsigned_abs();
    if seconds <= UNREMARKABLE_OFFSET {
        report.ok("clock", "this machine and the authority agree");
        return;
    }
    let direction = if offset > 0 { "behind" } else { "ahead of" };
    let status = if seconds > leeway { Status::Fail } else { Status::Warn };
    report.fault(
        status,
        "clock",
        format!(
            "this machine's clock is {seconds} s {direction} the authority's; TOKEN_LEEWAY is \
             {leeway} s"
        ),
        "Synchronize the clock of this machine with NTP, for example: timedatectl set-ntp true",
        match offset > 0 {
            true => "TROUBLESHOOTING.md#token-not-yet-valid",
            false => "TROUBLESHOOTING.md#expired-token",
        },
    );
}

fn check_own_keys(report: &mut Report, found: &Examination, claims_mapping: bool) {
    let name = "own_signing_keys";
    let page = "TROUBLESHOOTING.md#unknown-key-of-the-api-itself";
    match (&found.own_keys, claims_mapping) {
        (None, _) => report.ok(name, "the authority does not say whether this API has any"),
        (Some(own), true) if own.is_empty() => report.fault(
            Status::Warn,
            name,
            "CLAIMS_MAPPING is true, but the authority publishes no key for this API only",
            "Remove CLAIMS_MAPPING, unless a claims mapping policy is about to be assigned.",
            page,
        ),
        (Some(own), false) if !own.is_empty() => report.fault(
            Status::Warn,
            name,
            format!(
                "the authority publishes a signing key for this API only ({}), and tokens signed \
                 with it are refused",
                own.join(", ")
            ),
            "Set CLAIMS_MAPPING=true.",
            page,
        ),
        (Some(_), true) => report.ok(name, "the API has its own, and CLAIMS_MAPPING is true"),
        (Some(_), false) => report.ok(name, "the API has none, so CLAIMS_MAPPING is not needed"),
    }
}
