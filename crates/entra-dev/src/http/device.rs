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
    let correlation = Correlation::of(request, &parameters);
    let outcome = answer.as_ref().map_or_else(Refusal::outcome, |_| Outcome::Asked);
    context.note(Entry {
        client_id: Client::named(request, &parameters),
        correlation_id: Some(correlation.id()),
        ..Entry::of("devicecode", &tenant, outcome)
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
    let DeviceCodes { device_code, user_code } = context.devices.register(device, context.now());
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
        Err(refusal) => return refuse(context, &tenant, &refusal),
    };
    let visit = Visit { context, tenant: &tenant, request, parameters: &parameters };
    visit.serve().unwrap_or_else(|refusal| refuse(context, &tenant, &refusal))
}

fn refuse(context: &Context, tenant: &str, refusal: &Refusal) -> Response {
    context.note(Entry::of(PAGE, tenant, refusal.outcome()));
    pages::refused(refusal.status, &refusal.report(context.now()))
}

/// The page for the person, as the audit trail calls it.
const PAGE: &str = "deviceauth";

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
                context.note(Entry::of(PAGE, tenant, refusal.outcome()));
                let (status, report) = (refusal.status, refusal.report(context.now()));
                return Ok(pages::device::ask(status, tenant, None, Some(&report)));
            }
        };
        match Pressed::check(request, parameters)? {
            Pressed::Nothing => Ok(pages::device::accounts(context, &device, user_code)),
            Pressed::Cancel => self.finish(&device, user_code, None),
            Pressed::Account { account, consents, for_everybody } => {
                let Device { app, authority, scopes, .. } = &device;
                let person = sign_in::admit(context, authority, app, scopes, account)?;
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
        self.context.devices.decide(user_code, person, self.context.now())?;
        let entry = Entry::of(PAGE, self.tenant, outcome);
        self.context.note(Entry { client_id, person: name, ..entry });
        Ok(pages::device::done(&device.app.name, accepted))
    }
}
