//! Deletes the registrations that the command created.

use std::{io, path::Path, process::ExitCode, sync::Arc};

use anyhow::bail;

use crate::{
    config::{self, env_file::EnvFile},
    register::{Failure, Graph, Purge, Removal, Session, Stop, Unlink, Which},
};

use super::{
    arguments::Request,
    interrupt::{in_thread, interruptible},
    terminal::{GRAPH, Terminal},
};

pub(super) async fn run(request: Request, is_confirmed: bool) -> anyhow::Result<ExitCode> {
    let terminal = Arc::default();
    let work = async |stop| remove(&request, is_confirmed, &terminal, &stop).await;
    interruptible(&terminal, work).await
}

async fn remove(
    request: &Request,
    is_confirmed: bool,
    terminal: &Arc<Terminal>,
    stop: &Stop,
) -> anyhow::Result<()> {
    // After the changes, it would be too late to find that the file cannot be written.
    EnvFile::read(Path::new(config::FILE))?.check(&CHANGED)?;
    let graph = request.graph(terminal, stop).await?.ok_or(Failure::Stopped)?;
    terminal.start(GRAPH);
    let tenant = Session::new(&graph, &request.wanted, &|_| {}).organization().await?;
    request.check_tenant(&request.config, &tenant)?;
    terminal.print(&format!("Tenant {} ({})", tenant.display_name, tenant.id));
    let found = Removal::find(&graph, &request.wanted).await?;
    terminal.stop();
    let (own, others): (Vec<_>, Vec<_>) = found.into_iter().partition(Removal::is_own);
    for Removal { application, .. } in &others {
        terminal.print(&format!(
            "  keep {} ({}): it was not created by this command, or it was created with another --name",
            application.display_name, application.app_id
        ));
    }
    if own.is_empty() {
        terminal.print("Nothing to delete.");
        return Ok(());
    }
    for Removal { application, .. } in &own {
        let (name, id) = (&application.display_name, &application.app_id);
        terminal.print(&format!("  delete {name} ({id}), with its consents and assigned roles"));
    }
    let pairs = || own.iter().flat_map(|removal| others.iter().map(move |kept| (removal, kept)));
    for step in pairs().filter_map(|(removal, kept)| removal.unlinked_from(kept)) {
        terminal.print(&format!("  {step}"));
    }
    if !is_confirmed && !confirm(terminal, stop).await? {
        bail!("not confirmed. Answer yes, or add --yes");
    }
    terminal.start(GRAPH);
    // First, so that an interrupted run leaves no registration that names a deleted one.
    for (removal, kept) in pairs() {
        match removal.unlink_from(kept, &graph).await? {
            Unlink::Unnecessary => {}
            Unlink::Done(change) => terminal.changed(&change),
            Unlink::Refused(failure) => terminal.note(&by_hand(removal, kept, &failure)),
        }
    }
    delete(&own, &graph, terminal).await
}

/// What a person must do because Graph has refused to remove the registration from the kept one.
fn by_hand(removal: &Removal, kept: &Removal, failure: &Failure) -> String {
    let place = match kept.which {
        Which::Api => {
            "under Expose an API, Authorized client applications, and under Manifest, \
             knownClientApplications"
        }
        Which::SwaggerUi => "under API permissions",
    };
    let Removal { application: kept, .. } = kept;
    let failure = failure.to_string();
    let failure = failure.trim_end_matches('.');
    format!(
        "Note: {failure}. Remove the id {} by hand from the registration {} ({}) in the Entra admin \
         center: {place}.",
        removal.application.app_id, kept.display_name, kept.app_id
    )
}

async fn delete(removals: &[Removal], graph: &Graph, terminal: &Terminal) -> anyhow::Result<()> {
    for removal in removals {
        let Removal { which, application, .. } = removal;
        removal.delete(graph).await?;
        if !removal.is_deleted {
            terminal.changed(&format!("deleted {}", application.display_name));
        }
        // A person may have changed the file in the meantime.
        let mut file = EnvFile::read(Path::new(config::FILE))?;
        // Now, so that an interrupted run leaves no id of a registration that is gone.
        let is_it = |id: String| id.trim().eq_ignore_ascii_case(&application.app_id);
        if file.value(which.variable()).is_some_and(is_it) {
            file.set(which.variable(), "")?;
            if *which == Which::Api && file.value(SECRET).is_some() {
                file.set(SECRET, "")?;
            }
            file.write()?;
        }
    }
    for removal in removals {
        let name = &removal.application.display_name;
        match removal.purge(graph).await? {
            Purge::Done => terminal.changed(&format!("deleted {name} permanently")),
            Purge::Forbidden => terminal.note(&format!(
                "{name} is deleted, but this account is not allowed to remove it permanently. It can \
                 be restored for 30 days, and its unique name stays taken until then; an \
                 Application Administrator can remove it permanently."
            )),
            Purge::NotVisible => terminal.note(&format!(
                "{name} is deleted, but Microsoft Graph does not list it as deleted yet, so it could \
                 not be removed permanently. It may be restorable for 30 days, and its unique name \
                 may stay taken until then. Run the command again in a few minutes."
            )),
        }
    }
    Ok(())
}

const SECRET: &str = "API_CLIENT_SECRET";

/// The settings that are emptied.
const CHANGED: [&str; 3] = ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", SECRET];

/// Asks. `false` is any answer but yes, and none.
async fn confirm(terminal: &Terminal, stop: &Stop) -> anyhow::Result<bool> {
    terminal.note("Delete them permanently? Type yes:");
    let read = || {
        let mut line = String::new();
        io::stdin().read_line(&mut line).is_ok() && line.trim() == "yes"
    };
    tokio::select! {
        is_yes = in_thread(read) => is_yes,
        () = stop.requested() => Err(Failure::Stopped.into()),
    }
}
