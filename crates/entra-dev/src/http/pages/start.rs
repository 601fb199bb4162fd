//! The start page and the page for developers.

use std::sync::Arc;

use maud::html;
use poem::{Request, Response, handler, http::StatusCode, web::Data};

use crate::http::{
    GRAPH_PATH, audit_filter::AuditFilter, context::Context, parameters::Parameters,
};

use super::{
    audit::{self, AuditTrail},
    directory, faults,
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
        p { a href="/_dev" { "Audit trail, apps and all ids" } }
        (tables(&[directory::people(&context.directory()), authorities(context)]))
    };
    page(StatusCode::OK, "Start", &main)
}

/// `GET /_dev`: everything a developer may want to look up. The query narrows the audit trail.
#[handler]
pub(in crate::http) fn show_dev(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    let directory = &context.directory();
    let entries = &context.audit.entries();
    let query = Parameters::of_query(request);
    let (filter, wrong) = &AuditFilter::parse(&query, directory, entries);
    let path = &context.controls_path();
    let now = context.now();
    let trail = AuditTrail { directory, entries, filter, faults: wrong, path, now };
    let all = [
        faults::faults(context),
        directory::people(directory),
        directory::tenants(directory),
        directory::groups(directory),
        directory::apis(directory),
        directory::app_roles(directory),
        directory::apps(directory),
        setup::links(context),
        authorities(context),
    ];
    let main = html! {
        h1 { "Activity, people and apps" }
        (contents(audit::TITLE, &all))
        (trail.html())
        (tables(&all))
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page(status, "Activity, people and apps", &main)
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
