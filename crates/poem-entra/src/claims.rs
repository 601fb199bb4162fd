//! The claims of a token whose signature is valid, each with the right type.

use crate::{
    actor::Actor,
    ids::{ClientId, ObjectId, TenantId},
    json::{Json, Members},
    rejection::Rejection,
    rule::Rule,
};

/// The largest integer up to which all JSON parsers agree (RFC 8259, section 6).
const MAX_DATE: u64 = 1 << 53;

/// The claims that the rules use
/// (<https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>).
pub(crate) struct Claims<'a> {
    pub(crate) exp: u64,
    pub(crate) nbf: Option<u64>,
    pub(crate) iat: Option<u64>,
    pub(crate) iss: &'a str,
    pub(crate) aud: Vec<&'a str>,
    pub(crate) tenant: TenantId,
    /// The tenant as spelled in the token. The issuer must have the same spelling.
    pub(crate) tid: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) oid: Option<ObjectId>,
    pub(crate) version: Version,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) idtyp: Option<&'a str>,
    pub(crate) actor: Actor,
    pub(crate) groups: Groups,
    pub(crate) account: Option<AccountType>,
    pub(crate) acrs: Vec<String>,
    pub(crate) xms_cc: Vec<String>,
    /// Whether there is a `nonce`, as in the ID tokens of OpenID Connect.
    pub(crate) has_nonce: bool,
    /// Whether the token is bound to a key or a certificate (`cnf`, RFC 7800, section 3.1).
    pub(crate) is_bound: bool,
}

/// The format of the token, which the API's registration chooses
/// (`requestedAccessTokenVersion`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// The caller's groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// The groups in the token; empty if the API's registration does not request them.
    Listed(Vec<String>),
    /// The caller has more groups than fit into a token, so the token does not list them. A policy
    /// that requires a group refuses the caller, because the groups are unknown.
    Overage,
}

/// Whether a user is a member or a guest of the tenant (the optional claim `acct`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountType {
    /// An account of this tenant.
    Member,
    /// An account that was invited.
    Guest,
}

impl<'a> Claims<'a> {
    /// Reads the claims. Fails if a required claim is missing or a claim has the wrong type. A
    /// claim of the wrong type that only policies read counts as absent, so it fails only those
    /// policies.
    pub(crate) fn read(members: &'a Members<'_>) -> Result<Self, Rejection> {
        let reader = Reader(members);
        let version = match members.get("ver") {
            Some(Json::String(ver)) if ver == "1.0" => Version::V1,
            Some(Json::String(ver)) if ver == "2.0" => Version::V2,
            _ => {
                return Err(Rejection::invalid_token(
                    Rule::Version,
                    "The token's ver is neither 1.0 nor 2.0.",
                ));
            }
        };
        let tid = reader.required("tid", reader.text("tid")?)?;
        let client = match version {
            Version::V1 => "appid",
            Version::V2 => "azp",
        };
        let client = match reader.text(client)? {
            Some(id) => Some(reader.guid(client, id, ClientId::parse)?),
            None => None,
        };
        Ok(Self {
            exp: reader.required("exp", reader.date("exp")?)?,
            nbf: reader.date("nbf")?,
            iat: reader.date("iat")?,
            iss: reader.required("iss", reader.text("iss")?)?,
            aud: reader.required("aud", reader.audiences()?)?,
            tenant: reader.guid("tid", tid, TenantId::parse)?,
            tid,
            sub: reader.required("sub", reader.text("sub")?)?,
            oid: match reader.text("oid")? {
                Some(oid) => Some(reader.guid("oid", oid, ObjectId::parse)?),
                None => None,
            },
            version,
            scopes: reader.scopes()?,
            roles: reader.owned_texts("roles")?,
            idtyp: reader.text("idtyp")?,
            actor: Actor::read(members, client),
            groups: reader.groups(),
            account: reader.account(),
            acrs: reader.texts_for_policies("acrs"),
            xms_cc: reader.texts_for_policies("xms_cc"),
            has_nonce: members.get("nonce").is_some(),
            is_bound: members.get("cnf").is_some_and(|cnf| *cnf != Json::Null),
        })
    }
}

struct Reader<'a>(&'a Members<'a>);

