//! Signing in on another device: the device's request, and the page for the person.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use serde::Serialize;

use super::authorization_request::claims;
use super::client::Client;
use super::correlation::Correlation;
use super::parameters::Parameters;
use super::sign_in::{self, Pressed};
use super::{Context, json, pages, refuse_correlated};
use crate::audit::{Entry, Outcome};
use crate::devices::{Device, DeviceCodes, INTERVAL, LIFETIME};
use crate::directory::{Authority, Person};
use crate::refusal::Refusal;
use crate::scope::Scopes;

/// `POST /{tenant}/oauth2/v2.0/devicecode` (RFC 8628 section 3.1).
#[handler]
pub(super) async fn wait(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let (answer, parameters) = match Parameters::of_request(request, body).await {
        Err(refusal) => (Err(refusal), Parameters::default()),
        Ok(parameters) => (answer(context, &tenant, request, &parameters), parameters),
    };
    let client_id = Client::named(request, &parameters);
    let correlation = Correlation::of(request, &parameters);
    context.audit.note(Entry {
        time: context.now(),
        endpoint: "devicecode",
        tenant,
        client_id,
        correlation_id: Some(correlation.id()),
        outcome: answer.as_ref().map_or_else(Refusal::outcome, |_| Outcome::Asked),
        ..Entry::default()
    });
    correlation.on(match answer {
        Ok(codes) => json(StatusCode::OK, &codes),
        Err(refusal) => refuse_correlated(context, &refusal, &correlation),
    })
}

/// The answer to a device (RFC 8628 section 3.2), with Entra's message for the person.
#[derive(Serialize)]
struct Waiting {
    user_code: String,
    device_code: String,
    verification_uri: String,
    expires_in: u64,
    interval: u64,
    message: String,
}

fn answer(
    context: &Context,
    tenant: &str,
    request: &Request,
    parameters: &Parameters,
) -> Result<Waiting, Refusal> {
    let authority = Authority::parse(context.directory(), tenant)
        .ok_or_else(|| Refusal::tenant_unknown(tenant))?;
    let client = Client::authenticate(context, tenant, &authority, request, parameters)?;
    if !client.app.public_client {
        return Err(Refusal::client_not_authenticated());
    }
    let scopes = Scopes::parse(context.directory(), tenant, parameters.required("scope")?)?;
    let verification_uri =
        format!("{}/{}/oauth2/deviceauth", context.urls.of(request), authority.segment());
    let device =
        Device::new(client.app, authority, scopes, claims(parameters)?.unwrap_or_default());
    let DeviceCodes { device_code, user_code } = context.devices.wait(device, context.now());
    let message = format!(
        "To sign in, use a web browser to open the page {verification_uri} and enter the code \
         {user_code} to authenticate."
    );
    let (expires_in, interval) = (LIFETIME, INTERVAL);
    Ok(Waiting { user_code, device_code, verification_uri, expires_in, interval, message })
}

/// `GET /{tenant}/oauth2/deviceauth`: asks for the code that the device shows.
#[handler]
pub(super) fn show(Path(tenant): Path<String>, request: &Request) -> Response {
    let parameters = Parameters::of_query(request);
    let known = parameters.optional("user_code").ok().flatten();
    pages::device::ask(StatusCode::OK, &tenant, known, None)
}

/// `POST /{tenant}/oauth2/deviceauth`: the code, then the account, then perhaps the consent.
#[handler]
pub(super) async fn submit(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let parameters = match Parameters::of_request(request, body).await {
        Ok(parameters) => parameters,
        Err(refusal) => {
            note(context, &tenant, None, None, refusal.outcome());
            return pages::refused(refusal.status, &refusal.report(context.now()));
        }
    };
    let visit = Visit { context, tenant: &tenant, request, parameters: &parameters };
    visit.serve().unwrap_or_else(|refusal| {
        note(context, &tenant, None, None, refusal.outcome());
        pages::refused(refusal.status, &refusal.report(context.now()))
    })
}

/// One step of a person on the page.
struct Visit<'a> {
    context: &'a Context,
    tenant: &'a str,
    request: &'a Request,
    parameters: &'a Parameters,
}

impl Visit<'_> {
    fn serve(&self) -> Result<Response, Refusal> {
        let Self { context, tenant, request, parameters } = self;
        let user_code = parameters.optional("user_code")?.unwrap_or_default();
        let device = match context.devices.find(user_code, context.now()) {
            Ok(device) => device,
            Err(refusal) => {
                note(context, tenant, None, None, refusal.outcome());
                let (status, report) = (refusal.status, refusal.report(context.now()));
                return Ok(pages::device::ask(status, tenant, None, Some(&report)));
            }
        };
        match Pressed::check(request, parameters)? {
            Pressed::Nothing => Ok(pages::device::accounts(context, &device, user_code)),
            Pressed::Cancel => self.finish(&device, user_code, None),
            Pressed::Account { account, consents, for_everybody } => {
                let Device { app, authority, scopes, .. } = &device;
                let person = sign_in::admit(context, authority, app, account)?;
                scopes.check_known_in(&person.tenant)?;
                if !sign_in::has_consent(context, app, &person, scopes) {
                    sign_in::check_may_consent(app, &person, scopes)?;
                    if !consents {
                        return Ok(pages::device::consent(&device, user_code, &person));
                    }
                    sign_in::give_consent(context, app, &person, scopes, for_everybody);
                }
                self.finish(&device, user_code, Some(person))
            }
        }
    }

    fn finish(
        &self,
        device: &Device,
        user_code: &str,
        person: Option<Arc<Person>>,
    ) -> Result<Response, Refusal> {
        let client_id = Some(device.app.client_id.clone());
        let name = person.as_ref().map(|person| person.sign_in_name.clone());
        let outcome = match &person {
            Some(_) => Outcome::Granted,
            None => Refusal::consent_declined().outcome(),
        };
        let accepted = person.is_some();
        self.context.devices.answer(user_code, person, self.context.now())?;
        note(self.context, self.tenant, client_id, name, outcome);
        Ok(pages::device::done(&device.app.name, accepted))
    }
}

fn note(
    context: &Context,
    tenant: &str,
    client_id: Option<String>,
    person: Option<String>,
    outcome: Outcome,
) {
    context.audit.note(Entry {
        time: context.now(),
        endpoint: "deviceauth",
        tenant: tenant.to_owned(),
        client_id,
        person,
        outcome,
        ..Entry::default()
    });
}
