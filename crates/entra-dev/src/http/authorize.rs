use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};

use super::authorization_request::{AuthorizationRequest, Rejected, ReplyTo, redirect_status};
use super::parameters::Parameters;
use super::{Context, pages, token};
use crate::codes::Grant;
use crate::people;
use crate::random;
use crate::refusal::Refusal;

/// `GET /{tenant}/oauth2/v2.0/authorize`: shows the account page, or says what is wrong.
#[handler]
pub(super) fn show(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Response {
    let parameters = Parameters::parse(request.uri().query().unwrap_or_default().as_bytes());
    Desk { context, after_a_form: false }.serve(&tenant, &parameters)
}

/// `POST /{tenant}/oauth2/v2.0/authorize`: the same with the parameters in a form, as an app may
/// send it; with `account`, which the account page adds, it signs that person in.
#[handler]
pub(super) async fn submit(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    body: Body,
) -> Response {
    let desk = Desk { context, after_a_form: true };
    match token::read_form(body).await {
        Ok(parameters) => desk.serve(&tenant, &parameters),
        Err(refusal) => desk.refuse_on_page(&refusal),
    }
}

/// Answers one authorization request.
struct Desk<'a> {
    context: &'a Context,
    after_a_form: bool,
}

impl Desk<'_> {
    fn serve(&self, tenant: &str, parameters: &Parameters) -> Response {
        match AuthorizationRequest::check(tenant, &self.context.apps, parameters) {
            Err(Rejected::OnPage(refusal)) => self.refuse_on_page(&refusal),
            Err(Rejected::ToApp { reply, refusal }) => self.refuse_to_app(&reply, &refusal),
            Ok(request) => match self.account(parameters) {
                Err(refusal) => self.refuse_on_page(&refusal),
                Ok(None) => pages::accounts(&request, parameters),
                Ok(Some(account)) => self.sign_in(&request, account),
            },
        }
    }

    /// The account that was picked. A link cannot pick one: that takes a form.
    fn account<'a>(&self, parameters: &'a Parameters) -> Result<Option<&'a str>, Refusal> {
        if self.after_a_form { parameters.optional("account") } else { Ok(None) }
    }

    fn sign_in(&self, request: &AuthorizationRequest<'_>, account: &str) -> Response {
        let admitted = people::find(account)
            .ok()
            .filter(|person| request.authority.admits(person))
            .ok_or_else(|| Refusal::account_unknown(account));
        let person = match admitted {
            Ok(person) => person,
            Err(refusal) => return self.refuse_on_page(&refusal),
        };
        let grant = Grant {
            client_id: request.app.client_id,
            redirect_uri: request.reply.redirect_uri.to_owned(),
            authority: request.authority,
            person,
            scope: request.scope.clone(),
            code_challenge: request.code_challenge.to_owned(),
            nonce: request.nonce.map(str::to_owned),
        };
        let code = self.context.codes.issue(grant, self.context.issuer.now());
        // Entra sends it with every code (OpenID Connect Session Management section 2).
        let session_state = random::guid();
        self.redirect(&request.reply, &[("code", &code), ("session_state", &session_state)])
    }

    fn refuse_on_page(&self, refusal: &Refusal) -> Response {
        pages::refused(refusal.status, &refusal.report(self.context.issuer.now()))
    }

    fn refuse_to_app(&self, reply: &ReplyTo<'_>, refusal: &Refusal) -> Response {
        let report = refusal.report(self.context.issuer.now());
        let description = ("error_description", report.error_description.as_str());
        self.redirect(reply, &[("error", report.error), description])
    }

    fn redirect(&self, reply: &ReplyTo<'_>, parameters: &[(&str, &str)]) -> Response {
        let status: StatusCode = redirect_status(self.after_a_form);
        Response::builder()
            .status(status)
            .header("location", reply.location(parameters))
            .header("cache-control", "no-store")
            .header("referrer-policy", "no-referrer")
            .finish()
    }
}
