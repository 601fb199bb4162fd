//! Property tests with random tokens, claims and header fields.

use std::{cell::Cell, fmt::Debug};

use ::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use poem_entra::{
    Principal,
    token::{TOKEN_LIMIT, bearer},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestCaseResult, TestRunner},
};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::support::{
    API, INSTANCE, OTHER_TENANT, PERSONAL, TENANT, World, sign, token, v2_issuer,
};

/// The time in a [`World`] at its start.
const NOW: u64 = 1_800_000_000;
const PERSON: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const HEADER: &str = r#"{"alg":"RS256","kid":"a"}"#;

#[test]
fn a_token_with_any_byte_edited_is_refused() {
    let runtime = runtime();
    let worlds = [World::new(), World::with(|settings| settings.token_cache_entries = 0)];
    let good = token(&worlds[0].claims());
    let accepted = |bytes: &[u8]| worlds.each_ref().map(|w| runtime.block_on(accepts(w, bytes)));
    assert_eq!(accepted(good.as_bytes()), [true, true]);
    let changes = (edit(), any::<Index>(), any::<Index>(), any::<u8>());
    check(1_000, changes, |(edit, at, to, byte)| {
        let mut bytes = good.clone().into_bytes();
        let (at, to) = (at.index(bytes.len()), to.index(bytes.len()));
        match edit {
            Edit::Change => bytes[at] = byte,
            Edit::Insert => bytes.insert(at, byte),
            Edit::Remove => drop(bytes.remove(at)),
            Edit::Swap => bytes.swap(at, to),
        }
        prop_assume!(bytes != good.as_bytes());
        prop_assert_eq!(accepted(&bytes), [false, false], "{}", String::from_utf8_lossy(&bytes));
        Ok(())
    });
    assert_eq!(accepted(good.as_bytes()), [true, true]);
}

/// If the last character of a part has unused bits, several characters could encode the same bytes.
#[test]
fn a_token_with_another_last_character_in_a_part_is_refused() {
    let (runtime, world) = (runtime(), World::new());
    // The length of the payload modulo 3 determines the number of unused bits.
    for padding in ["", "x", "xx"] {
        let mut claims = world.claims();
        claims["uti"] = padding.into();
        let good = token(&claims);
        assert!(runtime.block_on(accepts(&world, good.as_bytes())));
        let dots = good.match_indices('.').map(|(dot, _)| dot);
        for end in dots.chain([good.len()]) {
            for byte in 0..=u8::MAX {
                let mut bytes = good.clone().into_bytes();
                bytes[end - 1] = byte;
                if bytes != good.as_bytes() {
                    assert!(!runtime.block_on(accepts(&world, &bytes)), "{byte} before {end}");
                }
            }
        }
    }
}

#[test]
fn claims_are_accepted_if_and_only_if_every_rule_holds() {
    let (runtime, world) = (runtime(), World::new());
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let changes = vec(change(), 0..4);
    check(1_000, (any::<bool>(), any::<bool>(), changes), |(v1, roles, changes)| {
        let mut claims = world.claims();
        if v1 {
            claims["ver"] = "1.0".into();
            claims["iss"] = format!("https://sts.windows.net/{TENANT}/").into();
        }
        if roles {
            claims["roles"] = json!(["Admin"]);
        }
        for (name, value) in changes {
            match value {
                Some(value) => claims[name] = value,
                None => drop(claims.as_object_mut().unwrap().remove(name)),
            }
        }
        let outcome = runtime.block_on(world.judge(|judged| judged.clone_from(&claims)));
        let expected = caller(claims.as_object().unwrap());
        let got = outcome.as_ref().ok().map(|principal| match principal {
            Principal::User(_) => Kind::User,
            Principal::App(_) => Kind::App,
        });
        let count = if got.is_some() { &accepted } else { &refused };
        count.set(count.get() + 1);
        prop_assert_eq!(got, expected, "{:?} for {}", outcome, claims);
        Ok(())
    });
    let counts = (accepted.get(), refused.get());
    assert!(counts.0 > 100 && counts.1 > 100, "too few tokens of one kind: {counts:?}");
}

#[test]
fn any_other_signed_payload_is_refused() {
    let (runtime, world) = (runtime(), World::new());
    let payload = prop_oneof![
        vec(change(), 0..20).prop_map(|members| {
            let members = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let members: Map<_, _> =
                members.map(|(name, value)| (name.to_owned(), value)).collect();
            Value::Object(members).to_string()
        }),
        any_json().prop_map(|value| value.to_string()),
        vec(any::<char>(), 0..50).prop_map(String::from_iter),
    ];
    check(400, payload, |payload| {
        let members = serde_json::from_str(&payload).unwrap_or_default();
        prop_assume!(caller(&members).is_none());
        let token = sign(HEADER, &payload, 0);
        prop_assert!(runtime.block_on(world.validator.validate(&token)).is_err(), "{}", payload);
        Ok(())
    });
}

