use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use poem::http::StatusCode;
use poem::http::header::ORIGIN;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use serde::Serialize;

use super::parameters::Parameters;
use super::{Context, cors, json, refuse};
use crate::codes::Grant;
use crate::directory::Authority;
use crate::issuer::lifetime;
use crate::refusal::Refusal;

/// The largest form that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// `POST /{tenant}/oauth2/v2.0/token` (RFC 6749 section 4.1.3).
#[handler]
pub(super) async fn redeem(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let answer = match answer(context, &tenant, request, body).await {
        Ok(tokens) => json(StatusCode::OK, &tokens),
        Err(refusal) => refuse(context, &refusal),
    };
    cors::allow_registered(context, request.headers().get(ORIGIN), answer)
}

/// The preflight: Swagger UI sends `X-Requested-With`, which needs one.
#[handler]
pub(super) fn preflight(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    let answer = cors::preflight(request, "POST");
    cors::allow_registered(context, request.headers().get(ORIGIN), answer)
}

/// The parameters in a form body of at most 64 KiB.
pub(super) async fn read_form(body: Body) -> Result<Parameters, Refusal> {
    let bytes = body.into_bytes_limit(BODY_LIMIT).await.map_err(|_| Refusal::body_too_large())?;
    Ok(Parameters::parse(&bytes))
}

/// The answer to a successful request (RFC 6749 section 5.1), with Entra's members.
#[derive(Serialize)]
struct Tokens {
    token_type: &'static str,
    scope: String,
    expires_in: u64,
    ext_expires_in: u64,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl Tokens {
    fn issue(context: &Context, grant: &Grant) -> Result<Self, Refusal> {
        let Grant { client_id, person, scope, nonce, .. } = grant;
        let failed = |error| {
            tracing::error!(%error, "the development tenant failed to sign a token");
            Refusal::failed()
        };
        let lifetime = lifetime();
        let issuer = &context.issuer;
        let access_token = issuer.access_token(person, client_id, lifetime).map_err(failed)?;
        let id_token = scope
            .has("openid")
            .then(|| issuer.id_token(person, client_id, scope, nonce.as_deref(), lifetime))
            .transpose()
            .map_err(failed)?;
        Ok(Self {
            token_type: "Bearer",
            scope: scope.granted(),
            expires_in: lifetime,
            ext_expires_in: lifetime,
            access_token,
            id_token,
        })
    }
}

async fn answer(
    context: &Context,
    tenant: &str,
    request: &Request,
    body: Body,
) -> Result<Tokens, Refusal> {
    let authority = Authority::parse(tenant).ok_or_else(|| Refusal::tenant_unknown(tenant))?;
    if !is_form(request) {
        return Err(Refusal::not_a_form());
    }
    let parameters = read_form(body).await?;
    match parameters.required("grant_type")? {
        "authorization_code" => {
            let from_a_script = request.headers().contains_key(ORIGIN);
            let grant = redeem_code(context, authority, tenant, &parameters, from_a_script)?;
            Tokens::issue(context, &grant)
        }
        other => Err(Refusal::grant_unsupported(other)),
    }
}

/// Checks the request, then the code against it.
fn redeem_code(
    context: &Context,
    authority: Authority,
    tenant: &str,
    parameters: &Parameters,
    from_a_script: bool,
) -> Result<Grant, Refusal> {
    let client_id = parameters.required("client_id")?;
    let app =
        context.apps.find(client_id).ok_or_else(|| Refusal::app_unknown(client_id, tenant))?;
    let code = parameters.required("code")?;
    let redirect_uri = parameters.required("redirect_uri")?;
    if !app.may_redirect_to(redirect_uri) {
        return Err(Refusal::redirect_uri_unknown(redirect_uri, app.client_id));
    }
    if parameters.optional("client_secret")?.is_some() {
        return Err(Refusal::secret_of_a_public_client());
    }
    if !from_a_script {
        return Err(Refusal::origin_missing());
    }
    let verifier = parameters.optional("code_verifier")?.ok_or_else(Refusal::verifier_missing)?;
    context.codes.redeem(code, context.issuer.now(), |grant| {
        if grant.client_id != app.client_id {
            Err(Refusal::code_of_another_app())
        } else if grant.authority != authority {
            Err(Refusal::code_of_another_tenant())
        } else if grant.redirect_uri != redirect_uri {
            Err(Refusal::redirect_uri_changed(redirect_uri, &grant.redirect_uri))
        } else if grant.code_challenge != challenge_of(verifier) {
            Err(Refusal::verifier_mismatch())
        } else {
            Ok(())
        }
    })
}

/// The S256 challenge of a verifier (RFC 7636 section 4.6).
fn challenge_of(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// Whether the body says that it is a form, with or without a character set.
fn is_form(request: &Request) -> bool {
    request.content_type().is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}
