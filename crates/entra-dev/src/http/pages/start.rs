//! Who and what there is, and what was asked lately.

use std::fmt::{self, Write};
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Response, handler};

use super::super::Context;
use super::super::html::Escaped;
use super::account::about;
use super::page;
use crate::audit::{Entry, Outcome};
use crate::directory::{App, Directory, Platform};
use crate::timestamp::timestamp;

/// `GET /`: what this is, who can sign in, and where things are.
#[handler]
pub(in crate::http) fn show(Data(context): Data<&Arc<Context>>) -> Response {
    let directory = context.directory();
    let main = format!(
        "<h1>Development tenant</h1>\n\
         <p>This server speaks the protocol of Microsoft Entra ID, so that an API protected by \
         Entra can be tried with no Azure account. Nobody here has a password.</p>\n\
         {people}{urls}\
         <p><a href=\"/_dev\">Apps, all ids, recent sign-ins and the audit trail</a></p>\n",
        people = people(directory),
        urls = urls(context),
    );
    page(StatusCode::OK, "Start", &main)
}

/// `GET /_dev`: everything a developer may want to look up.
#[handler]
pub(in crate::http) fn show_dev(Data(context): Data<&Arc<Context>>) -> Response {
    let directory = context.directory();
    let entries = context.audit.entries();
    let main = format!(
        "<h1>Who, what, and what happened</h1>\n\
         <p>A click on an id selects all of it.</p>\n\
         {people}{tenants}{apps}{urls}{sign_ins}{trail}{faults}",
        people = people(directory),
        tenants = tenants(directory),
        apps = apps(directory),
        urls = urls(context),
        sign_ins = sign_ins(&entries),
        trail = trail(&entries),
        faults = faults(context),
    );
    page(StatusCode::OK, "Who, what, and what happened", &main)
}

/// A table under a heading, whose cells are HTML. Without a row there is neither.
struct Table {
    html: String,
    rows: usize,
}

impl Table {
    fn new(title: &str, columns: &[&str]) -> Self {
        // Whatever scrolls has to be within reach of the keyboard.
        let id = title.to_lowercase().replace(' ', "-");
        let mut html = format!(
            "<h2 id=\"{id}\">{title}</h2>\n\
             <div class=\"table\" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">\n\
             <table>\n<thead><tr>"
        );
        for column in columns {
            // Writing to a string cannot fail.
            let _ = write!(html, "<th scope=\"col\">{column}</th>");
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        Self { html, rows: 0 }
    }

    fn row(&mut self, cells: &[&dyn fmt::Display]) {
        self.rows += 1;
        self.html.push_str("<tr>");
        for (index, cell) in cells.iter().enumerate() {
            let _ = match index {
                0 => write!(self.html, "<th scope=\"row\">{cell}</th>"),
                _ => write!(self.html, "<td>{cell}</td>"),
            };
        }
        self.html.push_str("</tr>\n");
    }

    fn end(mut self) -> String {
        if self.rows == 0 {
            return String::new();
        }
        self.html.push_str("</tbody>\n</table>\n</div>\n");
        self.html
    }
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", Escaped(text))
}

fn people(directory: &Directory) -> String {
    let nothing_special = App::default();
    let columns = ["Person", "Sign-in name", "What they are", "Short name", "Object id"];
    let mut table = Table::new("Who can sign in", &columns);
    for person in directory.people() {
        let about = about(directory, person, &nothing_special);
        table.row(&[
            &Escaped(&person.display_name),
            &code(&person.sign_in_name),
            &Escaped(&about),
            &code(&person.name),
            &code(&person.oid),
        ]);
    }
    table.end()
}

fn tenants(directory: &Directory) -> String {
    let mut table = Table::new("Tenants and groups", &["Name", "Domains", "Id"]);
    for tenant in directory.tenants() {
        let domains = tenant.domains.join(", ");
        table.row(&[&Escaped(&tenant.name), &Escaped(&domains), &code(&tenant.id)]);
    }
    for group in directory.groups() {
        let tenant = directory.tenant(&group.tenant).map_or("", |tenant| tenant.name.as_str());
        let name = format!("{}, a group of {tenant}", group.name);
        table.row(&[&Escaped(&name), &"", &code(&group.id)]);
    }
    table.end()
}

fn apps(directory: &Directory) -> String {
    let columns = ["App", "Client id", "Offers", "Redirect URIs", "Secrets"];
    let mut table = Table::new("Apps", &columns);
    for app in directory.apps() {
        let offers: Vec<_> =
            app.scopes.iter().map(|s| code(&format!("{}/{}", app.app_id_uri, s.name))).collect();
        let uris: Vec<_> = app
            .redirect_uris
            .iter()
            .map(|(platform, uri)| format!("{} ({})", code(uri), platform_name(*platform)))
            .collect();
        let secrets: Vec<_> = app.secrets.iter().map(|secret| code(secret)).collect();
        table.row(&[
            &Escaped(&app.name),
            &code(&app.client_id),
            &offers.join("<br>"),
            &uris.join("<br>"),
            &secrets.join("<br>"),
        ]);
    }
    table.end()
}

fn platform_name(platform: Platform) -> &'static str {
    match platform {
        Platform::SinglePage => "single-page",
        Platform::Web => "web",
        Platform::Native => "native",
    }
}

