//! The format of the vector files, which `vectors/README.md` describes.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// A file with cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    #[serde(rename = "about")]
    pub(crate) _about: String,
    /// The time in all cases of the file, in seconds since 1970.
    pub(crate) now: u64,
    pub(crate) cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default = "the_public_cloud")]
    pub(crate) world: String,
    #[serde(default)]
    pub(crate) settings: Map<String, Value>,
    pub(crate) discovery: Option<Value>,
    pub(crate) jwks: Option<Value>,
    /// The address of the key set, if it is not the document's `jwks_uri`.
    pub(crate) keys_url: Option<String>,
    #[serde(default)]
    pub(crate) token: Token,
    pub(crate) request: Option<Vec<(String, String)>>,
    pub(crate) policy: Option<String>,
    #[serde(default)]
    pub(crate) revoked: Vec<Revoked>,
    pub(crate) expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoked {
    pub(crate) tenant: String,
    pub(crate) oid: String,
    pub(crate) not_before: u64,
}

pub(crate) fn the_public_cloud() -> String {
    "public".into()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    pub(crate) header: Option<Text>,
    pub(crate) payload: Option<Text>,
    #[serde(default)]
    pub(crate) signature: Signature,
    #[serde(default)]
    pub(crate) encoding: Encodings,
    pub(crate) form: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    Literal(String),
    Edited(Edited),
    Bytes(Bytes),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edited {
    pub(crate) base: String,
    #[serde(default)]
    pub(crate) replace: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bytes {
    pub(crate) bytes: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signature {
    pub(crate) alg: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) bytes: Option<String>,
    pub(crate) over: Option<String>,
    #[serde(default)]
    pub(crate) change: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    Drop(usize),
    Flip(usize),
    Prepend(String),
    Append(String),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encodings {
    #[serde(default)]
    pub(crate) header: Encoding,
    #[serde(default)]
    pub(crate) payload: Encoding,
    #[serde(default)]
    pub(crate) signature: Encoding,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    #[default]
    Base64Url,
    Padded,
    Standard,
    Tail,
    None,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expect {
    Accepted(Accepted),
    Refused(Refused),
    /// The names of the invalid settings. If there are none, the validator starts.
    Faults(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    pub(crate) kind: String,
    pub(crate) tenant: String,
    pub(crate) oid: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) agent: Option<bool>,
    pub(crate) agent_user: Option<bool>,
    pub(crate) blueprint: Option<String>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    pub(crate) rule: String,
    pub(crate) code: String,
    pub(crate) status: u16,
    /// Parameters of the challenge, with `null` for a parameter that must be absent.
    #[serde(default)]
    pub(crate) challenge: BTreeMap<String, Option<String>>,
}

/// The headers, payloads and worlds that cases refer to by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Common {
    #[serde(rename = "about")]
    pub(crate) _about: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) payloads: HashMap<String, String>,
    pub(crate) worlds: HashMap<String, World>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct World {
    pub(crate) settings: Map<String, Value>,
    pub(crate) discovery: Value,
    pub(crate) jwks: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configured {
    pub(crate) instance: String,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    #[serde(default)]
    pub(crate) app_id_uris: Vec<String>,
    #[serde(default)]
    pub(crate) audiences: Vec<String>,
    #[serde(default)]
    pub(crate) allowed_tenants: Vec<String>,
    #[serde(default)]
    pub(crate) claims_mapping: bool,
    pub(crate) leeway: u64,
}

pub(super) fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file);
    let text = fs::read(path).unwrap();
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files that contain no cases.
const OTHER_FILES: [&str; 3] = ["common.json", "keys.json", "verdicts.json"];

pub(crate) fn groups() -> BTreeMap<String, Group> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| file.ends_with(".json") && !OTHER_FILES.contains(&file.as_str()))
        .map(|file| (file.clone(), read(&file)))
        .collect()
}

impl Expect {
    pub(crate) fn is_accepted(&self) -> bool {
        match self {
            Self::Accepted(_) => true,
            Self::Refused(_) => false,
            Self::Faults(faults) => faults.is_empty(),
        }
    }
}

impl Encoding {
    /// Encodes a part of the token. Fails if the result is the same as in base64url, because the
    /// case would then test nothing.
    pub(super) fn apply(self, bytes: &[u8]) -> Result<String, String> {
        let usual = URL_SAFE_NO_PAD.encode(bytes);
        let text = match self {
            Self::Base64Url => return Ok(usual),
            Self::Padded => URL_SAFE.encode(bytes),
            Self::Standard => STANDARD_NO_PAD.encode(bytes),
            Self::Tail if !bytes.len().is_multiple_of(3) => {
                // The unused bits of the last letter are zero, so the next letter of the alphabet
                // differs only in these bits.
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

pub(super) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
