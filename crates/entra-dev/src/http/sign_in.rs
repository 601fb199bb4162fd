//! Sign-in and consent: from the chosen account to what the app may do.

use std::sync::Arc;

use crate::{
    directory::{App, Authority, Directory, Person},
    refusal::Refusal,
    scope::Scopes,
};

use super::{context::Context, request::TenantRequest};

/// What the person has chosen on a page.
pub(super) enum Choice<'a> {
    /// Nothing yet.
    None,
    /// Cancel, on any page.
    Cancel,
    /// An account and, on the page after that, consent.
    Account { account: &'a str, consent: Consent },
}

/// Whether the person consents.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    NotGiven,
    Given,
    /// Counts for the whole tenant if an administrator gives it.
    ForEverybody,
}

impl<'a> Choice<'a> {
    /// Reads the form of one of our pages. A choice in the query of a GET is ignored, and a form
    /// sent by a page of another site is refused. Otherwise, another site could sign a person in
    /// without the person's knowledge.
    pub(super) fn parse(request: &'a TenantRequest<'_>) -> Result<Self, Refusal> {
        if !request.is_form() {
            return Ok(Self::None);
        }
        let account = request.parameters.optional("account")?;
        let consent = request.parameters.optional("consent")?;
        if account.is_none() && consent.is_none() {
            return Ok(Self::None);
        }
        let site = request.http.headers().get("sec-fetch-site");
        if site.is_some_and(|site| site != "same-origin") {
            return Err(Refusal::form_of_another_site());
        }
        let for_everybody = request.parameters.optional("for_everybody")?.is_some();
        Ok(match (account, consent) {
            (_, Some("cancel")) | (None, _) => Self::Cancel,
            (Some(account), consent) => {
                let consent = match consent {
                    Some("accept") if for_everybody => Consent::ForEverybody,
                    Some("accept") => Consent::Given,
                    _ => Consent::NotGiven,
                };
                Self::Account { account, consent }
            }
        })
    }
}

/// What a person signs in to.
#[derive(Clone, Copy)]
pub(super) struct SignIn<'a> {
    pub(super) context: &'a Context,
    pub(super) directory: &'a Directory,
    pub(super) authority: &'a Authority,
    pub(super) app: &'a App,
    pub(super) scopes: &'a Scopes,
}

/// What follows the choice of an account.
pub(super) enum SignInStep {
    AskForConsent(Arc<Person>),
    Done(Arc<Person>),
}

impl SignIn<'_> {
    /// Signs a person in, unless consent is missing. `ask` requires consent even if it was given
    /// before.
    pub(super) fn proceed(
        &self,
        account: &str,
        consent: Consent,
        ask: bool,
    ) -> Result<SignInStep, Refusal> {
        let person = self.admit(account)?;
        if ask || !self.has_consent(&person) {
            if self.scopes.need_an_administrator() && !person.administrator {
                return Err(Refusal::admin_consent_required(&self.app.name));
            }
            if consent == Consent::NotGiven {
                return Ok(SignInStep::AskForConsent(person));
            }
            self.record_consent(&person, consent);
        }
        Ok(SignInStep::Done(person))
    }

    /// The person with this name, if that person may use the app and the APIs here.
    pub(super) fn admit(&self, account: &str) -> Result<Arc<Person>, Refusal> {
        let directory = self.directory;
        let person = directory.person(account).map_err(|_| Refusal::account_unknown(account))?;
        if !self.authority.admits(directory, person) {
            let name = &person.sign_in_name;
            return Err(match self.authority.tenant() {
                Some(tenant) => Refusal::account_of_another_tenant(name, &tenant.name, self.app),
                None => Refusal::account_personal(name),
            });
        }
        if person.agent_identity.is_some() {
            return Err(Refusal::agent_user_signs_in(&person.sign_in_name));
        }
        self.scopes.check_known_in(&person.tenant)?;
        check_assignment(self.app, person)?;
        Ok(Arc::clone(person))
    }

    /// Whether the person need not be asked: no consent is required, or it was given before. An
    /// agent inherits the consent that an administrator has given to its blueprint.
    pub(super) fn has_consent(&self, person: &Person) -> bool {
        let Self { context, directory, app, scopes, .. } = self;
        let blueprint = directory.inherits_from(app, scopes.resource());
        if !app.consent_required || blueprint.is_some_and(|it| !it.consent_required) {
            return true;
        }
        let tenant = person.tenant.as_str();
        let own =
            [person.oid.as_str(), tenant].map(|principal| (principal, app.client_id.as_str()));
        let inherited = blueprint.map(|blueprint| (tenant, blueprint.client_id.as_str()));
        let principals: Vec<_> = own.into_iter().chain(inherited).collect();
        context.consents.cover(&principals, &scopes.full_names())
    }

    pub(super) fn record_consent(&self, person: &Person, consent: Consent) {
        let for_everybody = consent == Consent::ForEverybody && person.administrator;
        let principal = if for_everybody { &person.tenant } else { &person.oid };
        self.context.consents.give(principal, &self.app.client_id, &self.scopes.full_names());
    }
}

/// Checks that the person is assigned to the app, if it requires that.
pub(super) fn check_assignment(app: &App, person: &Person) -> Result<(), Refusal> {
    if app.assignment_required && !person.assignments.contains_key(&app.client_id) {
        return Err(Refusal::assignment_missing(&person.sign_in_name, &app.name));
    }
    Ok(())
}