fn urls(context: &Context) -> String {
    let mut table = Table::new("Authorities", &["Tenant", "Authority", "Metadata"]);
    for tenant in context.directory().tenants() {
        for base_url in
            [Some(&context.urls.http), context.urls.https.as_ref()].into_iter().flatten()
        {
            let authority = format!("{base_url}/{}", tenant.id);
            let metadata = format!("{authority}/v2.0/.well-known/openid-configuration");
            let link = format!("<a href=\"{0}\">metadata</a>", Escaped(&metadata));
            table.row(&[&Escaped(&tenant.name), &code(&authority), &link]);
        }
    }
    table.end()
}

/// Who got something lately, the last one first.
fn sign_ins(entries: &[Entry]) -> String {
    let mut table = Table::new("Recent sign-ins", &["When", "Who", "Client id", "Endpoint"]);
    let granted =
        |entry: &&Entry| entry.person.is_some() && matches!(entry.outcome, Outcome::Granted);
    for entry in entries.iter().filter(granted).take(20) {
        table.row(&[
            &timestamp(entry.time),
            &Escaped(entry.person.as_deref().unwrap_or_default()),
            &code(entry.client_id.as_deref().unwrap_or_default()),
            &entry.endpoint,
        ]);
    }
    table.end()
}

/// Every request, with the reason where it was refused.
fn trail(entries: &[Entry]) -> String {
    let columns =
        ["When", "Endpoint", "Tenant", "Client id", "Grant, prompt or address", "Who", "Outcome"];
    let mut table = Table::new("Audit trail", &columns);
    for entry in entries {
        let outcome = match &entry.outcome {
            Outcome::Asked => "asked".to_owned(),
            Outcome::Granted => "granted".to_owned(),
            Outcome::Refused { aadsts, reason } => format!("AADSTS{aadsts}: {reason}"),
        };
        table.row(&[
            &timestamp(entry.time),
            &entry.endpoint,
            &code(&entry.tenant),
            &code(entry.client_id.as_deref().unwrap_or_default()),
            &Escaped(entry.detail.as_deref().unwrap_or_default()),
            &Escaped(entry.person.as_deref().unwrap_or_default()),
            &Escaped(&outcome),
        ]);
    }
    table.end()
}

/// What a test has set going.
fn faults(context: &Context) -> String {
    let mut table = Table::new("Faults on purpose", &["What", "How"]);
    let offset = context.issuer.clock.offset();
    if offset != 0 {
        let direction = if offset > 0 { "ahead" } else { "behind" };
        table.row(&[&"clock", &format!("{} seconds {direction}", offset.unsigned_abs())]);
    }
    for (endpoint, plan) in context.faults.plans() {
        let name = format!("{endpoint:?}").to_lowercase();
        let plan = serde_json::to_string(&plan).unwrap_or_default();
        table.row(&[&Escaped(&name), &code(&plan)]);
    }
    table.end()
}
