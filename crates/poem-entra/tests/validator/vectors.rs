//! The conformance vectors in `vectors/`, which any language can run: its README says what they
//! mean. A case is run at first sight, again, and with the cache off.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    io::ErrorKind,
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use poem_entra::{
    Clock, Policy, Principal, Rejection, Requirement, Rule, Settings, Validator, token,
    transport::{Fetch, FetchError, Transport},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

const RESOURCE_METADATA: &str = "https://todo.example/.well-known/oauth-protected-resource";

#[tokio::test]
async fn every_conformance_vector_holds_at_first_sight_again_and_without_the_cache() {
    let runner = Runner::new();
    let mut failures = Vec::new();
    for (file, group) in groups() {
        for case in &group.cases {
            if let Err(problem) = runner.run(case, group.now).await {
                failures.push(format!("{file}: {}: {problem}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_conformance_vectors_are_many_and_named_and_break_every_rule() {
    let groups = groups();
    let cases: Vec<_> = groups.values().flat_map(|group| &group.cases).collect();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut names = HashSet::new();
    for case in &cases {
        assert!(names.insert(&case.name), "two cases are named {:?}", case.name);
    }
    let broken: HashSet<_> = cases
        .iter()
        .filter_map(|case| match &case.expect {
            Expect::Refused(refused) => Some(refused.rule.as_str()),
            _ => None,
        })
        .collect();
    for rule in [
        Rule::P1,
        Rule::P2,
        Rule::P3,
        Rule::P4,
        Rule::V1,
        Rule::V2,
        Rule::V3,
        Rule::V4,
        Rule::V5,
        Rule::V6,
        Rule::V7,
        Rule::V8,
        Rule::V9,
        Rule::V10,
        Rule::A2,
        Rule::A4,
        Rule::K1,
    ] {
        assert!(broken.contains(rule.to_string().as_str()), "no case breaks {rule}");
    }
}

#[test]
fn an_unknown_member_of_a_conformance_vector_is_an_error() {
    let case = json!({
        "name": "n", "world": "w", "settings": {}, "discovery": {}, "jwks": [], "policy": "p",
        "token": {
            "header": { "base": "b", "replace": [["old", "new"]] }, "payload": { "bytes": "AA" },
            "encoding": { "header": "padded" }, "form": "f",
            "signature": { "alg": "RS256", "key": "k", "change": [{ "drop": 1 }] },
        },
        "expect": { "refused": { "rule": "P1", "code": "c", "status": 401 } },
    });
    assert!(Case::deserialize(&case).is_ok());
    for place in [
        "",
        "/token",
        "/token/header",
        "/token/payload",
        "/token/encoding",
        "/token/signature",
        "/token/signature/change/0",
        "/expect",
        "/expect/refused",
    ] {
        let mut case = case.clone();
        case.pointer_mut(place).unwrap()["unknown"] = true.into();
        assert!(Case::deserialize(&case).is_err(), "{place}");
    }
}

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(rename = "about")]
    _about: String,
    /// The time of all its cases, in seconds since 1970.
    now: u64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "the_public_cloud")]
    world: String,
    #[serde(default)]
    settings: Map<String, Value>,
    discovery: Option<Value>,
    jwks: Option<Value>,
    #[serde(default)]
    token: Token,
    request: Option<Vec<(String, String)>>,
    policy: Option<String>,
    expect: Expect,
}

fn the_public_cloud() -> String {
    "public".into()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Token {
    header: Option<Text>,
    payload: Option<Text>,
    #[serde(default)]
    signature: Signature,
    #[serde(default)]
    encoding: Encodings,
    form: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Literal(String),
    Edited(Edited),
    Bytes(Bytes),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edited {
    base: String,
    #[serde(default)]
    replace: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bytes {
    bytes: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Signature {
    alg: Option<String>,
    key: Option<String>,
    secret: Option<String>,
    bytes: Option<String>,
    over: Option<String>,
    #[serde(default)]
    change: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Drop(usize),
    Flip(usize),
    Prepend(String),
    Append(String),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Encodings {
    #[serde(default)]
    header: Encoding,
    #[serde(default)]
    payload: Encoding,
    #[serde(default)]
    signature: Encoding,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Base64Url,
    Padded,
    Standard,
    Tail,
    None,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Accepted(Accepted),
    Refused(Refused),
    /// Wrong settings, by their names; none: the validator starts.
    Faults(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    kind: String,
    tenant: String,
    oid: Option<String>,
    client: Option<String>,
    scopes: Option<Vec<String>>,
    roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    rule: String,
    code: String,
    status: u16,
    /// Parameters of the challenge; `null` is one that must be absent.
    #[serde(default)]
    challenge: BTreeMap<String, Option<String>>,
}

/// What cases refer to by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    #[serde(rename = "about")]
    _about: String,
    headers: HashMap<String, String>,
    payloads: HashMap<String, String>,
    worlds: HashMap<String, World>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    settings: Map<String, Value>,
    discovery: Value,
    jwks: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configured {
    instance: String,
    tenant: String,
    client_id: String,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    allowed_tenants: Vec<String>,
    leeway: u64,
}

fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file);
    let text = fs::read(path).unwrap();
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn groups() -> BTreeMap<String, Group> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| file.ends_with(".json") && file != "common.json" && file != "keys.json")
        .map(|file| (file.clone(), read(&file)))
        .collect()
}

struct Runner {
    common: Common,
    keys: KeyRing,
    /// Where `jku` and its like point; nobody may ever connect.
    listener: TcpListener,
}

impl Runner {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { common: read("common.json"), keys: KeyRing::read(), listener }
    }

    async fn run(&self, case: &Case, now: u64) -> Result<(), String> {
        let world = self.common.worlds.get(&case.world).ok_or("there is no such world")?;
        let settings = settings(world, case)?;
        if let Expect::Faults(expected) = &case.expect {
            let faults = settings.check().err().map(|invalid| invalid.0).unwrap_or_default();
            let fields: Vec<_> = faults.iter().map(|fault| fault.field).collect();
            return equal("faults", &fields, expected);
        }
        let documents = Arc::new(self.documents(world, case, &settings));
        let validator = |entries| {
            let settings = Settings { token_cache_entries: entries, ..settings.clone() };
            let transport = Arc::clone(&documents) as Arc<dyn Transport>;
            Validator::with_transport(&settings, Arc::new(Still(now)), transport)
                .map(|validator| validator.with_resource_metadata(RESOURCE_METADATA))
                .map_err(|faults| faults.to_string())
        };
        let (cached, uncached) = (validator(settings.token_cache_entries)?, validator(0)?);
        let headers = self.request(case)?;
        let policy = case.policy.as_deref();
        let first = authorize(policy, &cached, &headers).await;
        equal("again", &authorize(policy, &cached, &headers).await, &first)?;
        equal("without the cache", &authorize(policy, &uncached, &headers).await, &first)?;
        documents.assert_asked_for_nothing_else()?;
        match self.listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => return Err(format!("the listener was connected to: {other:?}")),
        }
        match (&case.expect, &first) {
            (Expect::Accepted(expected), Ok(principal)) => expected.check(principal),
            (Expect::Refused(expected), Err(rejection)) => expected.check(rejection, &cached),
            (Expect::Accepted(_), Err(rejection)) => Err(format!("is refused: {rejection}")),
            (_, Ok(principal)) => Err(format!("is accepted: {principal:?}")),
            (Expect::Faults(_), _) => Ok(()),
        }
    }

    fn documents(&self, world: &World, case: &Case, settings: &Settings) -> Documents {
        let Settings { instance, tenant, .. } = settings;
        let discovery_url = format!("{instance}/{tenant}/v2.0/.well-known/openid-configuration");
        let discovery = case.discovery.as_ref().unwrap_or(&world.discovery);
        let mut jwks = case.jwks.clone().unwrap_or_else(|| world.jwks.clone());
        for entry in jwks.as_array_mut().into_iter().flatten() {
            self.keys.publish(entry);
        }
        if jwks.is_array() {
            jwks = json!({ "keys": jwks });
        }
        let jwks_uri = discovery["jwks_uri"].as_str().unwrap_or_default().to_owned();
        let answers = [(discovery_url, body(discovery)), (jwks_uri, body(&jwks))];
        Documents { answers: HashMap::from(answers), asked: Mutex::default() }
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
                    equal(&format!("how often {old} stands in the base"), &times, &1)?;
                    text = text.replacen(old, new, 1);
                }
                text
            }
        };
        let address = self.listener.local_addr().unwrap();
        Ok(filled(&text.replace("{listener}", &address.to_string())).into_bytes())
    }
}

