use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};

use super::authorization_request::Addressee;
use super::parameters::Parameters;
use super::reply::{Reply, ResponseMode};
use super::sign_in::{self, Pressed};
use super::{Context, pages};
use crate::audit::{Entry, Outcome};
use crate::refusal::Refusal;
use crate::scope::Scopes;

/// `GET /{tenant}/v2.0/adminconsent`: lets an administrator consent for everybody in the tenant
/// ("Request permissions from a directory admin").
#[handler]
pub(super) fn show(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Response {
    let parameters = Parameters::of_query(request);
    Visit { context, tenant: &tenant, parameters: &parameters }.serve(Ok(Pressed::Nothing))
}

/// `POST /{tenant}/v2.0/adminconsent`: the same after a button of our own page.
#[handler]
pub(super) async fn submit(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    match Parameters::of_request(request, body).await {
        Ok(parameters) => Visit { context, tenant: &tenant, parameters: &parameters }
            .serve(Pressed::check(request, &parameters)),
        Err(refusal) => {
            let nothing = Parameters::parse(b"");
            Visit { context, tenant: &tenant, parameters: &nothing }.serve(Err(refusal))
        }
    }
}

/// The parameters that mean something; the pages send them again.
pub(super) const PARAMETERS: [&str; 4] = ["client_id", "redirect_uri", "scope", "state"];

struct Visit<'a> {
    context: &'a Context,
    tenant: &'a str,
    parameters: &'a Parameters,
}

impl Visit<'_> {
    fn serve(&self, pressed: Result<Pressed<'_>, Refusal>) -> Response {
        let answer = pressed.and_then(|pressed| self.answer(&pressed));
        let outcome = match &answer {
            Ok((_, outcome)) => outcome.clone(),
            Err(refusal) => refusal.outcome(),
        };
        self.context.note(Entry {
            client_id: self.parameters.optional("client_id").ok().flatten().map(str::to_owned),
            ..Entry::of("adminconsent", self.tenant, outcome)
        });
        answer.map_or_else(
            |refusal| pages::refused(refusal.status, &refusal.report(self.context.now())),
            |(response, _)| response,
        )
    }

    fn answer(&self, pressed: &Pressed<'_>) -> Result<(Response, Outcome), Refusal> {
        let Self { context, tenant, parameters } = self;
        let directory = context.directory();
        let to = Addressee::check(tenant, directory, parameters)?;
        let scopes = Scopes::parse(directory, tenant, parameters.required("scope")?)?;
        let state = parameters.optional("state")?;
        let mode = ResponseMode::Query;
        let reply = Reply { redirect_uri: to.redirect_uri, state, mode };
        let request = pages::account::ConsentRequest {
            authority: &to.authority,
            app: to.app,
            scopes: &scopes,
            redirect_uri: to.redirect_uri,
        };
        let (account, consents) = match pressed {
            Pressed::Nothing => {
                return Ok((request.administrators(context, parameters), Outcome::Asked));
            }
            Pressed::Cancel => {
                let refusal = Refusal::consent_declined();
                let report = refusal.report(context.now());
                let description = report.error_description.as_str();
                let answer = [("error", "permission_denied"), ("error_description", description)];
                return Ok((reply.send(&answer, true), refusal.outcome()));
            }
            Pressed::Account { account, consents, .. } => (account, *consents),
        };
        let person = sign_in::admit(context, &to.authority, to.app, &scopes, account)?;
        if !person.administrator {
            return Err(Refusal::admin_consent_required(&to.app.name));
        }
        if !consents {
            return Ok((request.consent(parameters, &person), Outcome::Asked));
        }
        sign_in::give_consent(context, to.app, &person, &scopes, true);
        let words = scopes.described().map(|(_, words)| words).collect::<Vec<_>>().join(" ");
        let answer = [("admin_consent", "True"), ("tenant", &person.tenant), ("scope", &words)];
        Ok((reply.send(&answer, true), Outcome::Granted))
    }
}
