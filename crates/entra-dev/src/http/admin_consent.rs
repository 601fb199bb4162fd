//! `/{tenant}/v2.0/adminconsent`: an administrator consents for everybody in the tenant
//! (<https://learn.microsoft.com/entra/identity-platform/v2-admin-consent>).

use crate::refusal::Refusal;

use super::{
    authorization_request::RedirectingClient,
    operation::Operation,
    pages,
    redirect::{Redirect, ResponseMode},
    request::{Answer, TenantRequest},
    sign_in::{Choice, Consent, SignIn},
};

/// GET shows the account page. POST handles what was chosen there.
pub(super) const ADMIN_CONSENT: Operation = Operation::page("adminconsent", handle);

/// The parameters that the pages repeat.
const PARAMETERS: [&str; 5] = ["client_id", "redirect_uri", "scope", "resource", "state"];

fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let client = RedirectingClient::parse(request)?;
    let scopes = request.scopes()?;
    let redirect = Redirect {
        uri: client.redirect_uri,
        state: request.parameters.optional("state")?,
        mode: ResponseMode::Query,
    };
    let (context, directory) = (request.context, request.directory());
    let (authority, app) = (&client.authority, client.app);
    let sign_in = SignIn { context, directory, authority, app, scopes: &scopes };
    let page = pages::SignInPage {
        sign_in,
        user_code: None,
        action: format!("/{}/v2.0/adminconsent", authority.segment()),
        hidden: request.parameters.hidden(&PARAMETERS),
    };
    let (account, consent) = match Choice::parse(request)? {
        Choice::None => {
            let (signed_in, redirect_uri) = (request.signed_in(), Some(client.redirect_uri));
            return Ok(Answer::asked(page.accounts(None, &signed_in, redirect_uri)));
        }
        Choice::Cancel => {
            let refusal = Refusal::consent_declined();
            let description = request.report(&refusal).error_description;
            let error = [("error", "permission_denied"), ("error_description", &description)];
            return Ok(Answer::refused(redirect.respond(&error, true), &refusal));
        }
        Choice::Account { account, consent } => (account, consent),
    };
    let person = sign_in.admit(account)?;
    if !person.administrator {
        return Err(Refusal::admin_consent_required(&app.name));
    }
    if consent == Consent::NotGiven {
        return Ok(Answer::asked(page.consent_for_everybody(&person)));
    }
    sign_in.record_consent(&person, Consent::ForEverybody);
    let granted = scopes.described().map(|(_, scope)| scope).collect::<Vec<_>>().join(" ");
    let parameters = [("admin_consent", "True"), ("tenant", &person.tenant), ("scope", &granted)];
    Ok(Answer::granted(redirect.respond(&parameters, true)))
}
