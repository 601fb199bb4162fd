use std::sync::Arc;

use poem::http::header::SET_COOKIE;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};

use super::authorization_request::{AuthorizationRequest, Prompt, Rejected};
use super::correlation::Correlation;
use super::parameters::Parameters;
use super::reply::Reply;
use super::sign_in::{self, Pressed};
use super::{Context, cookie, pages};
use crate::audit::{Entry, Outcome};
use crate::directory::Person;
use crate::grants::{Code, Grant};
use crate::random;
use crate::refusal::{Refusal, Report};
use crate::tokens::{IdToken, client_info, lifetime};

/// `GET /{tenant}/oauth2/v2.0/authorize`: shows the account page, or says what is wrong.
#[handler]
pub(super) fn show(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Response {
    let parameters = Parameters::of_query(request);
    Desk::new(context, request, &parameters, false).serve(&tenant, &parameters)
}

/// `POST /{tenant}/oauth2/v2.0/authorize`: the same with the parameters in a form, as an app may
/// send it; with `account`, which the account page adds, it signs that person in.
#[handler]
pub(super) async fn submit(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let desk = |parameters: &Parameters| Desk::new(context, request, parameters, true);
    match Parameters::of_form(body).await {
        Ok(parameters) => desk(&parameters).serve(&tenant, &parameters),
        Err(refusal) => desk(&Parameters::default()).refuse_unread(&tenant, &refusal),
    }
}

/// Answers one authorization request.
struct Desk<'a> {
    context: &'a Context,
    request: &'a Request,
    base_url: &'a str,
    correlation: Correlation,
    after_a_form: bool,
}

/// How an answer goes out, and how it is remembered.
struct Answered {
    response: Response,
    outcome: Outcome,
    person: Option<String>,
}

impl<'a> Desk<'a> {
    fn new(
        context: &'a Context,
        request: &'a Request,
        parameters: &Parameters,
        after_a_form: bool,
    ) -> Self {
        let (base_url, correlation) =
            (context.urls.of(request), Correlation::of(request, parameters));
        Self { context, request, base_url, correlation, after_a_form }
    }

    fn serve(&self, tenant: &str, parameters: &Parameters) -> Response {
        let directory = self.context.directory();
        let checked = AuthorizationRequest::check(tenant, directory, parameters);
        let Answered { response, outcome, person } = match checked {
            Err(Rejected::OnPage(refusal)) => self.refused_on_page(&refusal),
            Err(Rejected::ToApp { reply, refusal }) => self.refused_to_app(&reply, &refusal),
            Ok(request) => self.answer(&request, parameters),
        };
        let text = |name| parameters.optional(name).ok().flatten().map(str::to_owned);
        self.context.note(Entry {
            client_id: text("client_id"),
            correlation_id: Some(self.correlation.id()),
            detail: text("prompt").map(|prompt| format!("prompt={prompt}")),
            person,
            ..Entry::of("authorize", tenant, outcome)
        });
        self.correlation.on(response)
    }

    /// Refuses a request whose parameters could not be read.
    fn refuse_unread(&self, tenant: &str, refusal: &Refusal) -> Response {
        let Answered { response, outcome, .. } = self.refused_on_page(refusal);
        self.context.note(Entry {
            correlation_id: Some(self.correlation.id()),
            ..Entry::of("authorize", tenant, outcome)
        });
        self.correlation.on(response)
    }

    fn answer(&self, request: &AuthorizationRequest<'_>, parameters: &Parameters) -> Answered {
        let pressed = match self.after_a_form {
            true => Pressed::check(self.request, parameters),
            // A link cannot press a button: that takes a form.
            false => Ok(Pressed::Nothing),
        };
        match pressed {
            Err(refusal) => self.refused_on_page(&refusal),
            Ok(Pressed::Cancel) => {
                self.refused_to_app(&request.reply, &Refusal::consent_declined())
            }
            Ok(Pressed::Nothing) if request.prompt == Prompt::None => self.silent(request),
            Ok(Pressed::Nothing) => match self.hinted(request) {
                Some(person) => self.picked(request, parameters, &person.oid, false, false),
                None => {
                    let signed_in = self.signed_in();
                    asked(pages::account::accounts(self.context, request, parameters, &signed_in))
                }
            },
            Ok(Pressed::Account { account, consents, for_everybody }) => {
                self.picked(request, parameters, account, consents, for_everybody)
            }
        }
    }

