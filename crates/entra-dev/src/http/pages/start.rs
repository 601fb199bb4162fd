//! Who and what there is, and what was asked lately.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Response, handler};

use super::super::context::Context;
use super::super::html::Escaped;
use super::table::{Table, code, contents, listed};
use super::{directory, page, trail};

/// `GET /`: what this is, who can sign in, and where things are.
#[handler]
pub(in crate::http) fn show(Data(context): Data<&Arc<Context>>) -> Response {
    let main = format!(
        "<h1>Development tenant</h1>\n\
         <p>This server speaks the protocol of Microsoft Entra ID, so that an API protected by \
         Entra can be tried with no Azure account. Nobody here has a password.</p>\n\
         {tables}\
         <p><a href=\"/_dev\">Apps, all ids, recent sign-ins and the audit trail</a></p>\n",
        tables = listed(&[directory::people(context.directory()), authorities(context)]),
    );
    page(StatusCode::OK, "Start", &main)
}

/// `GET /_dev`: everything a developer may want to look up.
#[handler]
pub(in crate::http) fn show_dev(Data(context): Data<&Arc<Context>>) -> Response {
    let directory = context.directory();
    let entries = context.audit.entries();
    let tables = [
        directory::people(directory),
        directory::tenants(directory),
        directory::groups(directory),
        directory::apis(directory),
        directory::app_roles(directory),
        directory::apps(directory),
        authorities(context),
        trail::sign_ins(directory, &entries),
        trail::trail(&entries),
        trail::faults(context),
    ];
    let main = format!(
        "<h1>Who, what, and what happened</h1>\n\
         <p>A click on an id selects all of it.</p>\n\
         {contents}{tables}",
        contents = contents(&tables),
        tables = listed(&tables),
    );
    page(StatusCode::OK, "Who, what, and what happened", &main)
}

fn authorities(context: &Context) -> Table {
    let mut table = Table::new("Authorities", &["Tenant", "Authority", "Metadata"]);
    for tenant in context.directory().tenants() {
        for base_url in context.urls.all() {
            let authority = format!("{base_url}/{}", tenant.id);
            let metadata = format!("{authority}/v2.0/.well-known/openid-configuration");
            let link = format!("<a href=\"{0}\">metadata</a>", Escaped(&metadata));
            table.row(&[&Escaped(&tenant.name), &code(&authority), &link]);
        }
    }
    table
}
