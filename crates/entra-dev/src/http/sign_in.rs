//! From the person who was picked to what the app may do: the same on all pages.

use std::sync::Arc;

use poem::Request;

use super::Context;
use super::parameters::Parameters;
use crate::directory::{App, Authority, Person};
use crate::refusal::Refusal;
use crate::scope::Scopes;

/// What the person who looks at a page has pressed.
pub(super) enum Pressed<'a> {
    /// Nothing yet.
    Nothing,
    /// Cancel, on whichever page.
    Cancel,
    /// A person's button; perhaps, on the page after it, the consent too.
    Account {
        account: &'a str,
        consents: bool,
        /// Whether the consent, given by an administrator, counts for the whole tenant.
        for_everybody: bool,
    },
}

impl<'a> Pressed<'a> {
    /// Reads the form of one of our pages. A link presses nothing, and neither does a form on a
    /// page of another site, which could sign somebody in without their knowing.
    pub(super) fn check(request: &Request, parameters: &'a Parameters) -> Result<Self, Refusal> {
        let account = parameters.optional("account")?;
        let consent = parameters.optional("consent")?;
        if account.is_none() && consent.is_none() {
            return Ok(Self::Nothing);
        }
        let site = request.headers().get("sec-fetch-site");
        if site.is_some_and(|site| site != "same-origin") {
            return Err(Refusal::form_of_another_site());
        }
        let for_everybody = parameters.optional("for_everybody")?.is_some();
        Ok(match (account, consent) {
            (_, Some("cancel")) | (None, _) => Self::Cancel,
            (Some(account), consent) => {
                Self::Account { account, consents: consent == Some("accept"), for_everybody }
            }
        })
    }
}

/// The person with this name, if that person may use this app and these APIs here.
pub(super) fn admit(
    context: &Context,
    authority: &Authority,
    app: &App,
    scopes: &Scopes,
    account: &str,
) -> Result<Arc<Person>, Refusal> {
    let directory = context.directory();
    let person = directory.person(account).map_err(|_| Refusal::account_unknown(account))?;
    if !authority.admits(directory, person) {
        let name = &person.sign_in_name;
        return Err(match authority.tenant() {
            Some(tenant) => Refusal::account_of_another_tenant(name, &tenant.name, app),
            None => Refusal::account_personal(name),
        });
    }
    scopes.check_known_in(&person.tenant)?;
    check_assignment(app, person)?;
    Ok(Arc::clone(person))
}

/// Whether the person is assigned to an app that asks for that.
pub(super) fn check_assignment(app: &App, person: &Person) -> Result<(), Refusal> {
    if app.assignment_required && !person.assignments.contains_key(&app.client_id) {
        return Err(Refusal::assignment_missing(&person.sign_in_name, &app.name));
    }
    Ok(())
}

/// Whether the app may do this for this person without asking.
pub(super) fn has_consent(context: &Context, app: &App, person: &Person, scopes: &Scopes) -> bool {
    let who = [person.oid.as_str(), person.tenant.as_str()];
    !app.consent_required || context.consents.cover(who, &app.client_id, &scopes.full_names())
}

/// Whether this person can give the consent that is missing.
pub(super) fn check_may_consent(
    app: &App,
    person: &Person,
    scopes: &Scopes,
) -> Result<(), Refusal> {
    if scopes.need_an_administrator() && !person.administrator {
        return Err(Refusal::admin_consent_required(&app.name));
    }
    Ok(())
}

/// Notes that the person lets the app do this.
pub(super) fn give_consent(
    context: &Context,
    app: &App,
    person: &Person,
    scopes: &Scopes,
    for_everybody: bool,
) {
    let for_everybody = for_everybody && person.administrator;
    let who = if for_everybody { &person.tenant } else { &person.oid };
    context.consents.give(who, &app.client_id, &scopes.full_names());
}
