//! The settings of the development tenant, and its ids. The ids are also in the reference document,
//! which every program can write. For this reason they do not come from `entra-dev`, which is
//! optional.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use super::{Config, Environment, InvalidConfig};

/// The ids of the development tenant that the API uses.
pub mod ids {
    /// The tenant Contoso.
    pub const TENANT: &str = "11111111-1111-4111-8111-111111111111";
    /// The client id of the API.
    pub const API: &str = "33333333-3333-4333-8333-333333333333";
    /// The client id of Swagger UI.
    pub const SWAGGER_UI: &str = "44444444-4444-4444-8444-444444444444";
}

/// Where the embedded development tenant listens, and who is in it.
#[derive(Debug, Clone)]
pub struct DevTenantConfig {
    /// `DEV_TENANT_PORT`, default 8001: the HTTP port, for browsers and the API. 0 picks any free
    /// port.
    pub port: u16,
    /// `DEV_TENANT_HTTPS_PORT`, default 8443: the HTTPS port, for clients that require HTTPS. 0
    /// picks any free port.
    pub https_port: u16,
    /// `DEV_TENANT_CONFIG`: the directory file with the tenants, people and apps. Default: the
    /// built-in ones.
    pub directory: Option<PathBuf>,
}

impl Config {
    /// Reads and checks all settings for the development tenant. Its own ids and address replace
    /// those of any other tenant. `APP_ID_URI` is kept: the development tenant registers the API
    /// with it.
    ///
    /// # Errors
    ///
    /// The same as [`Config::read`]. Also if `HOST` is not a loopback address, because the
    /// development tenant lets anybody sign in as anybody, and if two listeners have the same port.
    pub fn read_dev(environment: Environment) -> Result<Self, InvalidConfig> {
        let port = environment.get("DEV_TENANT_PORT").unwrap_or_default().to_owned();
        let mut own_faults = equal_ports(&environment);
        let host = environment.get("HOST").unwrap_or_default();
        if !is_loopback(host) {
            own_faults.push(format!(
                "HOST is {host}, but anybody can sign in to the development tenant: \
                 with --dev it must be localhost or another loopback address"
            ));
        }
        let environment = environment
            .with("AAD_INSTANCE", format!("http://localhost:{port}"))
            .with("AAD_TENANT_ID", ids::TENANT)
            .with("ALLOWED_TENANTS", "")
            .with("API_AUDIENCE", "")
            .with("API_CLIENT_ID", ids::API)
            .with("SWAGGER_UI_CLIENT_ID", ids::SWAGGER_UI)
            .with("EXPLAIN_401", "true");
        match Self::read(&environment) {
            Ok(config) if own_faults.is_empty() => Ok(config),
            Ok(_) => Err(InvalidConfig(own_faults)),
            Err(InvalidConfig(faults)) => Err(InvalidConfig([own_faults, faults].concat())),
        }
    }
}

/// One fault for each pair of listeners with the same port, unless the port is 0. Without this
/// check, the second listener would find the port in use, and the error would blame another
/// program.
fn equal_ports(environment: &Environment) -> Vec<String> {
    let port = |name| environment.get(name)?.parse().ok().filter(|port: &u16| *port != 0);
    let [api, http, https] = PORTS.map(|name| (name, port(name)));
    let mut pairs = vec![(http, https)];
    // The development tenant does not listen on other loopback addresses, such as 127.0.0.2.
    let address = environment.get("HOST").and_then(|host| host.parse().ok());
    let is_shared: fn(IpAddr) -> bool =
        |address| [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].contains(&address);
    if address.is_none_or(is_shared) {
        pairs.extend([(api, http), (api, https)]);
    }
    let equal = pairs.into_iter().filter_map(|((one, port), (other, same))| {
        let port = port.filter(|_| port == same)?;
        Some(format!("{one} and {other} are both {port}; set one of them to another port"))
    });
    equal.collect()
}

const PORTS: [&str; 3] = ["PORT", "DEV_TENANT_PORT", "DEV_TENANT_HTTPS_PORT"];

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_must_be_a_loopback_address() {
        for host in ["0.0.0.0", "::", "192.0.2.1", "todo.example"] {
            let environment = Environment::complete().with("HOST", host);
            assert!(Config::read_dev(environment).is_err(), "{host}");
        }
        for host in ["localhost", "127.0.0.1", "::1"] {
            let environment = Environment::complete().with("HOST", host);
            assert!(Config::read_dev(environment).is_ok(), "{host}");
        }
    }

    #[test]
    fn two_listeners_with_the_same_port_are_a_fault() {
        let faults = |settings: [(&str, &str); 4]| {
            let environment = settings
                .into_iter()
                .fold(Environment::default(), |all, (name, value)| all.with(name, value));
            Config::read_dev(environment).err().map_or(Vec::new(), |InvalidConfig(faults)| faults)
        };
        let ports = |host, api, http, https| {
            faults([
                ("HOST", host),
                ("PORT", api),
                ("DEV_TENANT_PORT", http),
                ("DEV_TENANT_HTTPS_PORT", https),
            ])
        };
        let fault = |one: &str, other: &str, port: u16| {
            format!("{one} and {other} are both {port}; set one of them to another port")
        };
        let [api, http, https] = PORTS;
        for host in ["localhost", "127.0.0.1", "::1"] {
            assert_eq!(ports(host, "9000", "9000", ""), [fault(api, http, 9_000)], "{host}");
        }
        assert_eq!(ports("", "8443", "", ""), [fault(api, https, 8_443)]);
        assert_eq!(ports("", "", "9000", "9000"), [fault(http, https, 9_000)]);
        assert_eq!(ports("", "9000", "9000", "9000").len(), 3);
        for (host, api, http, https) in
            [("", "", "", ""), ("", "0", "0", "0"), ("127.0.0.2", "8001", "", "")]
        {
            assert_eq!(ports(host, api, http, https), <[String; 0]>::default());
        }
    }

    #[test]
    fn faults_of_the_development_tenant_and_others_are_listed_together() {
        let environment = Environment::default()
            .with("HOST", "0.0.0.0")
            .with("DEV_TENANT_PORT", "8443")
            .with("DRAIN_TIMEOUT", "soon");
        let InvalidConfig(faults) = Config::read_dev(environment).unwrap_err();
        let [ports, host, drain] = &faults[..] else { panic!("{faults:?}") };
        assert!(ports.starts_with("DEV_TENANT_PORT and DEV_TENANT_HTTPS_PORT"), "{ports}");
        assert!(host.starts_with("HOST is 0.0.0.0"), "{host}");
        assert!(drain.starts_with("DRAIN_TIMEOUT"), "{drain}");
    }

    #[test]
    fn the_ids_of_another_tenant_are_ignored() {
        let environment =
            Environment::complete().with("AAD_TENANT_ID", "common").with("API_CLIENT_ID", "");
        let config = Config::read_dev(environment).unwrap();
        assert_eq!(config.entra.tenant, ids::TENANT);
        assert_eq!(config.entra.instance, "http://localhost:8001");
    }

    #[test]
    fn the_app_id_uri_is_kept() {
        let environment = Environment::complete().with("APP_ID_URI", "api://app.contoso.example");
        let config = Config::read_dev(environment).unwrap();
        assert_eq!(config.entra.app_id_uris, ["api://app.contoso.example"]);
    }

    #[test]
    fn no_setting_is_required() {
        let config = Config::read_dev(Environment::default()).unwrap();
        assert!(config.entra.app_id_uris.is_empty());
        assert_eq!(config.swagger_ui_client_id, ids::SWAGGER_UI);
        assert!(config.server.explains_refusals);
    }
}
