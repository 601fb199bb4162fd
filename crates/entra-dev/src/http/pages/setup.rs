//! What an app needs in each language.

use std::{path::Path, sync::Arc};

use maud::html;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path as Segment},
};

use crate::{
    http::context::Context,
    setup::{Language, Setup},
    tls::CA_FILE,
};

use super::{
    error::not_found,
    layout::page,
    table::{Table, code, text},
};

/// `GET /_dev/apps/{client id}`.
#[handler]
pub(in crate::http) fn show(
    Segment(client_id): Segment<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Response {
    let directory = &context.directory();
    let Some(app) = directory.app(&client_id) else { return not_found() };
    let (http, https) = context.urls.for_client(request);
    let ca = context.ca_file.as_deref().unwrap_or(Path::new(CA_FILE));
    let default_issuer = context.issuer.default_issuer();
    let identity_header = &context.identity_header;
    let setup =
        Setup { http: &http, https: &https, ca, default_issuer, directory, identity_header };
    let main = html! {
        h1 { (app.name) }
        p {
            "What this app needs in order to use this tenant. " code { "entra-dev --for" }
            " prints the same. The certificate is also at " a href="/ca.pem" { "/ca.pem" } "."
        }
        p { "Client id " (code(&app.client_id)) }
        @for language in Language::ALL {
            h2 id=(language.name()) { (language) }
            pre {
                (setup.of_language(language)) (setup.of_app(language, app))
            }
        }
    };
    page(StatusCode::OK, &app.name, &main)
}

/// Links to the pages of the apps.
pub(super) fn links(context: &Context) -> Table {
    let mut table = Table::new("Set up an app", &["App", "What it needs"]);
    let controls = context.controls_path();
    for app in context.directory().apps() {
        let links = Language::ALL.map(|language| {
            let path = format!("{controls}/apps/{}#{}", app.client_id, language.name());
            html! { a href=(path) { (language) } " " }
        });
        table.row([text(&app.name), html! { @for link in links { (link) } }]);
    }
    table
}