#[test]
fn the_token_is_everything_after_the_only_bearer_scheme_and_its_spaces() {
    let scheme = select(vec![
        "Bearer ", "bearer ", "BEARER ", "Bearer", "Bearer  ", "XBearer ", "Bearer\t", "Basic ", "",
    ]);
    let rest = prop_oneof![
        vec(any::<u8>(), 0..40),
        vec(select(b"abc.-_ ,=".to_vec()), 0..40),
        (TOKEN_LIMIT - 2..TOKEN_LIMIT + 3).prop_map(|length| vec![b'a'; length]),
    ];
    let found = Cell::new(0);
    check(5_000, vec((scheme, rest), 0..3), |headers| {
        let mut map = HeaderMap::new();
        for (scheme, rest) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&[scheme.as_bytes(), &rest].concat()) {
                map.append(AUTHORIZATION, value);
            }
        }
        let Ok(token) = bearer(&map) else { return Ok(()) };
        found.set(found.get() + 1);
        let values: Vec<_> = map.get_all(AUTHORIZATION).iter().collect();
        prop_assert_eq!(values.len(), 1);
        let (scheme, rest) = values[0].as_bytes().split_at("Bearer ".len());
        prop_assert!(scheme.eq_ignore_ascii_case(b"Bearer "));
        let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
        prop_assert_eq!(&rest[spaces..], token.as_bytes());
        prop_assert!((1..=TOKEN_LIMIT).contains(&token.len()));
        Ok(())
    });
    assert!(found.get() > 100, "{} tokens found", found.get());
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    User,
    App,
}

/// A second implementation of the rules, for the public cloud, a single tenant, the default
/// settings and keys that are not bound to an issuer. Returns `None` if the token must be refused.
fn caller(claims: &Map<String, Value>) -> Option<Kind> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let has = |name: &str| claims.contains_key(name);
    let date = |name: &str| {
        let value = claims.get(name)?;
        let exact = value.as_u64().is_none_or(|integer| integer <= 1 << 53);
        value.as_f64().filter(|&date| exact && date >= 0.0 && date <= (1u64 << 53) as f64)
    };
    let are_texts =
        |value: &Value| value.as_array().is_some_and(|a| a.iter().all(Value::is_string));
    let is_guid = |text: &str| {
        text.len() == 36
            && text.bytes().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    let texts =
        ["iss", "sub", "scp", "idtyp"].iter().all(|name| !has(name) || text(name).is_some());
    let lists = claims.get("roles").is_none_or(are_texts);
    let dates = ["nbf", "iat"].iter().all(|name| !has(name) || date(name).is_some());
    let client = if text("ver") == Some("1.0") { "appid" } else { "azp" };
    let guids = ["oid", client].iter().all(|name| !has(name) || text(name).is_some_and(is_guid));

    let tenant = text("tid").is_some_and(|tid| tid.eq_ignore_ascii_case(TENANT));
    let issuer = match text("ver") {
        Some("2.0") => Some(format!("{INSTANCE}/{}/v2.0", text("tid").unwrap_or_default())),
        Some("1.0") => {
            Some(format!("https://sts.windows.net/{}/", text("tid").unwrap_or_default()))
        }
        _ => None,
    };
    let issuer = issuer.is_some_and(|issuer| text("iss") == Some(&issuer));
    let ours = |aud: &Value| {
        let forms = [API.to_owned(), format!("api://{API}"), format!("api://{TENANT}/{API}")];
        let is_ours = |aud: &str| forms.iter().any(|form| *form == aud);
        aud.as_str().is_some_and(|aud| is_ours(aud) || aud.strip_suffix('/').is_some_and(is_ours))
    };
    let audience = match claims.get("aud") {
        Some(Value::Array(several)) => {
            several.iter().all(Value::is_string) && several.iter().any(ours)
        }
        Some(one) => ours(one),
        None => false,
    };
    let exp = date("exp").map_or(-1.0, f64::floor);
    let latest = (NOW + 61) as f64;
    let time = exp + 60.0 >= NOW as f64
        && date("nbf").is_none_or(|nbf| nbf < latest && nbf.floor() <= exp)
        && date("iat").is_none_or(|iat| iat < latest);

    let roles = claims.get("roles").and_then(Value::as_array).is_some_and(|r| !r.is_empty());
    let scope = text("scp").is_some_and(|scp| !matches!(scp.replace(' ', "").as_str(), "" | "/"));
    let well_formed = has("sub") && texts && lists && dates && guids;
    let bound = has("cnf") && claims["cnf"] != Value::Null;
    let id_token = has("nonce") && !scope;
    if !(well_formed && tenant && issuer && audience && time) || bound || id_token {
        return None;
    }
    let user = has("oid").then_some(Kind::User);
    let own =
        has("oid") && text("oid").map(str::to_lowercase) == text("sub").map(str::to_lowercase);
    match (text("idtyp"), scope, roles) {
        (_, false, false) => None,
        (Some("app"), ..) => Some(Kind::App),
        (Some("user"), ..) | (None, true, _) => user,
        (None, false, true) => own.then_some(Kind::App),
        (Some(_), ..) => None,
    }
}

