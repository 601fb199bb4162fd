//! The command line.

use std::{net::IpAddr, path::PathBuf, str::FromStr};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use entra_dev::{
    ControlToken, Directory, HostName, IdentityHeader, Language, Options, TokenIssuer,
};

/// A development tenant that speaks Microsoft Entra ID's protocol.
///
/// FOR DEVELOPMENT ONLY: anybody who can reach it can sign in as anybody. Unless you ask for more,
/// that is everybody on this machine.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// A TOML or JSON file with the tenants, people and apps [default: the built-in ones]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The port for HTTP; 0 means any free port
    #[arg(long, default_value_t = 8001)]
    port: u16,

    /// The port for HTTPS, which MSAL requires; 0 means any free port
    #[arg(long, default_value_t = 8443)]
    https_port: u16,

    /// A name or address, besides the loopback ones, under which clients may reach the tenant, such
    /// as the name of its container. Can be repeated; never a wildcard
    #[arg(long, value_name = "NAME")]
    answer_to: Vec<HostName>,

    /// An address to listen on besides the loopback ones, such as 0.0.0.0 for all. Requires
    /// --answer-to and --control-token
    #[arg(long, default_value = "localhost")]
    host: Host,

    /// The bearer token without which nobody can use /_dev, where tokens can be forged
    #[arg(long, value_name = "TOKEN", env = "ENTRA_DEV_CONTROL_TOKEN", hide_env_values = true)]
    control_token: Option<ControlToken>,

    /// What clients of managed identities send in X-IDENTITY-HEADER: the variable IDENTITY_HEADER
    #[arg(
        long,
        value_name = "TEXT",
        env = "ENTRA_DEV_IDENTITY_HEADER",
        default_value_t,
        hide_env_values = true
    )]
    identity_header: IdentityHeader,

    /// The issuer of access tokens for APIs without a `token_issuer`: http, https, or the URL at
    /// which the API reads the metadata, such as https://entra-dev:8443
    #[arg(long, value_name = "ISSUER", default_value = "http")]
    access_token_issuer: TokenIssuer,

    /// The folder for the keys and the certificate authority
    #[arg(long, value_name = "FOLDER", default_value = "data/dev-tenant")]
    data: PathBuf,

    /// Stop when standard input ends. A test suite that holds the other end of the pipe leaves no
    /// tenant running, even if it is killed
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,

    /// Print the built-in tenants, people and apps as a file to start from, and exit
    #[arg(long, exclusive = true)]
    pub(crate) example: bool,

    /// Check the file, print its faults, and exit
    #[arg(long)]
    pub(crate) check: bool,

    /// Print what an app in this language needs, and exit: dotnet, python, node, java, go or rust
    #[arg(long = "for", value_name = "LANGUAGE")]
    pub(crate) language: Option<Language>,

    /// With --for: only this app, by name or client id
    #[arg(long, value_name = "APP", requires = "language")]
    pub(crate) app: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Exit with 0 if a development tenant on this machine answers, otherwise with 1
    Healthcheck {
        /// Its port for HTTP
        #[arg(long, default_value_t = 8001)]
        port: u16,
    },
}

impl Arguments {
    /// Reads the command line. Prints the faults and exits if there are any.
    pub(crate) fn read() -> Self {
        let arguments = Self::parse();
        let Host(host) = arguments.host;
        let is_exposed = host.is_some_and(|host| !host.is_loopback());
        if is_exposed && (arguments.answer_to.is_empty() || arguments.control_token.is_none()) {
            let text = "anybody who can reach this server can sign in as anybody, so --host with an \
                        address other than a loopback one requires --answer-to and --control-token";
            Self::command().error(ErrorKind::MissingRequiredArgument, text).exit();
        }
        if arguments.port == arguments.https_port && arguments.port != 0 {
            let port = arguments.port;
            let text =
                format!("--port and --https-port are both {port}; set one of them to another port");
            Self::command().error(ErrorKind::ArgumentConflict, text).exit();
        }
        arguments
    }

    pub(crate) fn directory(&self) -> anyhow::Result<Directory> {
        Ok(match &self.config {
            Some(file) => Directory::read(file)?,
            None => Directory::default(),
        })
    }

    pub(crate) fn options(self, directory: Directory) -> Options {
        Options {
            host: self.host.0,
            answer_to: self.answer_to,
            control_token: self.control_token,
            identity_header: self.identity_header,
            port: self.port,
            https_port: Some(self.https_port),
            access_token_issuer: self.access_token_issuer,
            data_dir: Some(self.data),
            directory,
            ..Options::default()
        }
    }
}

/// An address to listen on. `localhost` is both loopback addresses.
#[derive(Debug, Clone, Copy)]
struct Host(Option<IpAddr>);

impl FromStr for Host {
    type Err = &'static str;

    fn from_str(host: &str) -> Result<Self, Self::Err> {
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(Self(None));
        }
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        address.map(|address| Self(Some(address))).map_err(|_| "it must be localhost or an address")
    }
}
