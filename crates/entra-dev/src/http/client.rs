//! Which app is asking, and how it has shown that it is (RFC 6749 section 2.3).

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use poem::Request;
use poem::http::header::AUTHORIZATION;
use url::form_urlencoded;

use super::authorization_request::app_belongs;
use super::parameters::Parameters;
use super::{Context, Urls};
use crate::directory::{App, Authority};
use crate::jws::UnverifiedJws;
use crate::refusal::Refusal;
use crate::tokens::Proof;

/// An app that has asked.
pub(super) struct Client {
    pub(super) app: Arc<App>,
    pub(super) proof: Proof,
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far an assertion's times may be off, in seconds: Entra's own clock skew.
const SKEW: u64 = 300;

impl Client {
    /// The app that a request to the token endpoint comes from. A credential that is sent has to be
    /// right, even where none would be needed.
    pub(super) fn authenticate(
        context: &Context,
        tenant: &str,
        authority: &Authority,
        request: &Request,
        parameters: &Parameters,
    ) -> Result<Self, Refusal> {
        let basic = basic_credentials(request);
        let assertion = parameters.optional("client_assertion")?;
        let jws = assertion
            .map(|assertion| UnverifiedJws::parse(assertion).ok_or_else(Refusal::jwt_malformed));
        let jws = jws.transpose()?;
        if let (Some(in_body), Some((in_header, _))) = (parameters.optional("client_id")?, &basic)
            && !in_body.eq_ignore_ascii_case(in_header)
        {
            return Err(Refusal::client_named_twice(in_body, in_header));
        }
        let client_id =
            Self::named(request, parameters).ok_or_else(|| Refusal::missing("client_id"))?;
        let app = context
            .directory()
            .app(&client_id)
            .ok_or_else(|| Refusal::app_unknown(&client_id, tenant))?;
        app_belongs(app, authority)?;

        let secret = parameters.optional("client_secret")?;
        let in_header = basic.as_ref().map(|(_, secret)| secret.as_str());
        let proof = match (secret, in_header, jws) {
            (None, None, None) => Proof::None,
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                return Err(Refusal::client_authenticated_twice());
            }
            _ if !app.is_confidential() => return Err(Refusal::secret_of_a_public_client()),
            (Some(secret), _, _) | (_, Some(secret), _) => check_secret(app, secret)?,
            (None, None, Some(jws)) => {
                if parameters.required("client_assertion_type")? != ASSERTION_TYPE {
                    return Err(Refusal::assertion_invalid("client_assertion_type is another one"));
                }
                check_assertion(context, app, &jws)?
            }
        };
        Ok(Self { app: Arc::clone(app), proof })
    }

    /// The client id that a request gives, in whichever way; nothing has been checked yet.
    pub(super) fn named(request: &Request, parameters: &Parameters) -> Option<String> {
        let text = |name| parameters.optional(name).ok().flatten();
        let in_assertion = || {
            let jws = UnverifiedJws::parse(text("client_assertion")?)?;
            jws.claim("sub").or(jws.claim("iss")).map(str::to_owned)
        };
        text("client_id")
            .map(str::to_owned)
            .or_else(|| Some(basic_credentials(request)?.0))
            .or_else(in_assertion)
    }

    /// The same, if it has shown that it is itself.
    pub(super) fn confidential(self) -> Result<Self, Refusal> {
        match self.proof {
            Proof::None => Err(Refusal::client_not_authenticated()),
            Proof::Secret | Proof::Certificate => Ok(self),
        }
    }
}

/// The client id and secret of HTTP Basic authentication, each form-encoded (RFC 6749 section
/// 2.3.1).
fn basic_credentials(request: &Request) -> Option<(String, String)> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (client_id, secret) = credentials.split_once(':')?;
    let decode = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
    };
    Some((decode(client_id)?, decode(secret).unwrap_or_default()))
}

fn check_secret(app: &App, secret: &str) -> Result<Proof, Refusal> {
    if app.secrets.iter().any(|known| known == secret) {
        Ok(Proof::Secret)
    } else if app.expired_secrets.iter().any(|known| known == secret) {
        Err(Refusal::secret_expired(&app.client_id))
    } else {
        Err(Refusal::secret_wrong(&app.client_id))
    }
}

/// Checks a client assertion (RFC 7523 section 3, "Microsoft identity platform application
/// authentication certificate credentials").
fn check_assertion(
    context: &Context,
    app: &App,
    jws: &UnverifiedJws<'_>,
) -> Result<Proof, Refusal> {
    let named = ["x5t#S256", "x5t", "kid"].iter().find_map(|name| jws.header(name));
    let named = named.ok_or_else(|| Refusal::assertion_invalid("x5t#S256 is missing"))?;
    let certificate = app
        .certificates
        .iter()
        .find(|certificate| certificate.is_named(named))
        .ok_or_else(|| Refusal::assertion_invalid("the key was not found"))?;
    let (message, signature) = jws.signature();
    if !certificate.verifies(jws.header("alg").unwrap_or_default(), message, signature) {
        return Err(Refusal::assertion_invalid("the signature is wrong"));
    }
    let itself = [jws.claim("iss"), jws.claim("sub")];
    if itself != [Some(app.client_id.as_str()); 2] {
        return Err(Refusal::assertion_claims(700_021, "names another application than client_id"));
    }
    if !jws.claim("aud").is_some_and(|audience| is_token_endpoint(context, audience)) {
        return Err(Refusal::assertion_claims(700_023, "is not for this token endpoint"));
    }
    let now = context.now();
    let counts = jws.time("exp").is_some_and(|exp| now < exp.saturating_add(SKEW))
        && jws.time("nbf").is_none_or(|nbf| nbf <= now.saturating_add(SKEW));
    if counts {
        Ok(Proof::Certificate)
    } else {
        Err(Refusal::assertion_claims(700_024, "is not within its valid time range"))
    }
}

/// Whether this is the token endpoint, or the issuer, of some tenant on one of the listeners.
/// OpenID Connect clients send either.
fn is_token_endpoint(context: &Context, audience: &str) -> bool {
    let Urls { http, https } = &context.urls;
    let path = [Some(http), https.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|base_url| audience.strip_prefix(base_url.as_str())?.strip_prefix('/'));
    let tenant = path.and_then(|path| {
        path.strip_suffix("/oauth2/v2.0/token").or_else(|| path.strip_suffix("/v2.0"))
    });
    tenant.is_some_and(|tenant| Authority::parse(context.directory(), tenant).is_some())
}
