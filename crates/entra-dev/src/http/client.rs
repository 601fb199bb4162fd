//! Client authentication (RFC 6749, section 2.3).

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use poem::{Request, http::header::AUTHORIZATION};
use url::form_urlencoded;

use crate::{
    directory::{App, Authority},
    jws::UnverifiedJws,
    refusal::Refusal,
    tokens::Proof,
};

use super::{
    agent_assertion,
    federation::{self, is_federated},
    parameters::Parameters,
    request::TenantRequest,
};

/// The client of a request.
pub(super) struct Client {
    pub(super) app: Arc<App>,
    pub(super) proof: Proof,
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The clock skew that Entra accepts in assertions, in seconds.
const SKEW: u64 = 300;

impl Client {
    /// Authenticates the client. A credential is checked even if none is required.
    pub(super) fn authenticate(
        request: &TenantRequest<'_>,
        authority: &Authority,
    ) -> Result<Self, Refusal> {
        let parameters = &request.parameters;
        let assertion = parameters.optional("client_assertion")?;
        let jws = assertion
            .map(|assertion| UnverifiedJws::parse(assertion).ok_or_else(Refusal::jwt_malformed))
            .transpose()?;
        let basic = basic_credentials(request.http);
        if let (Some(in_body), Some((in_header, _))) = (parameters.optional("client_id")?, &basic)
            && !in_body.eq_ignore_ascii_case(in_header)
        {
            return Err(Refusal::client_named_twice(in_body, in_header));
        }
        let client_id =
            client_id(request.http, parameters).ok_or_else(|| Refusal::missing("client_id"))?;
        let app = request.app(&client_id, authority)?;

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
                    return Err(Refusal::assertion_invalid(
                        "client_assertion_type is not supported",
                    ));
                }
                if let Some(blueprint) = &app.agent_blueprint {
                    agent_assertion::check(request, app, blueprint)?
                } else if is_federated(&jws) {
                    let assertion = parameters.required("client_assertion")?;
                    federation::check_assertion(request, app, &jws, assertion)?
                } else {
                    check_assertion(request, app, &jws)?
                }
            }
        };
        Ok(Self { app: Arc::clone(app), proof })
    }

    /// Checks that the client has authenticated.
    pub(super) fn check_confidential(&self) -> Result<(), Refusal> {
        match self.proof {
            Proof::None => Err(Refusal::client_not_authenticated()),
            Proof::Secret | Proof::Certificate => Ok(()),
        }
    }
}

/// The client id in a parameter, in HTTP Basic credentials or in an assertion. It is not verified.
pub(super) fn client_id(request: &Request, parameters: &Parameters) -> Option<String> {
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

/// The client id and secret of HTTP Basic authentication, each form-encoded (RFC 6749, section
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

/// Checks a client assertion (RFC 7523, section 3;
/// <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>).
fn check_assertion(
    request: &TenantRequest<'_>,
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
    let names = [jws.claim("iss"), jws.claim("sub")];
    if names != [Some(app.client_id.as_str()); 2] {
        return Err(Refusal::assertion_of_another_app());
    }
    if !jws.claim("aud").is_some_and(|audience| is_token_endpoint(request, audience)) {
        return Err(Refusal::assertion_for_another_endpoint());
    }
    let now = request.now();
    let valid = jws.time("exp").is_some_and(|exp| now < exp.saturating_add(SKEW))
        && jws.time("nbf").is_none_or(|nbf| nbf <= now.saturating_add(SKEW));
    if valid { Ok(Proof::Certificate) } else { Err(Refusal::assertion_not_in_time()) }
}

/// Whether this is the token endpoint or the issuer of a tenant, at either listener. OpenID Connect
/// clients send one or the other.
fn is_token_endpoint(request: &TenantRequest<'_>, audience: &str) -> bool {
    let path = request.context.urls.path_of(audience);
    let tenant = path.and_then(|path| {
        path.strip_suffix("/oauth2/v2.0/token").or_else(|| path.strip_suffix("/v2.0"))
    });
    tenant.is_some_and(|tenant| Authority::parse(request.directory(), tenant).is_some())
}
