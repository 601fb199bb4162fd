//! `/{tenant}/oauth2/deviceauth`: the page on which a person signs in for a device.

use std::sync::Arc;

use poem::http::StatusCode;

use crate::{devices::Device, directory::Person, refusal::Refusal};

use super::{
    operation::Operation,
    pages,
    request::{Answer, TenantRequest},
    sign_in::{Choice, SignIn, SignInStep},
};

/// GET asks for the code that the device shows. POST handles the code, then the account, then the
/// consent if it is needed.
pub(super) const DEVICE_PAGE: Operation = Operation::page("deviceauth", handle);

fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    if !request.is_form() {
        let user_code = request.parameters.optional("user_code").ok().flatten();
        let page = pages::device::ask(StatusCode::OK, request.tenant, user_code, None);
        return Ok(Answer::asked(page));
    }
    let user_code = request.parameters.optional("user_code")?.unwrap_or_default();
    let device = match request.context.devices.find(user_code, request.now()) {
        Ok(device) => device,
        Err(refusal) => {
            // The report is logged. The page shows only the text.
            request.report(&refusal);
            let typed = Some(user_code);
            let page = pages::device::ask(refusal.status, request.tenant, typed, Some(&refusal));
            return Ok(Answer::refused(page, &refusal));
        }
    };
    let device = device.in_directory(request.directory())?;
    let Device { app, authority, scopes, .. } = &device;
    let (context, directory) = (request.context, request.directory());
    let sign_in = SignIn { context, directory, authority, app, scopes };
    let page = pages::SignInPage {
        sign_in,
        user_code: Some(user_code),
        action: format!("/{}/oauth2/deviceauth", authority.segment()),
        hidden: vec![("user_code".to_owned(), user_code.to_owned())],
    };
    let asked = |page| Answer::asked(page).with_client_id(Some(app.client_id.clone()));
    match Choice::parse(request)? {
        Choice::None => Ok(asked(page.accounts(None, &request.signed_in(), None))),
        Choice::Cancel => finish(request, &device, user_code, None),
        Choice::Account { account, consent } => match sign_in.proceed(account, consent, false)? {
            SignInStep::AskForConsent(person) => Ok(asked(page.consent(&person))),
            SignInStep::Done(person) => finish(request, &device, user_code, Some(person)),
        },
    }
}

/// Records the decision; `None` if the person declined.
fn finish(
    request: &TenantRequest<'_>,
    device: &Device,
    user_code: &str,
    person: Option<Arc<Person>>,
) -> Result<Answer, Refusal> {
    request.context.devices.decide(user_code, person.clone(), request.now())?;
    let page = pages::device::done(&device.app.name, user_code, person.as_deref());
    let answer = match person {
        Some(person) => Answer::granted(page).with_person(&person),
        None => Answer::refused(page, &Refusal::consent_declined()),
    };
    Ok(answer.with_client_id(Some(device.app.client_id.clone())))
}
