//! Client assertions of other issuers: workload identity federation
//! (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation>).

use crate::{
    directory::{App, FederatedCredential},
    federation::{FetchError, IssuerKeys},
    jws::UnverifiedJws,
    refusal::Refusal,
    tokens::{AccessTokenError, Proof, service_principal},
};

use super::{client::client_id, request::TenantRequest};

/// The clock skew that is accepted, in seconds.
const SKEW: u64 = 300;

/// The keys of the issuer of a client assertion; `None` if no keys are needed.
pub(super) type FetchedKeys = Option<Result<IssuerKeys, FetchError>>;

/// Whether an assertion is of another issuer than the client itself, which names itself by its id.
pub(super) fn is_federated(jws: &UnverifiedJws<'_>) -> bool {
    jws.claim("iss").is_some_and(|issuer| issuer.contains("://"))
}

/// Fetches the keys of the issuer of the client assertion, if the client trusts the issuer. This
/// happens before the request is handled, because handlers do not wait.
pub(super) async fn fetch_keys(request: &TenantRequest<'_>) -> FetchedKeys {
    if !request.is_form() {
        return None;
    }
    let assertion = request.parameters.optional("client_assertion").ok().flatten()?;
    let jws = UnverifiedJws::parse(assertion).filter(is_federated)?;
    if is_own(request, &jws) {
        return None;
    }
    let app = request.directory().app(&client_id(request.http, &request.parameters)?)?;
    let issuer = &credential_for(app, &jws).ok()?.issuer;
    let is_named = |issuer: &str| {
        let mut credentials =
            request.directory().apps().iter().flat_map(|app| &app.federated_credentials);
        credentials.any(|credential| credential.issuer == issuer)
    };
    Some(request.context.issuer_keys.keys(issuer, is_named, &jws, request.now()).await)
}

/// Checks an assertion of another issuer.
pub(super) fn check_assertion(
    request: &TenantRequest<'_>,
    app: &App,
    jws: &UnverifiedJws<'_>,
    assertion: &str,
) -> Result<Proof, Refusal> {
    if is_own(request, jws) {
        return check_managed_identity(request, app, assertion);
    }
    let FederatedCredential { issuer, .. } = credential_for(app, jws)?;
    check_header(jws)?;
    let keys = match &request.issuer_keys {
        Some(Ok(keys)) => keys,
        Some(Err(error)) => return Err(Refusal::issuer_unavailable(error)),
        // They were fetched if the app trusts the issuer.
        None => return Err(Refusal::federated_issuer(issuer)),
    };
    if !keys.has_key_of(jws) {
        let key = jws.header("kid").or(jws.header("x5t")).unwrap_or_default();
        return Err(Refusal::federated_key(key, issuer));
    }
    if !keys.verify(jws) {
        return Err(Refusal::assertion_invalid("the signature is wrong"));
    }
    let now = request.now();
    let valid = jws.time("exp").is_some_and(|exp| now < exp.saturating_add(SKEW))
        && jws.time("nbf").is_none_or(|nbf| nbf <= now.saturating_add(SKEW));
    if valid { Ok(Proof::Certificate) } else { Err(Refusal::assertion_not_in_time()) }
}

/// Whether this tenant has issued the assertion, or claims to.
fn is_own(request: &TenantRequest<'_>, jws: &UnverifiedJws<'_>) -> bool {
    jws.claim("iss").is_some_and(|issuer| request.context.urls.path_of(issuer).is_some())
}

/// The credential of the app that matches the token.
fn credential_for<'a>(
    app: &'a App,
    jws: &UnverifiedJws<'_>,
) -> Result<&'a FederatedCredential, Refusal> {
    let (issuer, subject) = (jws.claim("iss").unwrap_or_default(), jws.claim("sub"));
    let subject = subject.unwrap_or_default();
    let mut of_issuer =
        app.federated_credentials.iter().filter(|known| known.issuer == issuer).peekable();
    if of_issuer.peek().is_none() {
        return Err(Refusal::federated_issuer(issuer));
    }
    let credential = of_issuer
        .find(|known| known.subject == subject)
        .ok_or_else(|| Refusal::federated_subject(subject))?;
    let audiences = jws.texts("aud");
    if audiences.contains(&credential.audience.as_str()) {
        Ok(credential)
    } else {
        Err(Refusal::federated_audience(&audiences.join(", ")))
    }
}

/// Checks that the token is a JWT with RS256, which Entra supports only.
fn check_header(jws: &UnverifiedJws<'_>) -> Result<(), Refusal> {
    match jws.header.get("typ") {
        None => {}
        Some(kind) if kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("JWT")) => {}
        Some(_) => return Err(Refusal::federated_type()),
    }
    match jws.header("alg") {
        Some("RS256") => Ok(()),
        other => Err(Refusal::federated_algorithm(other.unwrap_or_default())),
    }
}

/// Checks the token of a managed identity that the app trusts, by reference or by issuer and
/// subject
/// (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>).
fn check_managed_identity(
    request: &TenantRequest<'_>,
    app: &App,
    assertion: &str,
) -> Result<Proof, Refusal> {
    let directory = request.directory();
    let issuer = &request.context.issuer;
    let token = issuer.verify_access_token(directory.token_exchange(), assertion);
    let token = token.map_err(|error| match error {
        AccessTokenError::Malformed => Refusal::jwt_malformed(),
        AccessTokenError::Signature => Refusal::assertion_invalid("the signature is wrong"),
        AccessTokenError::Expired | AccessTokenError::NotYetValid => {
            Refusal::assertion_not_in_time()
        }
        AccessTokenError::Audience(audience) => Refusal::federated_audience(&audience),
        AccessTokenError::Issuer(issuer) => Refusal::federated_issuer(&issuer),
        AccessTokenError::Bound => Refusal::assertion_invalid("it is bound to a key"),
    })?;
    let claim = |name| token.claim(name).unwrap_or_default();
    let client = token.claim("azp").or(token.claim("appid"));
    let identity = client.and_then(|client_id| directory.app(client_id));
    let identity = identity.filter(|app| app.managed_identity.is_some());
    let identity = identity.ok_or_else(Refusal::federated_own_token)?;
    let principal = service_principal(&identity.tenant, identity);
    let is_of_tenant = identity.tenant == app.tenant && claim("tid") == app.tenant;
    if !is_of_tenant || claim("sub") != principal {
        return Err(Refusal::federated_issuer(claim("iss")));
    }
    let is_trusted = app.trusted_managed_identities.contains(&identity.client_id);
    if !is_trusted {
        let of_issuer = |known: &&FederatedCredential| known.issuer == claim("iss");
        let mut credentials = app.federated_credentials.iter().filter(of_issuer).peekable();
        if credentials.peek().is_none() && app.trusted_managed_identities.is_empty() {
            return Err(Refusal::federated_issuer(claim("iss")));
        }
        if !credentials.any(|known| known.subject == principal) {
            return Err(Refusal::federated_subject(&principal));
        }
    }
    Ok(Proof::Certificate)
}
