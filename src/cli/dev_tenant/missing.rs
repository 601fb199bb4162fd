//! Replaces the development tenant in programs that were built without it.

use std::convert::Infallible;

use anyhow::bail;

use crate::{
    config::{Config, Environment},
    listener::Listener,
};

/// No value of this type exists.
pub(in crate::cli) struct DevTenant(Infallible);

impl DevTenant {
    pub(in crate::cli) async fn start(_: &mut Config, _: &Listener) -> anyhow::Result<Self> {
        missing()
    }

    pub(in crate::cli) async fn start_in_memory(_: &mut Config) -> anyhow::Result<Self> {
        missing()
    }

    pub(in crate::cli) async fn start_if_stopped(_: &Config) -> anyhow::Result<Option<Self>> {
        Ok(None)
    }

    pub(in crate::cli) fn welcome(&self, _: &str) -> String {
        match self.0 {}
    }

    pub(in crate::cli) async fn stop(self) {
        match self.0 {}
    }
}

pub(in crate::cli) fn read_config(_: Environment) -> anyhow::Result<Config> {
    missing()
}

pub(in crate::cli) fn access_token(_: &Config, _: &str) -> anyhow::Result<String> {
    missing()
}

fn missing<T>() -> anyhow::Result<T> {
    bail!(
        "this program was built without the development tenant; build it with \
         `cargo build --features dev-tenant`"
    )
}
