//! Reads JSON into the value tree of the TOML parser, so that both formats share one structure and
//! the same error messages with line numbers.

use std::borrow::Cow;

use serde_json::{Deserializer, Value};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::check::Finding;

/// Parses JSON into a tree that knows the position of every value.
///
/// # Errors
///
/// The first fault: invalid JSON, a `null` or a duplicate key.
pub(super) fn parse(text: &str) -> Result<Spanned<DeValue<'_>>, Finding> {
    serde_json::from_str::<Value>(text).map_err(|error| syntax_fault(text, &error))?;
    Reader { text, position: 0, accepts_null: false }.value()
}

/// Checks that this is JSON in which no object has two fields with the same name.
pub(super) fn check_keys(text: &str) -> Result<(), Finding> {
    serde_json::from_str::<Value>(text).map_err(|error| syntax_fault(text, &error))?;
    Reader { text, position: 0, accepts_null: true }.value().map(|_| ())
}

/// The keys and indexes that lead to the value or key at this position.
pub(super) fn steps_to(value: &Spanned<DeValue<'_>>, position: usize) -> Vec<String> {
    let inner = match value.get_ref() {
        DeValue::Table(fields) => fields.iter().find_map(|(key, value)| {
            let range = key.span().start..value.span().end;
            range.contains(&position).then(|| (key.get_ref().to_string(), value))
        }),
        DeValue::Array(elements) => elements.iter().enumerate().find_map(|(index, value)| {
            value.span().contains(&position).then(|| (index.to_string(), value))
        }),
        _ => None,
    };
    inner.map_or_else(Vec::new, |(step, value)| [vec![step], steps_to(value, position)].concat())
}

/// Reads text that is known to be valid JSON.
struct Reader<'a> {
    text: &'a str,
    position: usize,
    /// Whether a `null` is accepted, in place of which the tree has an empty string.
    accepts_null: bool,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Spanned<DeValue<'a>>, Finding> {
        let first = self.next_byte();
        let start = self.position;
        let value = match first {
            Some(b'{') => DeValue::Table(self.object()?),
            Some(b'[') => DeValue::Array(self.array()?),
            _ => self.scalar()?,
        };
        Ok(Spanned::new(start..self.position, value))
    }

    fn object(&mut self) -> Result<DeTable<'a>, Finding> {
        let mut table = DeTable::new();
        while self.enter_next(b'}') {
            let start = self.position;
            let DeValue::String(key) = self.scalar()? else {
                return Err(finding(start, "expected a string"));
            };
            let key = Spanned::new(start..self.position, key);
            self.skip(b':');
            let value = self.value()?;
            let name = key.get_ref().to_string();
            if table.insert(key, value).is_some() {
                return Err(finding(start, format!("duplicate key {name:?}")));
            }
        }
        Ok(table)
    }

    fn array(&mut self) -> Result<DeArray<'a>, Finding> {
        let mut array = DeArray::new();
        while self.enter_next(b']') {
            array.push(self.value()?);
        }
        Ok(array)
    }

    fn scalar(&mut self) -> Result<DeValue<'a>, Finding> {
        let start = self.position;
        let mut values = Deserializer::from_str(&self.text[start..]).into_iter::<Value>();
        let next = values.next().transpose();
        let value = next.map_err(|error| finding(start, error.to_string()))?;
        self.position += values.byte_offset();
        match value {
            Some(Value::String(string)) => Ok(DeValue::String(Cow::Owned(string))),
            Some(Value::Bool(boolean)) => Ok(DeValue::Boolean(boolean)),
            // Every JSON number is also a TOML number.
            Some(Value::Number(_)) => DeValue::parse(&self.text[start..self.position])
                .map(Spanned::into_inner)
                .map_err(|error| finding(start, error.message())),
            _ if self.accepts_null => Ok(DeValue::String(Cow::Borrowed(""))),
            _ => Err(finding(start, NULL)),
        }
    }

    /// Skips the bracket or comma before the next element; `false` after skipping the closing
    /// bracket.
    fn enter_next(&mut self, closing: u8) -> bool {
        if self.next_byte() != Some(closing) {
            self.position += 1;
        }
        let has_next = self.next_byte().is_some_and(|byte| byte != closing);
        if !has_next {
            self.skip(closing);
        }
        has_next
    }

    /// The next byte that is not white space.
    fn next_byte(&mut self) -> Option<u8> {
        let rest = &self.text[self.position..];
        self.position += rest.len() - rest.trim_ascii_start().len();
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip(&mut self, byte: u8) {
        if self.next_byte() == Some(byte) {
            self.position += 1;
        }
    }
}

/// The fault if a value is `null`.
pub(super) const NULL: &str = "null is not allowed: leave the field out";

fn finding(position: usize, text: impl Into<String>) -> Finding {
    Finding { position, text: text.into() }
}

fn syntax_fault(text: &str, error: &serde_json::Error) -> Finding {
    let (line, column) = (error.line(), error.column());
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let message = error.to_string();
    let message = message.trim_end_matches(&format!(" at line {line} column {column}"));
    finding(before, message)
}
