//! Prints what the command would do.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use url::Url;
use uuid::Uuid;

use crate::{
    config::dev_tenant::ids,
    register::{
        ClientIds, Failure, Home, NewSecret, Organization, Session, State, Step, Stop,
        directory_file, preview,
    },
};

use super::{
    super::output::printed,
    arguments::{Format, Request},
    interrupt::interruptible,
    settings::settings,
    terminal::{GRAPH, Terminal},
};

pub(super) async fn run(request: Request, format: Format) -> anyhow::Result<ExitCode> {
    let terminal = Arc::default();
    let work = async |stop| show(&request, format, &terminal, &stop).await;
    interruptible(&terminal, work).await
}

async fn show(
    request: &Request,
    format: Format,
    terminal: &Arc<Terminal>,
    stop: &Stop,
) -> anyhow::Result<()> {
    let (tenant, state) = match request.sign_in {
        Some(_) => read(request, terminal, stop).await?,
        None => (None, State::default()),
    };
    let (steps, state) = preview(&request.wanted, state);
    let text = match format {
        Format::Text => calls(request, tenant.as_ref(), &steps, &state)?,
        Format::EntraDev => directory(request, tenant.as_ref(), &state)?,
    };
    terminal.stop();
    // This text is the whole result, so an error in printing it is an error of the command.
    let written = writeln!(io::stdout(), "{}", text.trim_end()).and_then(|()| io::stdout().flush());
    printed(written).context("failed to print what would be done")
}

async fn read(
    request: &Request,
    terminal: &Arc<Terminal>,
    stop: &Stop,
) -> anyhow::Result<(Option<Organization>, State)> {
    let graph = request.graph(terminal, stop).await?.ok_or(Failure::Stopped)?;
    terminal.start(GRAPH);
    let session = Session::new(&graph, &request.wanted, &|_| {});
    let tenant = session.organization().await?;
    request.check_tenant(&request.config, &tenant)?;
    let state = session.read().await?;
    Ok((Some(tenant), state))
}

fn calls(
    request: &Request,
    tenant: Option<&Organization>,
    steps: &[Step],
    state: &State,
) -> anyhow::Result<String> {
    let mut text = String::new();
    if tenant.is_none() {
        text += "# Without a token, nothing was read: these are the changes for a new tenant. Ids in \
                 braces are not known yet.\n\n";
    }
    let graph = request.graph_url()?;
    for step in steps {
        let call = step.call();
        writeln!(text, "# {step}")?;
        write_call(&mut text, &call, &graph)?;
    }
    if let (true, false, Some(api)) =
        (request.with_secret, request.config.has_secret, &state.api.application)
    {
        writeln!(text, "# create a secret of the API's registration")?;
        write_call(&mut text, &NewSecret::call(api, "todo-api register"), &graph)?;
    }
    for registration in [&state.api, &state.swagger_ui] {
        if let Some(application) = &registration.application {
            let manifest = serde_json::to_string_pretty(application)?;
            writeln!(text, "# The manifest of {}\n{manifest}\n", application.display_name)?;
        }
    }
    let id = tenant.map_or("{AAD_TENANT_ID}", |tenant| &tenant.id);
    writeln!(text, "# .env")?;
    for (name, value) in settings(&request.config, &request.wanted, state, id) {
        writeln!(text, "{name}={value}")?;
    }
    if steps.is_empty() {
        writeln!(text, "\n# The registrations are complete: nothing would be changed there.")?;
    }
    Ok(text)
}

fn write_call(text: &mut String, call: &crate::register::Call, graph: &Url) -> anyhow::Result<()> {
    // Braces and spaces are easier to read than their encoding.
    let url = call.url(graph).to_string();
    let url = url.replace("%7B", "{").replace("%7D", "}").replace("%20", " ");
    writeln!(text, "{} {url}", call.method)?;
    if call.creates_if_missing {
        writeln!(text, "Prefer: create-if-missing")?;
    }
    if let Some(body) = &call.body {
        writeln!(text, "{}", serde_json::to_string_pretty(body)?)?;
    }
    writeln!(text)?;
    Ok(())
}

/// The domain of Contoso in the development tenant.
const DOMAIN: &str = "contoso.example";

/// The ids of the settings are kept. Missing ones are those of the development tenant, so that
/// `serve --dev` can use the file as well.
fn directory(
    request: &Request,
    tenant: Option<&Organization>,
    state: &State,
) -> anyhow::Result<String> {
    let mut people = request.wanted.assignments.iter().map(|(name, _)| name.as_str());
    let domain = people.find_map(|name| name.split_once('@')).map(|(_, domain)| domain);
    let configured = request.config.tenant.as_ref().filter(|id| Uuid::try_parse(id).is_ok());
    let home = Home {
        id: match (tenant, configured) {
            (Some(tenant), _) => tenant.id.clone(),
            (None, Some(id)) => id.to_ascii_lowercase(),
            (None, None) => ids::TENANT.to_owned(),
        },
        name: tenant.map_or("Contoso", |tenant| &tenant.display_name).to_owned(),
        domain: tenant.and_then(Organization::domain).or(domain).unwrap_or(DOMAIN).to_owned(),
    };
    let ids = ClientIds {
        api: Some(request.config.api_client_id.as_deref().unwrap_or(ids::API).to_owned()),
        swagger_ui: Some(
            request.config.swagger_ui_client_id.as_deref().unwrap_or(ids::SWAGGER_UI).to_owned(),
        ),
    };
    directory_file(&request.wanted, state, &home, &ids)
        .context("failed to write the directory file")
}
