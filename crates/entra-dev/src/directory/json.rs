//! Reads JSON into the value tree of the TOML parser, so that both formats share one structure and
//! the same error messages with line numbers.

use std::borrow::Cow;

use serde_json::{Deserializer, Value};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::check::{Fault, line_at};

/// Parses JSON into a tree that knows the position of every value.
///
/// # Errors
///
/// The first fault: invalid JSON, a `null` or a duplicate key.
pub(super) fn parse(text: &str) -> Result<Spanned<DeValue<'_>>, Fault> {
    serde_json::from_str::<Value>(text).map_err(|error| syntax_fault(&error))?;
    Reader { text, position: 0 }.value()
}

/// Reads text that is known to be valid JSON.
struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Spanned<DeValue<'a>>, Fault> {
        let first = self.next_byte();
        let start = self.position;
        let value = match first {
            Some(b'{') => DeValue::Table(self.object()?),
            Some(b'[') => DeValue::Array(self.array()?),
            _ => self.scalar()?,
        };
        Ok(Spanned::new(start..self.position, value))
    }

    fn object(&mut self) -> Result<DeTable<'a>, Fault> {
        let mut table = DeTable::new();
        while self.enter_next(b'}') {
            let start = self.position;
            let DeValue::String(key) = self.scalar()? else {
                return Err(self.fault(start, "expected a string"));
            };
            let key = Spanned::new(start..self.position, key);
            self.skip(b':');
            let value = self.value()?;
            if table.insert(key, value).is_some() {
                return Err(self.fault(start, "duplicate key"));
            }
        }
        Ok(table)
    }

    fn array(&mut self) -> Result<DeArray<'a>, Fault> {
        let mut array = DeArray::new();
        while self.enter_next(b']') {
            array.push(self.value()?);
        }
        Ok(array)
    }

    fn scalar(&mut self) -> Result<DeValue<'a>, Fault> {
        let start = self.position;
        let mut values = Deserializer::from_str(&self.text[start..]).into_iter::<Value>();
        let value = values.next().transpose().map_err(|error| syntax_fault(&error))?;
        self.position += values.byte_offset();
        match value {
            Some(Value::String(string)) => Ok(DeValue::String(Cow::Owned(string))),
            Some(Value::Bool(boolean)) => Ok(DeValue::Boolean(boolean)),
            // Every JSON number is also a TOML number.
            Some(Value::Number(_)) => DeValue::parse(&self.text[start..self.position])
                .map(Spanned::into_inner)
                .map_err(|error| self.fault(start, error.message())),
            _ => Err(self.fault(start, "null is not allowed: leave the field out")),
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

    fn fault(&self, position: usize, text: &str) -> Fault {
        Fault { line: line_at(self.text, position), text: text.to_owned() }
    }
}

fn syntax_fault(error: &serde_json::Error) -> Fault {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let text = text.trim_end_matches(&format!(" at line {line} column {column}")).to_owned();
    Fault { line, text }
}
