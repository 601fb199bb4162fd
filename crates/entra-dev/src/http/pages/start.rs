//! The start page and the page for developers.

use std::sync::Arc;

use maud::html;
use poem::{Response, handler, http::StatusCode, web::Data};

use crate::http::{GRAPH_PATH, context::Context};

use super::{
    activity, directory,
    layout::page,
    setup,
    table::{Table, code, contents, tables, text},
};

/// `GET /`: what this is, who can sign in, and where the endpoints are.
#[handler]
pub(in crate::http) fn show(Data(context): Data<&Arc<Context>>) -> Response {
    let main = html! {
        h1 { "Development tenant" }
        p {
            "This server speaks the protocol of Microsoft Entra ID, so that an API protected by \
             Entra can be tried without an Azure account. Nobody here has a password."
        }
        (tables(&[directory::people(&context.directory()), authorities(context)]))
        p { a href="/_dev" { "Apps, all ids, recent sign-ins and the audit trail" } }
    };
    page(StatusCode::OK, "Start", &main)
}

/// `GET /_dev`: everything a developer may want to look up.
#[handler]
pub(in crate::http) fn show_dev(Data(context): Data<&Arc<Context>>) -> Response {
    let directory = &context.directory();
    let entries = context.audit.entries();
    let all = [
        directory::people(directory),
        directory::tenants(directory),
        directory::groups(directory),
        directory::apis(directory),
        directory::app_roles(directory),
        directory::apps(directory),
        setup::links(context),
        authorities(context),
        activity::sign_ins(directory, &entries),
        activity::audit_trail(&entries),
        activity::faults(context),
    ];
    let main = html! {
        h1 { "People, apps and activity" }
        p { "Click an id to select it." }
        (contents(&all))
        (tables(&all))
    };
    page(StatusCode::OK, "People, apps and activity", &main)
}

fn authorities(context: &Context) -> Table {
    let mut table =
        Table::new("Authorities", &["Tenant", "Authority", "Metadata", "Microsoft Graph"]);
    for tenant in context.directory().tenants() {
        for base_url in context.urls.all() {
            let authority = format!("{base_url}/{}", tenant.id);
            let metadata = format!("{authority}/v2.0/.well-known/openid-configuration");
            let link = html! { a href=(metadata) { "metadata" } };
            let graph = code(&format!("{base_url}{GRAPH_PATH}"));
            table.row([text(&tenant.name), code(&authority), link, graph]);
        }
    }
    table
}
