//! Runs a case: makes its token, passes it to the validator and compares the outcome.

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue};
use poem_entra::{
    ObjectId, Principal, Rejection, Report, Rule, Settings, TenantId, Validator,
    transport::{Fetch, FetchError, Transport},
};
use serde_json::{Value, json};

use crate::support::TestClock;

use super::{
    case::{Bytes, Case, Common, Configured, Expect, Text, Token, World, decode, read},
    equal,
    key_ring::KeyRing,
    policies::authorize,
};

const RESOURCE: &str = "https://todo.example";
pub(super) const RESOURCE_METADATA: &str =
    "https://todo.example/.well-known/oauth-protected-resource";

pub(crate) struct Runner {
    common: Common,
    keys: KeyRing,
    /// The target of `jku`, `x5u` and similar URLs. Nothing may connect to it.
    listener: TcpListener,
}

impl Runner {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { common: read("common.json"), keys: KeyRing::read(), listener }
    }

    pub(crate) async fn run(&self, case: &Case, now: u64) -> Result<(), String> {
        let world = self.common.worlds.get(&case.world).ok_or("there is no such world")?;
        let settings = settings(world, case)?;
        if let Expect::Faults(expected) = &case.expect {
            let faults = settings.check().err().map(|invalid| invalid.0).unwrap_or_default();
            let fields: Vec<_> = faults.iter().map(|fault| fault.setting.to_string()).collect();
            return equal("faults", &fields, expected);
        }
        let documents = Arc::new(self.documents(world, case, &settings));
        let validator = |entries| {
            let settings = Settings { token_cache_entries: entries, ..settings.clone() };
            let transport = Arc::clone(&documents) as Arc<dyn Transport>;
            Validator::builder(settings)
                .clock(Arc::new(TestClock::at(now)))
                .transport(transport)
                .build()
                .map_err(|error| error.to_string())
        };
        let (cached, uncached) = (validator(settings.token_cache_entries)?, validator(0)?);
        for validator in [&cached, &uncached] {
            revoke(validator, case)?;
        }
        let headers = self.request(case)?;
        let policy = case.policy.as_deref();
        let first = authorize(policy, &cached, &headers).await;
        equal("with the cache", &authorize(policy, &cached, &headers).await, &first)?;
        equal("without the cache", &authorize(policy, &uncached, &headers).await, &first)?;
        check_report(&uncached.report(&headers).await, &first, policy.is_some())?;
        documents.check_requests()?;
        match self.listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => return Err(format!("something connected to the listener: {other:?}")),
        }
        match (&case.expect, &first) {
            (Expect::Accepted(expected), Ok(principal)) => expected.check(principal),
            (Expect::Refused(expected), Err(rejection)) => expected.check(rejection, &cached),
            (Expect::Accepted(_), Err(rejection)) => {
                Err(format!("the token is refused: {rejection}"))
            }
            (_, Ok(principal)) => Err(format!("the token is accepted: {principal:?}")),
            (Expect::Faults(_), _) => Ok(()),
        }
    }

    fn documents(&self, world: &World, case: &Case, settings: &Settings) -> Documents {
        let Settings { instance, tenant, client_id, claims_mapping, .. } = settings;
        let query = claims_mapping.then(|| format!("?appid={client_id}")).unwrap_or_default();
        let discovery_url =
            format!("{instance}/{tenant}/v2.0/.well-known/openid-configuration{query}");
        let discovery = case.discovery.as_ref().unwrap_or(&world.discovery);
        let mut jwks = case.jwks.clone().unwrap_or_else(|| world.jwks.clone());
        for entry in jwks.as_array_mut().into_iter().flatten() {
            self.keys.publish(entry);
        }
        if jwks.is_array() {
            jwks = json!({ "keys": jwks });
        }
        let jwks_uri = discovery["jwks_uri"].as_str().unwrap_or_default();
        let keys_url = case.keys_url.as_deref().unwrap_or(jwks_uri).to_owned();
        let bodies = [(discovery_url, body(discovery)), (keys_url, body(&jwks))];
        Documents { bodies: HashMap::from(bodies), requested: Mutex::default() }
    }

    fn request(&self, case: &Case) -> Result<HeaderMap, String> {
        let token = self.compose(&case.token)?;
        let bearer = [("authorization".to_owned(), "Bearer {token}".to_owned())];
        let mut headers = HeaderMap::new();
        for (name, value) in case.request.as_deref().unwrap_or(&bearer) {
            let value = value.replace("{token}", &token);
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?,
                HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?,
            );
        }
        Ok(headers)
    }

    fn compose(&self, token: &Token) -> Result<String, String> {
        let Common { headers, payloads, .. } = &self.common;
        let header = self.text(token.header.as_ref(), headers, "rs256")?;
        let payload = self.text(token.payload.as_ref(), payloads, "user")?;
        let header = token.encoding.header.apply(&header)?;
        let payload = token.encoding.payload.apply(&payload)?;
        let fill = |form: &str| form.replace("{header}", &header).replace("{payload}", &payload);
        let signed = fill(token.signature.over.as_deref().unwrap_or("{header}.{payload}"));
        let signature = self.keys.sign(&token.signature, signed.as_bytes())?;
        let signature = token.encoding.signature.apply(&signature)?;
        let form = token.form.as_deref().unwrap_or("{header}.{payload}.{signature}");
        Ok(fill(form).replace("{signature}", &signature))
    }

    /// The bytes of a header or a payload.
    fn text(
        &self,
        text: Option<&Text>,
        bases: &HashMap<String, String>,
        usual: &str,
    ) -> Result<Vec<u8>, String> {
        let base = |name: &str| bases.get(name).ok_or(format!("there is no base {name}")).cloned();
        let text = match text {
            None => base(usual)?,
            Some(Text::Literal(text)) => text.clone(),
            Some(Text::Bytes(Bytes { bytes })) => return Ok(decode(bytes)),
            Some(Text::Edited(edited)) => {
                let mut text = base(&edited.base)?;
                for (old, new) in &edited.replace {
                    let times = text.matches(old).count();
                    equal(&format!("number of times that {old} occurs in the base"), &times, &1)?;
                    text = text.replacen(old, new, 1);
                }
                text
            }
        };
        let address = self.listener.local_addr().unwrap();
        Ok(filled(&text.replace("{listener}", &address.to_string())).into_bytes())
    }
}

