//! A request to an endpoint of Entra, and what a handler returns for it.

use std::sync::Arc;

use poem::{Request, Response, http::Method};

use crate::{
    audit::Outcome,
    directory::{App, Authority, Directory, Person},
    refusal::{Refusal, Report},
    scope::Scopes,
    tokens::ClaimsRequest,
};

use super::{
    context::Context, cookie, correlation::Correlation, federation::FetchedKeys,
    parameters::Parameters,
};

/// A request whose parameters have been read.
pub(super) struct TenantRequest<'a> {
    pub(super) context: &'a Context,
    pub(super) http: &'a Request,
    /// The directory when the request arrived.
    pub(super) directory: &'a Directory,
    /// The `{tenant}` segment of the path.
    pub(super) tenant: &'a str,
    /// The URL of the listener that received the request.
    pub(super) base_url: &'a str,
    /// From the query of a GET or the form of a POST.
    pub(super) parameters: Parameters,
    /// The keys of the issuer of the client assertion, if it is a foreign one.
    pub(super) issuer_keys: FetchedKeys,
    pub(super) correlation: Correlation,
}

impl<'a> TenantRequest<'a> {
    pub(super) fn directory(&self) -> &'a Directory {
        self.directory
    }

    /// The time in seconds since the epoch.
    pub(super) fn now(&self) -> u64 {
        self.context.now()
    }

    /// Whether the request sends a form.
    pub(super) fn is_form(&self) -> bool {
        self.http.method() == Method::POST
    }

    /// The authority that the path names.
    pub(super) fn authority(&self) -> Result<Authority, Refusal> {
        Authority::parse(self.directory(), self.tenant)
            .ok_or_else(|| Refusal::tenant_unknown(self.tenant))
    }

    /// The app with this client id, if it may be used at the authority.
    pub(super) fn app(
        &self,
        client_id: &str,
        authority: &Authority,
    ) -> Result<&'a Arc<App>, Refusal> {
        let app = self.directory().app(client_id);
        let app = app.ok_or_else(|| Refusal::app_unknown(client_id, self.tenant))?;
        match authority.tenant() {
            Some(tenant) if !app.is_known_in(&tenant.id) => {
                Err(Refusal::app_unknown(&app.client_id, &tenant.id))
            }
            None if app.single_tenant => Err(Refusal::app_single_tenant(&app.client_id, &app.name)),
            _ => Ok(app),
        }
    }

    /// The required `scope` parameter, which must agree with the optional `resource` parameter.
    pub(super) fn scopes(&self) -> Result<Scopes, Refusal> {
        let text = self.parameters.required("scope")?;
        let scopes = Scopes::parse(self.directory(), self.tenant, text)?;
        self.check_resource(&scopes)?;
        Ok(scopes)
    }

    /// Checks that the optional `resource` parameter (RFC 8707) names the API of these scopes. As
    /// in Entra, it must be a registered name of the API, character for character: many clients add
    /// a slash.
    pub(super) fn check_resource(&self, scopes: &Scopes) -> Result<(), Refusal> {
        match self.parameters.optional("resource")? {
            Some(resource) if !scopes.are_all_of(resource) => {
                Err(Refusal::resource_mismatch(resource, scopes.resource().app_id_uri()))
            }
            _ => Ok(()),
        }
    }

    /// The optional `claims` parameter.
    pub(super) fn claims(&self) -> Result<Option<ClaimsRequest>, Refusal> {
        let parse = |text| ClaimsRequest::parse(text).ok_or_else(Refusal::claims_malformed);
        self.parameters.optional("claims")?.map(parse).transpose()
    }

    /// Whether the response is to include `client_info`, from which MSAL derives its account ids.
    pub(super) fn wants_client_info(&self) -> Result<bool, Refusal> {
        Ok(self.parameters.optional("client_info")? == Some("1"))
    }

    /// The id of the browser session.
    pub(super) fn session(&self) -> Option<&str> {
        cookie::session(self.http, self.base_url, self.context.isolated_id())
    }

    /// The people who are signed in in this browser, the most recent first.
    pub(super) fn signed_in(&self) -> Vec<&'a Arc<Person>> {
        let Some(session) = self.session() else { return Vec::new() };
        let accounts = self.context.sessions.accounts(session, self.now());
        accounts.iter().filter_map(|oid| self.directory().person(oid).ok()).collect()
    }

    /// The sign-in name of the person who was chosen on a page, even if the request is refused.
    pub(super) fn chosen_person(&self) -> Option<String> {
        let account = self.parameters.optional("account").ok().flatten();
        let account = account.filter(|_| self.is_form())?;
        Some(self.directory().person(account).ok()?.sign_in_name.clone())
    }

    /// The error response for a refusal.
    pub(super) fn report(&self, refusal: &Refusal) -> Report {
        refusal.report(self.correlation.id(), self.now())
    }
}

/// A response, and what the audit trail records about it.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) outcome: Outcome,
    /// The sign-in name.
    pub(super) person: Option<String>,
    /// The client id, if the parameters do not contain it.
    pub(super) client_id: Option<String>,
    /// What the audit trail shows instead of the grant type or the prompt.
    pub(super) detail: Option<String>,
}

impl Answer {
    /// The request succeeded.
    pub(super) fn granted(response: Response) -> Self {
        Self::new(response, Outcome::Granted)
    }

    /// The person is asked for something first.
    pub(super) fn asked(response: Response) -> Self {
        Self::new(response, Outcome::Asked)
    }

    /// A refusal with a response of its own, such as a redirect to the app.
    pub(super) fn refused(response: Response, refusal: &Refusal) -> Self {
        Self::new(response, refusal.outcome())
    }

    fn new(response: Response, outcome: Outcome) -> Self {
        Self { response, outcome, person: None, client_id: None, detail: None }
    }

    pub(super) fn with_person(self, person: &Person) -> Self {
        Self { person: Some(person.sign_in_name.clone()), ..self }
    }

    pub(super) fn with_client_id(self, client_id: Option<String>) -> Self {
        Self { client_id, ..self }
    }

    pub(super) fn with_detail(self, detail: Option<String>) -> Self {
        Self { detail, ..self }
    }
}