impl<'a> Reader<'a> {
    fn text(&self, name: &str) -> Result<Option<&'a str>, Rejection> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(refused(format!("The token's {name} is not a string."))),
        }
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>, Rejection> {
        let refuse = || refused(format!("The token's {name} is not an array of strings."));
        let text = |item: &'a Json<'_>| match item {
            Json::String(text) => Ok(text.as_ref()),
            _ => Err(refuse()),
        };
        match self.0.get(name) {
            None => Ok(None),
            Some(Json::Array(items)) => items.iter().map(text).collect::<Result<_, _>>().map(Some),
            Some(_) => Err(refuse()),
        }
    }

    /// The same as owned strings, which outlive the token; none if the claim is absent.
    fn owned_texts(&self, name: &str) -> Result<Vec<String>, Rejection> {
        let texts = self.texts(name)?.unwrap_or_default();
        Ok(texts.into_iter().map(str::to_owned).collect())
    }

    /// The same; none also if the claim has the wrong type.
    fn texts_for_policies(&self, name: &str) -> Vec<String> {
        self.owned_texts(name).unwrap_or_default()
    }

    /// The names in `scp`, without the `/` that Entra writes for "no scope".
    fn scopes(&self) -> Result<Vec<String>, Rejection> {
        let scp = self.text("scp")?.unwrap_or_default();
        let names = scp.split(' ').filter(|name| !matches!(*name, "" | "/"));
        Ok(names.map(str::to_owned).collect())
    }

    /// The audience: a string or an array of strings (RFC 7519, section 4.1.3).
    fn audiences(&self) -> Result<Option<Vec<&'a str>>, Rejection> {
        match self.0.get("aud") {
            Some(Json::String(one)) => Ok(Some(vec![one])),
            _ => self.texts("aud"),
        }
    }

    /// The groups. If a user has too many, the token has a URL instead of the list
    /// (<https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>).
    fn groups(&self) -> Groups {
        let elsewhere = match self.0.get("_claim_names") {
            Some(Json::Object(names)) => names.get("groups").is_some(),
            _ => false,
        };
        let overage =
            elsewhere || self.0.get("hasgroups").is_some_and(|has| *has != Json::Bool(false));
        match overage {
            true => Groups::Overage,
            false => Groups::Listed(self.texts_for_policies("groups")),
        }
    }

    /// Member or guest (`acct`): 0 or 1, as a number, or as a string in older tokens.
    fn account(&self) -> Option<AccountType> {
        let number = match self.0.get("acct")? {
            Json::String(text) if text == "0" => 0,
            Json::String(text) if text == "1" => 1,
            Json::Number(number) => number.as_u64()?,
            _ => return None,
        };
        match number {
            0 => Some(AccountType::Member),
            1 => Some(AccountType::Guest),
            _ => None,
        }
    }

    /// A date in seconds since 1970 (NumericDate in RFC 7519, section 2). Fractions of a second are
    /// dropped.
    fn date(&self, name: &str) -> Result<Option<u64>, Rejection> {
        let seconds = match self.0.get(name) {
            None => return Ok(None),
            Some(Json::Number(number)) => number.as_u64().or_else(|| {
                number.as_f64().filter(|v| (0.0..=MAX_DATE as f64).contains(v)).map(|v| v as u64)
            }),
            Some(_) => None,
        };
        match seconds {
            Some(seconds) if seconds <= MAX_DATE => Ok(Some(seconds)),
            _ => Err(refused(format!("The token's {name} is not a date in seconds."))),
        }
    }

    fn guid<T>(
        &self,
        name: &str,
        text: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Result<T, Rejection> {
        parse(text).ok_or_else(|| refused(format!("The token's {name} is not a GUID.")))
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Rejection> {
        value.ok_or_else(|| refused(format!("The token has no {name}.")))
    }
}

fn refused(detail: String) -> Rejection {
    Rejection::invalid_token(Rule::Claims, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::json;

    /// Returns `nbf` of the claims, after a change to them.
    fn read(change: impl FnOnce(&mut Map<String, Value>)) -> Result<Option<u64>, Rule> {
        let mut claims = json!({
            "exp": 2, "iss": "i", "aud": "a", "sub": "s", "ver": "2.0", "scp": "a b",
            "tid": "11111111-1111-4111-8111-111111111111",
            "oid": "aaaaaaaa-0000-4000-8000-000000000001",
        });
        change(claims.as_object_mut().unwrap());
        let text = claims.to_string();
        let claims = Claims::read(&json::object(text.as_bytes()).unwrap()).map(|claims| claims.nbf);
        claims.map_err(|rejection| rejection.rule())
    }

    #[test]
    fn a_token_without_a_required_claim_is_refused() {
        assert!(read(|_| {}).is_ok());
        for name in ["exp", "iss", "aud", "tid", "sub"] {
            let outcome = read(|claims| {
                claims.remove(name);
            });
            assert_eq!(outcome.err(), Some(Rule::Claims), "{name}");
        }
    }

    #[test]
    fn a_claim_of_the_wrong_json_type_is_refused() {
        for (name, bad) in [
            ("exp", json!("2")),
            ("exp", json!(-1)),
            ("exp", json!(1e300)),
            ("exp", json!((1u64 << 53) + 1)),
            ("exp", json!(null)),
            ("nbf", json!("1")),
            ("iat", json!([1])),
            ("iss", json!(["i"])),
            ("aud", json!(7)),
            ("aud", json!(["a", 7])),
            ("aud", json!(null)),
            ("tid", json!("contoso.example")),
            ("tid", json!(1)),
            ("oid", json!("ada")),
            ("oid", json!("{aaaaaaaa-0000-4000-8000-000000000001}")),
            ("sub", json!(7)),
            ("scp", json!(["a"])),
            ("scp", json!(null)),
            ("roles", json!("Admin")),
            ("roles", json!([["Admin"]])),
            ("roles", json!({ "0": "Admin" })),
            ("idtyp", json!(true)),
            ("azp", json!("swagger")),
        ] {
            let outcome = read(|claims| {
                claims.insert(name.into(), bad.clone());
            });
            assert_eq!(outcome.err(), Some(Rule::Claims), "{name} = {bad}");
        }
    }

    #[test]
    fn dates_may_have_a_fraction_and_be_as_large_as_2_to_the_53() {
        for (date, seconds) in [(json!(1.9), 1), (json!(0), 0), (json!(1u64 << 53), 1 << 53)] {
            let claims = read(|claims| {
                claims.insert("nbf".into(), date);
            });
            assert_eq!(claims, Ok(Some(seconds)));
        }
    }

    #[test]
    fn a_version_other_than_1_0_and_2_0_is_refused() {
        for bad in [json!("3.0"), json!("2"), json!("")] {
            let outcome = read(|claims| {
                claims.insert("ver".into(), bad.clone());
            });
            assert_eq!(outcome.err(), Some(Rule::Version), "{bad}");
        }
    }
}