/// The text with `{fill:N}` replaced by N times the letter x.
fn filled(text: &str) -> String {
    let Some((before, rest)) = text.split_once("{fill:") else { return text.to_owned() };
    let (length, after) = rest.split_once('}').unwrap();
    format!("{before}{}{after}", "x".repeat(length.parse().unwrap()))
}

fn settings(world: &World, case: &Case) -> Result<Settings, String> {
    let mut members = world.settings.clone();
    members.extend(case.settings.clone());
    let configured: Configured =
        serde_json::from_value(members.into()).map_err(|error| error.to_string())?;
    Ok(Settings {
        instance: configured.instance,
        audiences: configured.audiences,
        allowed_tenants: configured.allowed_tenants,
        leeway: configured.leeway,
        ..Settings::new(configured.tenant, configured.client_id)
    })
}

/// A document's text; `false` is no answer.
fn body(document: &Value) -> Option<String> {
    match document {
        Value::Bool(false) => None,
        Value::String(text) => Some(text.clone()),
        document => Some(document.to_string()),
    }
}

struct Documents {
    answers: HashMap<String, Option<String>>,
    asked: Mutex<Vec<String>>,
}

impl Documents {
    fn assert_asked_for_nothing_else(&self) -> Result<(), String> {
        let asked = self.asked.lock().unwrap();
        match asked.iter().find(|url| !self.answers.contains_key(*url)) {
            Some(url) => Err(format!("{url} was asked for")),
            None => Ok(()),
        }
    }
}

