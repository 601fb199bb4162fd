//! `todo-api register`: creates or completes the two app registrations through Microsoft Graph, and
//! writes `.env`.

mod arguments;
mod az;
mod cloud;
mod device_code;
mod dry_run;
mod env;
mod interrupt;
mod removal;
mod run;
mod settings;
mod sign_in;
mod terminal;
mod values;

pub(super) use self::arguments::Register;
