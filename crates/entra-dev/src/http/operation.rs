//! How every endpoint of Entra handles a request: parse, correlate, handle, record, respond.

use std::sync::Arc;

use poem::{Endpoint, FromRequest, Request, Response, http::header::ORIGIN, web::Data};

use crate::{audit::Entry, refusal::Refusal};

use super::{
    client::client_id,
    context::Context,
    correlation::Correlation,
    cors::Cors,
    federation::fetch_keys,
    pages,
    parameters::Parameters,
    recorded,
    request::{Answer, TenantRequest},
    response::json,
};

/// One endpoint. A handler gets the parsed request, and returns an answer or a refusal.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    /// The name in the audit trail; `None` if requests are not recorded here.
    name: Option<&'static str>,
    errors: ErrorFormat,
    cors: Cors,
    handle: Handler,
}

type Handler = fn(&TenantRequest<'_>) -> Result<Answer, Refusal>;

#[derive(Clone, Copy)]
enum ErrorFormat {
    Page,
    Json,
}

impl Operation {
    /// An endpoint for browsers: refusals are pages.
    pub(super) const fn page(name: &'static str, handle: Handler) -> Self {
        Self { name: Some(name), errors: ErrorFormat::Page, cors: Cors::None, handle }
    }

    /// An endpoint for clients: refusals are JSON.
    pub(super) const fn json(name: &'static str, handle: Handler) -> Self {
        Self { name: Some(name), errors: ErrorFormat::Json, cors: Cors::None, handle }
    }

    /// An endpoint for everybody: scripts of any origin may read it. If its requests are recorded,
    /// its handler does that.
    pub(super) const fn public(handle: Handler) -> Self {
        Self { name: None, errors: ErrorFormat::Json, cors: Cors::Anyone, handle }
    }

    /// The same endpoint, which the scripts of single-page apps can also read.
    pub(super) const fn for_single_page_apps(self) -> Self {
        Self { cors: Cors::SinglePageApps, ..self }
    }

    fn respond(&self, request: &TenantRequest<'_>, answer: Result<Answer, Refusal>) -> Response {
        let record = |_| recorded::record(request.http, &request.parameters);
        let recorded = self.name.map(record).unwrap_or_default();
        let answer = answer.unwrap_or_else(|refusal| {
            let report = request.report(&refusal);
            let response = match self.errors {
                ErrorFormat::Page => pages::refused(request, &refusal, &report, &recorded),
                ErrorFormat::Json => json(refusal.status, &report),
            };
            Answer::refused(response, &refusal)
        });
        let client_id = answer.client_id.or_else(|| client_id(request.http, &request.parameters));
        let origin = request.http.headers().get(ORIGIN);
        let response = request.correlation.add_to(answer.response);
        let response = self.cors.add_to(request.context, client_id.as_deref(), origin, response);
        if let Some(name) = self.name {
            request.context.record(Entry {
                client_id,
                correlation_id: Some(request.correlation.id()),
                detail: answer.detail.or_else(|| detail(&request.parameters)),
                person: answer.person.or_else(|| request.chosen_person()),
                request: Some(recorded),
                ..Entry::new(name, request.tenant, answer.outcome)
            });
        }
        response
    }
}

impl Endpoint for Operation {
    type Output = Response;

    async fn call(&self, mut http: Request) -> poem::Result<Response> {
        let body = http.take_body();
        let Data(context) = Data::<&Arc<Context>>::from_request_without_body(&http).await?;
        // A path without a tenant segment is for all tenants.
        let tenant = match http.raw_path_param("tenant") {
            Some(_) => http.path_params::<String>()?,
            None => "common".to_owned(),
        };
        let parameters = match self.name {
            Some(_) => Parameters::read(&http, body).await,
            // Public endpoints ignore the body.
            None => Ok(Parameters::of_query(&http)),
        };
        let (parameters, unreadable) = match parameters {
            Ok(parameters) => (parameters, None),
            Err(refusal) => (Parameters::default(), Some(refusal)),
        };
        let directory = context.directory();
        let mut request = TenantRequest {
            context,
            http: &http,
            directory: &directory,
            tenant: &tenant,
            base_url: context.urls.of(&http),
            correlation: Correlation::of(&http, &parameters),
            parameters,
            issuer_keys: None,
        };
        // Clients authenticate at the endpoints whose errors are JSON.
        if unreadable.is_none() && matches!(self.errors, ErrorFormat::Json) {
            request.issuer_keys = fetch_keys(&request).await;
        }
        let answer = match unreadable {
            Some(refusal) => Err(refusal),
            None => (self.handle)(&request),
        };
        Ok(self.respond(&request, answer))
    }
}

/// The parameter that the audit trail shows: the grant type or the prompt.
fn detail(parameters: &Parameters) -> Option<String> {
    let text = |name| parameters.optional(name).ok().flatten();
    text("grant_type")
        .map(str::to_owned)
        .or(text("prompt").map(|prompt| format!("prompt={prompt}")))
}
