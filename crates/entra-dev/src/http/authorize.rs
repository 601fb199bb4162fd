//! `/{tenant}/oauth2/v2.0/authorize`: the authorization endpoint.

use std::sync::Arc;

use poem::http::header::SET_COOKIE;

use crate::{
    directory::Person,
    grants::{Code, Grant},
    random,
    refusal::Refusal,
    tokens::{IdToken, client_info, lifetime},
};

use super::{
    authorization_request::{AuthorizationRequest, PARAMETERS, Prompt, Rejection},
    cookie,
    operation::Operation,
    pages,
    redirect::Redirect,
    request::{Answer, TenantRequest},
    sign_in::{Choice, Consent, SignIn, SignInStep},
};

/// GET shows the account page. An app may also send its request with POST. The account page sends
/// the same request with POST and adds the choice of the person.
pub(super) const AUTHORIZE: Operation = Operation::page("authorize", handle);

fn handle(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let authorization = match AuthorizationRequest::parse(request) {
        Ok(authorization) => authorization,
        Err(Rejection::OnPage(refusal)) => return Err(refusal),
        Err(Rejection::ToApp { redirect, refusal }) => {
            return Ok(refuse_to_app(request, &redirect, &refusal));
        }
    };
    match Choice::parse(request)? {
        Choice::Cancel => {
            let refusal = Refusal::consent_declined();
            Ok(refuse_to_app(request, &authorization.redirect, &refusal))
        }
        Choice::None if authorization.prompt == Prompt::None => {
            Ok(sign_in_silently(request, &authorization).unwrap_or_else(|refusal| {
                refuse_to_app(request, &authorization.redirect, &refusal)
            }))
        }
        Choice::None => match hinted_person(request, &authorization) {
            Some(person) => sign_in(request, &authorization, &person.oid, Consent::NotGiven),
            None => {
                let page = page(request, &authorization);
                let (hint, signed_in) = (authorization.login_hint, request.signed_in());
                let response = page.accounts(hint, &signed_in, Some(authorization.redirect.uri));
                Ok(Answer::asked(response))
            }
        },
        Choice::Account { account, consent } => sign_in(request, &authorization, account, consent),
    }
}

fn page<'a>(
    request: &'a TenantRequest<'_>,
    authorization: &'a AuthorizationRequest<'_>,
) -> pages::SignInPage<'a> {
    pages::SignInPage {
        sign_in: to_sign_in(request, authorization),
        user_code: None,
        action: format!("/{}/oauth2/v2.0/authorize", authorization.authority.segment()),
        hidden: request.parameters.hidden(&PARAMETERS),
    }
}

fn to_sign_in<'a>(
    request: &'a TenantRequest<'_>,
    authorization: &'a AuthorizationRequest<'_>,
) -> SignIn<'a> {
    let AuthorizationRequest { authority, app, scopes, .. } = authorization;
    SignIn { context: request.context, directory: request.directory(), authority, app, scopes }
}

/// Signs in the person with this account, or asks for consent first.
fn sign_in(
    request: &TenantRequest<'_>,
    authorization: &AuthorizationRequest<'_>,
    account: &str,
    consent: Consent,
) -> Result<Answer, Refusal> {
    let ask = authorization.prompt == Prompt::Consent;
    match to_sign_in(request, authorization).proceed(account, consent, ask)? {
        SignInStep::AskForConsent(person) => {
            Ok(Answer::asked(page(request, authorization).consent(&person)))
        }
        SignInStep::Done(person) => Ok(grant(request, authorization, &person)
            .unwrap_or_else(|refusal| refuse_to_app(request, &authorization.redirect, &refusal))),
    }
}

