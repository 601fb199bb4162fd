//! Parses JSON objects and refuses duplicate members at any depth.
//!
//! Parsers disagree on which of two duplicate members to use. An attacker could show one value to
//! the parser that checks the token and the other to the parser that uses it. RFC 7515, section 4,
//! and RFC 7519, section 4, allow a parser to refuse duplicates.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

/// The object's members. Fails if the text is not a JSON object or has duplicate members.
pub(crate) fn object(bytes: &[u8]) -> Result<Members<'_>, serde_json::Error> {
    // Checking the whole text at once is faster than checking each string in it.
    let text = str::from_utf8(bytes).map_err(de::Error::custom)?;
    match serde_json::from_str(text)? {
        Json::Object(members) => Ok(members),
        _ => Err(de::Error::custom("not an object")),
    }
}

/// A JSON value. Strings without escape sequences borrow from the text that was parsed, because
/// most of a token's claims are not used.
#[derive(Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Members<'a>),
}

/// The members of an object, in the order of their names. No two have the same name.
#[derive(Debug, PartialEq)]
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Members<'a> {
    /// The value of the member with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        // Names of another length are skipped without a look at their text. For as few members as a
        // token has, this is faster than a binary search.
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    #[cfg(fuzzing)]
    pub(crate) fn into_iter(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        self.0.into_iter()
    }

    /// Sorts the members; `None` if two have the same name.
    fn unique(mut members: Vec<(Cow<'a, str>, Json<'a>)>) -> Option<Self> {
        // Not a comparison of every member with every other: the object can be an attacker's and
        // have thousands of members.
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        members.array_windows().all(|[(one, _), (next, _)]| one != next).then_some(Self(members))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json<'de>, E> {
        Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("number is not finite"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some((Name(name), value)) = members.next_entry()? {
            object.push((name, value));
        }
        // The message does not repeat the name, because it comes from an untrusted token.
        let unique = Members::unique(object).map(Json::Object);
        unique.ok_or_else(|| de::Error::custom("duplicate member"))
    }
}

/// The name of a member. `Cow` itself never borrows when it is deserialized.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Self)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_members_are_refused_at_any_depth_even_if_escaped() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        assert!(object(br#"{"a":{"b":1},"b":[1,1.5,null,true,"\u00e9"]}"#).is_ok());
    }

    #[test]
    fn a_member_is_found_by_its_name_wherever_it_is() {
        let members = object(br#"{"b":"\u00e9","c":[null],"a":{"b":-1},"":true}"#).unwrap();
        let string = |text: &'static str| Json::String(text.into());
        assert_eq!(members.get("b"), Some(&string("\u{e9}")));
        assert_eq!(members.get("c"), Some(&Json::Array(vec![Json::Null])));
        assert_eq!(members.get(""), Some(&Json::Bool(true)));
        let Some(Json::Object(inner)) = members.get("a") else { panic!("a is not an object") };
        assert_eq!(inner.get("b"), Some(&Json::Number((-1).into())));
        assert_eq!(inner.get("a"), None);
    }

    #[test]
    fn anything_but_a_valid_object_is_refused() {
        for text in
            ["[]", "1", "null", "\"{}\"", "", "{} {}", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}"]
        {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
    }
}
