//! Reads structs from JSON objects only, as their specifications require. The code that serde
//! derives would also read them from arrays, with the members in the order of the struct's fields.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

/// A JSON deserializer for which a struct is an object, at any depth outside of enums. It wraps
/// every visitor, map and sequence that serde passes from level to level.
pub struct Objects<T>(pub T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Objects(visitor))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Objects(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Objects(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Objects(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

macro_rules! scalars {
    ($($visit:ident($($value:ident: $type:ty)?))*) => {
        $(fn $visit<E: Error>(self, $($value: $type)?) -> Result<V::Value, E> {
            self.0.$visit($($value)?)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Objects<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Objects(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Objects(seq))
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Objects(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Objects(value))
    }

    scalars! {
        visit_none() visit_unit() visit_bool(value: bool) visit_i64(value: i64)
        visit_u64(value: u64) visit_f64(value: f64) visit_str(value: &str)
        visit_borrowed_str(value: &'de str)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(deserializer))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        end: Point,
        via: Vec<Point>,
        start: Option<Point>,
        name: (u8, f64, bool, Option<String>),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Point {
        x: i64,
    }

    fn read(json: &str) -> serde_json::Result<Line> {
        Line::deserialize(Objects(&mut serde_json::Deserializer::from_str(json)))
    }

    #[test]
    fn a_struct_is_an_object_at_every_depth() {
        let line = read(r#"{"end":{"x":-1},"via":[{"x":2}],"start":null,"name":[1,0.5,true,"n"]}"#);
        let name = (1, 0.5, true, Some("n".into()));
        let expected = Line { end: Point { x: -1 }, via: vec![Point { x: 2 }], start: None, name };
        assert_eq!(line.unwrap(), expected);
        for json in [
            r#"[{"x":1},[],null,[1,0.5,true,null]]"#,
            r#"{"end":[1],"via":[],"start":null,"name":[1,0.5,true,null]}"#,
            r#"{"end":{"x":1},"via":[[2]],"start":null,"name":[1,0.5,true,null]}"#,
            r#"{"end":{"x":1},"via":[],"start":[3],"name":[1,0.5,true,null]}"#,
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.starts_with("invalid type: sequence"), "{json}: {error}");
        }
    }
}
