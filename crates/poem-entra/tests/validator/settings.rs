//! The limits of the settings, and what the API can read from them.

use std::time::Duration;

use poem_entra::{Fault, Settings};

use crate::support::{API, INSTANCE, TENANT, World};

/// The settings that are wrong after this change.
fn faults(change: impl FnOnce(&mut Settings)) -> Vec<Fault> {
    let mut settings = Settings::new(TENANT, API);
    change(&mut settings);
    settings.check().err().map(|invalid| invalid.0).unwrap_or_default()
}

#[test]
fn each_limit_is_exact() {
    let second = Duration::from_secs(1);
    for (leeway, name) in [(300 * second, None), (301 * second, Some("leeway"))] {
        let found = faults(|settings| settings.leeway = leeway);
        assert_eq!(found.first().map(|fault| fault.setting.to_string()).as_deref(), name);
    }
    for (entries, name) in [(10_000_000, None), (10_000_001, Some("token_cache_entries"))] {
        let found = faults(|settings| settings.token_cache_entries = entries);
        assert_eq!(found.first().map(|fault| fault.setting.to_string()).as_deref(), name);
    }
    for (refresh, name) in [(second, None), (Duration::from_millis(999), Some("key_refresh"))] {
        let found = faults(|settings| settings.key_refresh = refresh);
        assert_eq!(found.first().map(|fault| fault.setting.to_string()).as_deref(), name);
    }
}

#[test]
fn the_faults_are_one_line_of_text() {
    let mut settings = Settings::new(TENANT, "4444");
    assert_eq!(settings.check().unwrap_err().to_string(), "client_id is not a GUID");
    settings.leeway = Duration::from_secs(301);
    let line = "client_id is not a GUID; leeway is more than 300 seconds";
    assert_eq!(settings.check().unwrap_err().to_string(), line);
}

#[test]
fn a_missing_setting_is_called_missing() {
    let found = faults(|settings| {
        settings.tenant.clear();
        settings.client_id.clear();
    });
    let starts: Vec<_> = found.iter().map(|fault| fault.problem.split(':').next()).collect();
    assert_eq!(starts, [Some("is missing"); 2], "{found:?}");
}

#[test]
fn an_instance_is_only_a_scheme_and_a_host() {
    for end in ["", "/", ":8443"] {
        assert_eq!(faults(|settings| settings.instance += end), [], "{end}");
    }
    for instance in [
        "https://login.example/tenant",
        "https://login.example?tenant",
        "https://login.example/#tenant",
        "https://user@login.example",
        "https://:secret@login.example",
    ] {
        assert_eq!(faults(|settings| settings.instance = instance.into()).len(), 1, "{instance}");
    }
}

#[test]
fn a_domain_has_labels_of_letters_digits_and_hyphens() {
    for (tenant, good) in [
        ("contoso.example", true),
        ("contoso-2.onmicrosoft.com", true),
        ("contoso", false),
        ("contoso-2", false),
        (".example", false),
        ("contoso..example", false),
        ("contoso.exa mple", false),
        ("contoso_2.example", false),
    ] {
        assert_eq!(faults(|settings| settings.tenant = tenant.into()).is_empty(), good, "{tenant}");
    }
}

#[test]
fn the_authority_has_an_origin_and_urls() {
    for (instance, origin) in [(INSTANCE, INSTANCE), ("http://[::1]:80/", "http://[::1]")] {
        let world = World::with(|settings| settings.instance = instance.into());
        let authority = world.validator.authority();
        assert_eq!(authority.origin(), origin);
        assert_eq!(authority.instance_url(), origin);
        assert_eq!(authority.url(), format!("{origin}/{TENANT}"));
    }
}