impl Transport for Documents {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        self.asked.lock().unwrap().push(url.to_owned());
        let body = self.answers.get(url).cloned().flatten();
        Box::pin(async { body.map(String::into_bytes).ok_or(FetchError::Status(503)) })
    }
}

/// A clock that stands still.
struct Still(u64);

impl Clock for Still {
    fn now(&self) -> u64 {
        self.0
    }
}

/// The test keys, as JWKs by name.
struct KeyRing {
    jwks: HashMap<String, HashMap<String, String>>,
    rsa: HashMap<String, KeyPair>,
}

impl KeyRing {
    fn read() -> Self {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            #[serde(rename = "about")]
            _about: String,
            keys: HashMap<String, HashMap<String, String>>,
        }
        let Keys { keys: jwks, .. } = read("keys.json");
        let private = jwks.iter().filter(|(_, jwk)| jwk["kty"] == "RSA" && jwk.contains_key("d"));
        let rsa = private.map(|(name, jwk)| (name.clone(), rsa_key(jwk))).collect();
        Self { jwks, rsa }
    }

    /// Puts a key's public members where an entry says `public`, unless it has its own.
    fn publish(&self, entry: &mut Value) {
        let Some(Value::String(name)) =
            entry.as_object_mut().and_then(|members| members.remove("public"))
        else {
            return;
        };
        for member in ["kty", "n", "e", "crv", "x", "y"] {
            if let (Some(value), None) = (self.jwks[&name].get(member), entry.get(member)) {
                entry[member] = value.as_str().into();
            }
        }
    }

    fn sign(&self, signature: &Signature, message: &[u8]) -> Result<Vec<u8>, String> {
        let key = signature.key.as_deref().unwrap_or("k1");
        let mut bytes = match (&signature.bytes, signature.alg.as_deref().unwrap_or("RS256")) {
            (Some(bytes), _) => decode(bytes),
            (None, "RS256") => self.sign_rsa(key, &RSA_PKCS1_SHA256, message),
            (None, "RS384") => self.sign_rsa(key, &RSA_PKCS1_SHA384, message),
            (None, "RS512") => self.sign_rsa(key, &RSA_PKCS1_SHA512, message),
            (None, "PS256") => self.sign_rsa(key, &RSA_PSS_SHA256, message),
            (None, "ES256") => self.sign_ecdsa(key, message),
            (None, "HS256") => {
                let secret = decode(signature.secret.as_deref().ok_or("there is no secret")?);
                let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                hmac::sign(&secret, message).as_ref().to_vec()
            }
            (None, other) => return Err(format!("nobody signs with {other}")),
        };
        for change in &signature.change {
            match change {
                Change::Drop(count) => bytes.truncate(bytes.len() - count),
                Change::Flip(bit) => bytes[bit / 8] ^= 0x80 >> (bit % 8),
                Change::Prepend(more) => bytes = [decode(more), bytes].concat(),
                Change::Append(more) => bytes.extend(decode(more)),
            }
        }
        Ok(bytes)
    }

    fn sign_rsa(&self, key: &str, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let key = &self.rsa[key];
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    fn sign_ecdsa(&self, key: &str, message: &[u8]) -> Vec<u8> {
        let jwk = &self.jwks[key];
        let point = [vec![4], decode(&jwk["x"]), decode(&jwk["y"])].concat();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &decode(&jwk["d"]), &point);
        key.unwrap().sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }
}