/// `prompt=none`: signs in the only candidate without showing a page.
fn sign_in_silently(
    request: &TenantRequest<'_>,
    authorization: &AuthorizationRequest<'_>,
) -> Result<Answer, Refusal> {
    let mut candidates = candidates(request, authorization)
        .filter(|person| authorization.login_hint.is_none_or(|hint| person.is_called(hint)));
    let person = match (candidates.next(), candidates.next()) {
        (Some(person), None) => person,
        (None, _) => return Err(Refusal::login_required()),
        (Some(_), Some(_)) => return Err(Refusal::sessions_several()),
    };
    let sign_in = to_sign_in(request, authorization);
    let person = sign_in.admit(&person.oid)?;
    if !sign_in.has_consent(&person) {
        let app = authorization.app;
        return Err(Refusal::consent_missing(&app.client_id, &app.name).at_authorize());
    }
    grant(request, authorization, &person)
}

/// The person that `login_hint` names, if that person is signed in and need not be asked.
fn hinted_person<'a>(
    request: &TenantRequest<'a>,
    authorization: &AuthorizationRequest<'_>,
) -> Option<&'a Arc<Person>> {
    let hint = authorization.login_hint.filter(|_| authorization.prompt == Prompt::AsNeeded)?;
    candidates(request, authorization).find(|person| person.is_called(hint))
}

/// The people who are signed in in this browser and may sign in at this authority.
fn candidates<'a>(
    request: &TenantRequest<'a>,
    authorization: &AuthorizationRequest<'_>,
) -> impl Iterator<Item = &'a Arc<Person>> {
    let directory = request.directory();
    let admits = |person: &&Arc<Person>| authorization.authority.admits(directory, person);
    request.signed_in().into_iter().filter(admits)
}

/// Sends the code or the ID token to the app, and remembers the sign-in.
fn grant(
    request: &TenantRequest<'_>,
    authorization: &AuthorizationRequest<'_>,
    person: &Arc<Person>,
) -> Result<Answer, Refusal> {
    let AuthorizationRequest { app, redirect, response_type, scopes, nonce, .. } = authorization;
    let context = request.context;
    let grant = Grant {
        app: Arc::clone(app),
        person: Arc::clone(person),
        authority: authorization.authority.clone(),
        platform: authorization.platform,
        scopes: scopes.clone(),
        claims: authorization.claims.clone(),
        nonce: nonce.map(str::to_owned),
    };
    let code = response_type.code.then(|| {
        let code = Code::new(grant, redirect.uri, authorization.challenge);
        context.codes.issue(code, request.now())
    });
    let id_token = response_type.id_token.then(|| {
        context.issuer.id_token(&IdToken {
            base_url: request.base_url,
            app,
            person,
            scopes,
            nonce: *nonce,
            code: code.as_deref(),
            through_browser: true,
            lifetime: lifetime(),
        })
    });
    let id_token = id_token.transpose().map_err(|error| Refusal::signing_failed(&error))?;
    // Entra sends it with every code (OpenID Connect Session Management, section 2).
    let session_state = random::guid();
    let client_info = authorization.wants_client_info.then(|| client_info(person));
    let parameters: Vec<_> = [
        ("code", code.as_deref()),
        ("id_token", id_token.as_deref()),
        ("client_info", client_info.as_deref()),
        ("session_state", Some(session_state.as_str())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let mut response = redirect.respond(&parameters, request.is_form());
    let session = context.sessions.sign_in(request.session(), &person.oid, request.now());
    if let Ok(cookie) =
        cookie::set_session(request.base_url, context.isolated_id(), &session).parse()
    {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(Answer::granted(response).with_person(person))
}

fn refuse_to_app(
    request: &TenantRequest<'_>,
    redirect: &Redirect<'_>,
    refusal: &Refusal,
) -> Answer {
    let report = request.report(refusal);
    let mut parameters = vec![
        ("error", report.error),
        ("error_description", report.error_description.as_str()),
        ("error_uri", report.error_uri.as_str()),
    ];
    parameters.extend(report.suberror.map(|suberror| ("error_subcode", suberror)));
    Answer::refused(redirect.respond(&parameters, request.is_form()), refusal)
}