    /// Who need not be asked again: somebody who is signed in, whom the app means.
    fn hinted(&self, request: &AuthorizationRequest<'_>) -> Option<&'a Arc<Person>> {
        let hint = request.login_hint.filter(|_| request.prompt == Prompt::AsNeeded)?;
        self.candidates(request).into_iter().find(|person| person.is_called(hint))
    }

    fn picked(
        &self,
        request: &AuthorizationRequest<'_>,
        parameters: &Parameters,
        account: &str,
        consents: bool,
        for_everybody: bool,
    ) -> Answered {
        let AuthorizationRequest { app, scopes, .. } = request;
        let admitted = sign_in::admit(self.context, &request.authority, app, scopes, account);
        let person = match admitted {
            Ok(person) => person,
            Err(refusal) => return self.refused_on_page(&refusal),
        };
        let asks = request.prompt == Prompt::Consent
            || !sign_in::has_consent(self.context, app, &person, scopes);
        if asks {
            if let Err(refusal) = sign_in::check_may_consent(app, &person, scopes) {
                return self.refused_on_page(&refusal);
            }
            if !consents {
                return asked(pages::account::consent(request, parameters, &person));
            }
            sign_in::give_consent(self.context, app, &person, scopes, for_everybody);
        }
        self.granted(request, &person)
    }

    /// `prompt=none`: whoever is signed in, or an error.
    fn silent(&self, request: &AuthorizationRequest<'_>) -> Answered {
        let AuthorizationRequest { authority, app, reply, scopes, login_hint, .. } = request;
        let mut candidates = self
            .candidates(request)
            .into_iter()
            .filter(|person| login_hint.is_none_or(|hint| person.is_called(hint)));
        let person = match (candidates.next(), candidates.next()) {
            (Some(person), None) => person,
            (None, _) => return self.refused_to_app(reply, &Refusal::login_required()),
            (Some(_), Some(_)) => return self.refused_to_app(reply, &Refusal::sessions_several()),
        };
        match sign_in::admit(self.context, authority, app, scopes, &person.oid) {
            Err(refusal) => self.refused_to_app(reply, &refusal),
            Ok(person) if !sign_in::has_consent(self.context, app, &person, scopes) => {
                let refusal = Refusal::consent_missing(&app.client_id, &app.name);
                self.refused_to_app(reply, &refusal.before_a_person())
            }
            Ok(person) => self.granted(request, &person),
        }
    }

    fn granted(&self, request: &AuthorizationRequest<'_>, person: &Arc<Person>) -> Answered {
        let AuthorizationRequest { reply, response_type, .. } = request;
        let context = self.context;
        let grant = Grant {
            app: Arc::clone(request.app),
            person: Arc::clone(person),
            authority: request.authority.clone(),
            platform: request.platform,
            scopes: request.scopes.clone(),
            claims: request.claims.clone(),
            nonce: request.nonce.map(str::to_owned),
        };
        let code = response_type.code.then(|| {
            let code = Code::new(grant, reply.redirect_uri, request.challenge);
            context.codes.issue(code, context.now())
        });
        let id_token = response_type.id_token.then(|| {
            context.issuer.id_token(&IdToken {
                base_url: self.base_url,
                client_id: &request.app.client_id,
                person,
                scopes: &request.scopes,
                nonce: request.nonce,
                code: code.as_deref(),
                lifetime: lifetime(),
            })
        });
        let id_token = match id_token.transpose() {
            Ok(id_token) => id_token,
            Err(_) => return self.refused_to_app(reply, &Refusal::failed()),
        };
        // Entra sends it with every code (OpenID Connect Session Management section 2).
        let session_state = random::guid();
        let client_info = request.wants_client_info.then(|| client_info(person));
        let parameters: Vec<_> = [
            ("code", code.as_deref()),
            ("id_token", id_token.as_deref()),
            ("client_info", client_info.as_deref()),
            ("session_state", Some(session_state.as_str())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        let mut response = reply.send(&parameters, self.after_a_form);
        let known = cookie::session(self.request, self.base_url);
        let session = context.sessions.sign_in(known, &person.oid, context.now());
        if let Ok(cookie) = cookie::set_session(self.base_url, &session).parse() {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        let person = Some(person.sign_in_name.clone());
        Answered { response, outcome: Outcome::Granted, person }
    }

    /// Who is signed in in this browser and may sign in here.
    fn candidates(&self, request: &AuthorizationRequest<'_>) -> Vec<&'a Arc<Person>> {
        let directory = self.context.directory();
        let signed_in = self.signed_in();
        let people = signed_in.iter().filter_map(|oid| directory.person(oid).ok());
        people.filter(|person| request.authority.admits(directory, person)).collect()
    }

    /// The `oid`s of who is signed in in this browser.
    fn signed_in(&self) -> Vec<String> {
        let session = cookie::session(self.request, self.base_url);
        session.map_or_else(Vec::new, |id| self.context.sessions.accounts(id, self.context.now()))
    }

    fn refused_on_page(&self, refusal: &Refusal) -> Answered {
        let response = pages::refused(refusal.status, &self.report(refusal));
        Answered { response, outcome: refusal.outcome(), person: None }
    }

    fn refused_to_app(&self, reply: &Reply<'_>, refusal: &Refusal) -> Answered {
        let report = self.report(refusal);
        let mut parameters = vec![
            ("error", report.error),
            ("error_description", report.error_description.as_str()),
            ("error_uri", report.error_uri.as_str()),
        ];
        parameters.extend(report.suberror.map(|suberror| ("error_subcode", suberror)));
        let response = reply.send(&parameters, self.after_a_form);
        Answered { response, outcome: refusal.outcome(), person: None }
    }

    fn report(&self, refusal: &Refusal) -> Report {
        refusal.correlated(self.correlation.id(), self.context.now())
    }
}

fn asked(response: Response) -> Answered {
    Answered { response, outcome: Outcome::Asked, person: None }
}