/// The private key of a JWK, through RFC 8017's RSAPrivateKey (appendix A.1.2).
fn rsa_key(jwk: &HashMap<String, String>) -> KeyPair {
    let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|name| decode(&jwk[name]));
    let fields = numbers.iter().flat_map(|number| {
        // A leading zero keeps the number positive.
        der(0x02, &[&[0], number.as_slice()].concat()[usize::from(number[0] < 0x80)..])
    });
    let fields: Vec<u8> = der(0x02, &[0]).into_iter().chain(fields).collect();
    KeyPair::from_der(&der(0x30, &fields)).unwrap()
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..0x80 => vec![tag, length[1]],
        0x80..0x100 => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [head.as_slice(), content].concat()
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

impl Encoding {
    /// The part's spelling in the token. A case whose bytes are spelled the same in the wrong
    /// encoding would test nothing.
    fn apply(self, bytes: &[u8]) -> Result<String, String> {
        let usual = URL_SAFE_NO_PAD.encode(bytes);
        let text = match self {
            Self::Base64Url => return Ok(usual),
            Self::Padded => URL_SAFE.encode(bytes),
            Self::Standard => STANDARD_NO_PAD.encode(bytes),
            Self::Tail if !bytes.len().is_multiple_of(3) => {
                // The last letter's unused bits are zero: the next letter differs in them only.
                const LETTERS: &[u8] =
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                let (rest, last) = usual.split_at(usual.len() - 1);
                let index = LETTERS.iter().position(|&letter| letter == last.as_bytes()[0]);
                format!("{rest}{}", char::from(LETTERS[index.unwrap() + 1]))
            }
            Self::Tail => usual.clone(),
            Self::None => String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())?,
        };
        match text == usual {
            true => Err("the encoding changes nothing".into()),
            false => Ok(text),
        }
    }
}

impl Accepted {
    fn check(&self, principal: &Principal) -> Result<(), String> {
        let kind = match principal {
            Principal::User(_) => "user",
            Principal::App(_) => "app",
        };
        equal("kind", &kind, &self.kind.as_str())?;
        equal("tenant", &principal.tenant().to_string(), &self.tenant)?;
        equal("oid", &principal.object_id().map(|oid| oid.to_string()), &self.oid)?;
        if let Some(client) = &self.client {
            equal("client", &principal.client().map(|id| id.to_string()).as_ref(), &Some(client))?;
        }
        if let Some(scopes) = &self.scopes {
            equal("scopes", &principal.scopes(), &scopes.as_slice())?;
        }
        match &self.roles {
            Some(roles) => equal("roles", &principal.roles(), &roles.as_slice()),
            None => Ok(()),
        }
    }
}