/// Replaces `{fill:N}` with N times the letter x.
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once("{fill:") else { return text.to_owned() };
    let (length, after) = rest.split_once('}').unwrap();
    format!("{before}{}{after}", "x".repeat(length.parse().unwrap()))
}

/// A report must have the same outcome as the request, except that policies come later.
fn check_report(
    report: &Report,
    outcome: &Result<Principal, Rejection>,
    has_policy: bool,
) -> Result<(), String> {
    let of_policies = [Rule::Policy, Rule::CompleteGroups, Rule::AuthenticationContext];
    match (report.rejection(), outcome) {
        (Some(reported), outcome) => {
            let answered = outcome.as_ref().err().map(|rejection| rejection.to_string());
            equal("rejection in the report", &Some(reported.to_string()), &answered)
        }
        (None, Ok(principal)) => {
            equal("caller in the report", &report.principal(), &Some(principal))
        }
        (None, Err(rejection)) if has_policy && of_policies.contains(&rejection.rule()) => Ok(()),
        (None, Err(rejection)) => Err(format!("the report accepts the token: {rejection}")),
    }
}

fn settings(world: &World, case: &Case) -> Result<Settings, String> {
    let mut members = world.settings.clone();
    members.extend(case.settings.clone());
    let configured: Configured =
        serde_json::from_value(members.into()).map_err(|error| error.to_string())?;
    Ok(Settings {
        instance: configured.instance,
        app_id_uris: configured.app_id_uris,
        resource: Some(RESOURCE.into()),
        audiences: configured.audiences,
        allowed_tenants: configured.allowed_tenants,
        claims_mapping: configured.claims_mapping,
        leeway: Duration::from_secs(configured.leeway),
        ..Settings::new(configured.tenant, configured.client_id)
    })
}

fn revoke(validator: &Validator, case: &Case) -> Result<(), String> {
    for revoked in &case.revoked {
        let tenant = TenantId::parse(&revoked.tenant).ok_or("the tenant is not a GUID")?;
        let object_id = ObjectId::parse(&revoked.oid).ok_or("the oid is not a GUID")?;
        let outcome = validator.revoke(tenant, object_id, revoked.not_before);
        outcome.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The body of a response; `None` if the document is `false`, which means no response.
fn body(document: &Value) -> Option<String> {
    match document {
        Value::Bool(false) => None,
        Value::String(text) => Some(text.clone()),
        document => Some(document.to_string()),
    }
}

struct Documents {
    bodies: HashMap<String, Option<String>>,
    requested: Mutex<Vec<String>>,
}

impl Documents {
    fn check_requests(&self) -> Result<(), String> {
        let requested = self.requested.lock().unwrap();
        match requested.iter().find(|url| !self.bodies.contains_key(*url)) {
            Some(url) => Err(format!("{url} was requested")),
            None => Ok(()),
        }
    }
}

impl Transport for Documents {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        self.requested.lock().unwrap().push(url.to_owned());
        let body = self.bodies.get(url).cloned().flatten();
        Box::pin(async { body.map(String::into_bytes).ok_or(FetchError::Status(503)) })
    }
}