const NAMES: &[&str] = &[
    "exp",
    "nbf",
    "iat",
    "iss",
    "aud",
    "tid",
    "sub",
    "oid",
    "ver",
    "scp",
    "roles",
    "idtyp",
    "azp",
    "appid",
    "groups",
    "_claim_names",
    "hasgroups",
    "acct",
    "acrs",
    "xms_cc",
    "xms_act_fct",
    "xms_sub_fct",
    "xms_par_app_azp",
    "nonce",
    "cnf",
    "name",
];

/// A claim and its new value, or `None` to remove it. Most values are valid or nearly valid.
fn change() -> impl Strategy<Value = (&'static str, Option<Value>)> {
    select(NAMES).prop_flat_map(|name| {
        let value = prop_oneof![
            1 => Just(None),
            6 => select(plausible(name)).prop_map(Some),
            1 => select(NAMES).prop_flat_map(|other| select(plausible(other))).prop_map(Some),
            1 => any_json().prop_map(Some),
        ];
        (Just(name), value)
    })
}

fn plausible(name: &str) -> Vec<Value> {
    let around = |moment: u64| [0, 59, 60, 61].map(|d| [moment - d, moment + d]).concat();
    let both = |text: fn(&str) -> String| json!([text(TENANT), text(OTHER_TENANT)]);
    let values = match name {
        "exp" | "nbf" | "iat" => {
            let mut dates: Vec<Value> = around(NOW).into_iter().map(Value::from).collect();
            dates.extend([NOW as f64 - 60.5, NOW as f64 + 60.5, 0.5, -0.0, -1.0, 1e300].map(json));
            dates.extend([0, (1 << 53), (1 << 53) + 1, u64::MAX].map(Value::from));
            dates.into()
        }
        "iss" => {
            let v2 = both(|tenant| v2_issuer(INSTANCE, tenant));
            let v1 = both(|tenant| format!("https://sts.windows.net/{tenant}/"));
            [v2, v1].into_iter().flat_map(|list| list.as_array().cloned()).flatten().collect()
        }
        "aud" => ["", "/", "//", "/x"]
            .into_iter()
            .flat_map(|end| {
                let own = format!("api://{TENANT}/{API}{end}");
                let other = format!("api://{OTHER_TENANT}/{API}{end}");
                [format!("{API}{end}"), format!("api://{API}{end}"), own, other]
            })
            .flat_map(|aud| [json!(aud), json!([aud]), json!(["other", aud]), json!([aud, 7])])
            .collect(),
        "tid" => json!([TENANT, OTHER_TENANT, PERSONAL, "contoso.example"]),
        "oid" | "azp" | "appid" | "sub" | "xms_par_app_azp" => {
            json!([PERSON, PERSON.to_uppercase(), PERSON.replace('-', ""), format!("{{{PERSON}}}")])
        }
        "ver" => json!(["1.0", "2.0", "2", 2.0]),
        "scp" => json!(["", " ", "/", " / ", "a", "a b", "/ a", ["a"]]),
        "idtyp" => json!(["app", "user", "App", "", "device"]),
        "xms_act_fct" | "xms_sub_fct" => json!(["3 9 11", "13 3", "", "x", 11, null, ["11"]]),
        "cnf" => json!([null, {}, { "jkt": "x" }, "x"]),
        "acct" => json!([0, 1, 2, "0", "1", "2", 0.0, true]),
        "_claim_names" => json!([{ "groups": "src1" }, {}, "groups"]),
        _ => json!([[], ["a"], ["a", "b"], [["a"]], ["a", 1], "a", true]),
    };
    values.as_array().cloned().unwrap_or_default()
}

fn json(number: f64) -> Value {
    number.into()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        vec(any::<char>(), 0..8).prop_map(|text| String::from_iter(text).into()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let member = (select(NAMES), inner.clone());
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::Array),
            vec(member, 0..4).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

#[derive(Debug, Clone, Copy)]
enum Edit {
    Change,
    Insert,
    Remove,
    Swap,
}

fn edit() -> impl Strategy<Value = Edit> {
    select(vec![Edit::Change, Edit::Insert, Edit::Remove, Edit::Swap])
}

/// Whether a request with these bytes after `Bearer` is accepted. If a header field cannot contain
/// them, or would lose a space in front, they are passed to the validator directly.
async fn accepts(world: &World, token: &[u8]) -> bool {
    let token = match HeaderValue::from_bytes(&[b"Bearer ", token].concat()) {
        Ok(value) if !token.starts_with(b" ") => {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
            bearer(&headers).map(str::to_owned).ok()
        }
        _ => String::from_utf8(token.to_owned()).ok(),
    };
    match token {
        Some(token) => world.validator.validate(&token).await.is_ok(),
        None => false,
    }
}

/// Checks a property for this number of random cases. Panics with the simplest case that fails.
fn check<S: Strategy>(cases: u32, strategy: S, property: impl Fn(S::Value) -> TestCaseResult)
where
    S::Value: Debug,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    if let Err(error) = TestRunner::new(config).run(&strategy, property) {
        panic!("{error}");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}
