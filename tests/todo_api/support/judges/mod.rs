//! Tokens, validators that judge them, and the table of their verdicts.

mod mint;
mod table;
mod validators;

pub(crate) use self::{
    mint::{HEADER, Mint, parts, remove},
    table::{Row, Verdict, agreed, bad, differing, good},
    validators::{judge, our_validator},
};