impl Refused {
    fn check(&self, rejection: &Rejection, validator: &Validator) -> Result<(), String> {
        let found = (rejection.rule().to_string(), rejection.code(), rejection.status().as_u16());
        let expected = (self.rule.clone(), self.code.as_str(), self.status);
        equal(&format!("refusal ({rejection})"), &found, &expected)?;
        let headers = rejection.headers(validator.challenge());
        if self.code == "keys_unavailable" {
            let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            equal("Retry-After is a number", &seconds.is_some_and(is_a_number), &true)?;
            return equal("challenged", &headers.contains_key(header::WWW_AUTHENTICATE), &false);
        }
        let header = headers.get(header::WWW_AUTHENTICATE).ok_or("there is no challenge")?;
        let parameters = parameters(header.to_str().unwrap())?;
        let parameter = |name: &str| parameters.get(name).map(String::as_str);
        equal("resource_metadata", &parameter("resource_metadata"), &Some(RESOURCE_METADATA))?;
        let error = match self.code.as_str() {
            "missing_token" => None,
            "insufficient_role" | "access_denied" => Some("insufficient_scope"),
            code => Some(code),
        };
        equal("error", &parameter("error"), &error)?;
        equal("described", &parameter("error_description").is_some(), &error.is_some())?;
        for (name, value) in &self.challenge {
            equal(name, &parameter(name), &value.as_deref())?;
        }
        Ok(())
    }
}

fn is_a_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `Bearer name="value", name="value"`.
fn parameters(challenge: &str) -> Result<HashMap<String, String>, String> {
    let malformed = || format!("{challenge} is malformed");
    let list = challenge.strip_prefix("Bearer ").and_then(|list| list.strip_suffix('"'));
    let mut parameters = HashMap::new();
    for parameter in list.ok_or_else(malformed)?.split("\", ") {
        let (name, value) = parameter.split_once("=\"").ok_or_else(malformed)?;
        if value.contains('"') || parameters.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(malformed());
        }
    }
    Ok(parameters)
}

fn equal<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &U,
) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: found {found:?}, expected {expected:?}")),
    }
}

/// The policies that cases name; `vectors/README.md` describes them.
macro_rules! policies {
    ($($name:literal $policy:ident $requires:expr;)*) => {
        $(
            struct $policy;

            impl Policy for $policy {
                type Caller = Principal;
                const REQUIRES: Requirement = $requires;
            }
        )*

        async fn authorize(
            policy: Option<&str>,
            validator: &Validator,
            headers: &HeaderMap,
        ) -> Result<Principal, Rejection> {
            match policy {
                None => validator.validate(token::bearer(headers)?).await,
                $(Some($name) => validator.authorize::<$policy>(headers).await,)*
                Some(other) => panic!("there is no policy {other}"),
            }
        }
    };
}

const SCOPE: Requirement = Requirement::scope(&["access_as_user"]);

policies! {
    "scope" Scope SCOPE;
    "one-of-two-scopes" OneOfTwoScopes Requirement::scope(&["todos.read", "access_as_user"]);
    "scope-and-role" ScopeAndRole SCOPE.and_role(&["Admin"]);
    "app-only" AppOnly Requirement::app_role(&["Todos.Read.All"]);
    "scope-or-app-role" ScopeOrAppRole
        Requirement::scope_or_app_role(&["access_as_user"], &["Todos.Read.All"]);
    "client-list" ClientList SCOPE.and_client(&["d4d4d4d4-4444-4444-8444-444444444444"]);
    "no-guests" NoGuests SCOPE.and_no_guests();
    "group" InGroup SCOPE.and_group(&["f6f6f6f6-6666-4666-8666-666666666666"]);
    "step-up" StepUp SCOPE.and_authentication_context("c1");
    "two-roles" TwoRoles SCOPE.and_role(&["Admin"]).and_role(&["Auditor"]);
    "two-groups" TwoGroups SCOPE
        .and_group(&["f6f6f6f6-6666-4666-8666-666666666666"])
        .and_group(&["07070707-7777-4777-8777-777777777777"]);
    "two-client-lists" TwoClientLists SCOPE
        .and_client(&[
            "b2b2b2b2-2222-4222-8222-222222222222",
            "d4d4d4d4-4444-4444-8444-444444444444",
        ])
        .and_client(&[
            "c3c3c3c3-3333-4333-8333-333333333333",
            "d4d4d4d4-4444-4444-8444-444444444444",
        ]);
    "two-contexts" TwoContexts
        SCOPE.and_authentication_context("c1").and_authentication_context("c2");
}
