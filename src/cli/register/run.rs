//! Creates or completes the registrations.

use std::{mem, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, ensure};
use uuid::Uuid;

use crate::{
    causes::Causes,
    config::{self, env_file::EnvFile, registration::RegistrationConfig},
    register::{Failure, Graph, NewSecret, Organization, Outcome, Session, State, Stop},
};

use super::{
    arguments::Request,
    env::{Written, ensure_not_new},
    interrupt::interruptible,
    settings::{SETTINGS, names_several},
    terminal::{GRAPH, Terminal},
};

const SECRET: &str = "API_CLIENT_SECRET";
/// The line of `.env` that says that a secret is being created. If the program is interrupted
/// before the value is written, the next run knows by its name which secret is lost.
const NOTE: &str = "# todo-api register is creating API_CLIENT_SECRET: ";

pub(super) async fn run(request: Request) -> anyhow::Result<ExitCode> {
    let terminal = Arc::default();
    interruptible(&terminal, async |stop| register(&request, &terminal, &stop).await).await
}

async fn register(request: &Request, terminal: &Arc<Terminal>, stop: &Stop) -> anyhow::Result<()> {
    let before = EnvFile::read(Path::new(config::FILE))?;
    // After the changes, it would be too late to find that the file cannot be written.
    before.check(SETTINGS)?;
    if request.with_secret {
        before.check(&[SECRET])?;
    }
    let graph = request.graph(terminal, stop).await?.ok_or(Failure::Stopped)?;
    terminal.start(GRAPH);
    let journal = |change: &str| terminal.changed(change);
    let session = Session::new(&graph, &request.wanted, &journal);
    let tenant = session.organization().await?;
    request.check_tenant(&request.config, &tenant)?;
    terminal.print(&format!("Tenant {} ({})", tenant.display_name, tenant.id));
    let Outcome { state, mut changed } = session.run().await?;

    let Written { mut file, config, changed: is_written, emptied_tenants } =
        request.write_settings(&before, &state, &tenant)?;
    changed |= is_written;
    if emptied_tenants {
        terminal.note(&format!(
            "The registration admits only accounts of its own tenant, so ALLOWED_TENANTS is now \
             empty. It was {}. To admit other tenants: --audience any-org",
            config.allowed_tenants.join(",")
        ));
    }
    if request.with_secret && !config.has_secret {
        create_secret(&graph, &state, &mut file, terminal).await?;
        changed = true;
    }
    terminal.stop();
    summarize(&state, &file, changed, terminal);
    Ok(())
}

async fn create_secret(
    graph: &Graph,
    state: &State,
    file: &mut EnvFile,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    let api = state.api.application.as_ref().context("the registration is missing")?;
    let name = match file.note(NOTE) {
        Some(name) => name.to_owned(),
        None => {
            let (random, ..) = Uuid::new_v4().as_fields();
            let name = format!("todo-api register {random:08x}");
            file.add_note(&format!("{NOTE}{name}"));
            name
        }
    };
    file.write()?;
    let secret = NewSecret::create(graph, api, &name).await?;
    terminal.changed("create a secret of the API's registration");
    terminal.print(&format!("  The secret is shown only now: {}", secret.reveal()));
    let mut write = || -> anyhow::Result<()> {
        let before = mem::replace(file, EnvFile::read(Path::new(config::FILE))?);
        ensure_not_new(file, &before, SECRET, secret.reveal())?;
        file.remove_note(NOTE);
        file.set_secret(SECRET, secret.reveal())?;
        file.write()?;
        Ok(())
    };
    write().map_err(|error| {
        let problem = Causes(error.as_ref());
        anyhow::Error::msg(format!("{problem}. Put the secret above there, as {SECRET}"))
    })
}

impl Request {
    /// Checks that the settings are about the tenant of the token.
    pub(super) fn check_tenant(
        &self,
        config: &RegistrationConfig,
        tenant: &Organization,
    ) -> anyhow::Result<()> {
        let is_right = |name: &str| names_several(name) || tenant.is_named(name);
        let actual = format!("the token is for the tenant {} ({})", tenant.display_name, tenant.id);
        if let Some(asked) = &self.tenant {
            ensure!(
                is_right(asked),
                "--tenant is {asked}, but {actual}. Sign in to the other tenant, or correct --tenant"
            );
        }
        if let Some(configured) = &config.tenant {
            ensure!(
                is_right(configured),
                "AAD_TENANT_ID is {configured}, but {actual}. Sign in to the other tenant with \
                 --tenant {configured}, or correct AAD_TENANT_ID"
            );
        }
        Ok(())
    }
}

fn summarize(state: &State, file: &EnvFile, changed: bool, terminal: &Terminal) {
    for registration in [&state.api, &state.swagger_ui] {
        if let Some(application) = &registration.application {
            terminal.print(&format!("{}: {}", application.display_name, application.app_id));
        }
    }
    let path = file.path().display();
    terminal.print(&match changed {
        true => format!("The settings are in {path}. Next: todo-api doctor"),
        false => format!("Nothing changed: the registrations and {path} are complete."),
    });
}
