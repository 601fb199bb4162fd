//! Gets a token for Microsoft Graph.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use url::Url;

use crate::register::{Graph, Pause, Permission, Stop};

use super::{
    arguments::{Request, SignIn},
    az, cloud,
    device_code::DeviceCode,
    settings::names_several,
    terminal::Terminal,
};

/// Waits for the time to pass.
struct RealTime;

impl Pause for RealTime {
    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(time))
    }
}

impl Request {
    /// Signs in. A stop ends the sign-in at once: nothing has been changed yet.
    ///
    /// # Errors
    ///
    /// Why there is no token.
    pub(super) async fn graph(
        &self,
        terminal: &Arc<Terminal>,
        stop: &Stop,
    ) -> anyhow::Result<Option<Graph>> {
        let url = self.graph_url()?;
        let token = tokio::select! {
            token = self.token(&url, terminal) => token?,
            () = stop.requested() => return Ok(None),
        };
        let notices = Arc::clone(terminal);
        let notify = move |notice: &str| notices.note(notice);
        Ok(Some(Graph::new(url, token, Arc::new(RealTime), stop.clone(), notify)?))
    }

    /// Graph's address, without a path.
    pub(super) fn graph_url(&self) -> anyhow::Result<Url> {
        match &self.graph_url {
            Some(url) => Ok(url.clone()),
            None => cloud::graph_of(&self.config.instance),
        }
    }

    async fn token(&self, graph: &Url, terminal: &Terminal) -> anyhow::Result<String> {
        match &self.sign_in {
            Some(SignIn::Token(token)) => Ok(token.clone()),
            Some(SignIn::AzureCli) => {
                terminal.start("waiting for the Azure CLI");
                az::token(self.tenant_to_sign_in()).await
            }
            Some(SignIn::DeviceCode(client_id)) => {
                let instance = self.config.instance.as_str().trim_end_matches('/');
                let tenant = self.tenant_to_sign_in().unwrap_or("organizations");
                let authority = format!("{instance}/{tenant}");
                let scope = self.scopes(graph);
                let flow = DeviceCode { client_id, authority, scope };
                terminal.start("waiting for the sign-in");
                flow.token(terminal, &RealTime).await.context("the sign-in failed")
            }
            None => bail!(
                "register needs a token for Microsoft Graph. Sign in with the Azure CLI (az login) \
                 and add --use-az; or name a public client with --client-id; or put a token into \
                 GRAPH_TOKEN. With --dry-run, none is needed"
            ),
        }
    }

    /// The words for several tenants name none to sign in to.
    fn tenant_to_sign_in(&self) -> Option<&str> {
        let configured = self.config.tenant.as_deref();
        let is_tenant = |name: &&str| !names_several(name);
        self.tenant.as_deref().or(configured.filter(is_tenant))
    }

    /// The permissions that the command needs, as scopes.
    fn scopes(&self, graph: &Url) -> String {
        let mut permissions = vec![Permission::Tenant, Permission::Applications];
        if self.wanted.admin_consent {
            permissions.push(Permission::Consent);
        }
        if !self.wanted.assignments.is_empty() {
            permissions.extend([Permission::Assignments, Permission::People]);
        }
        let address = graph.origin().ascii_serialization();
        let scopes = permissions.iter().map(|it| format!("{address}/{}", it.name()));
        scopes.collect::<Vec<_>>().join(" ")
    }
}
