//! `todo-api register`: what it registers, how people sign in for it, and that the result works.

mod contents;
mod declaration;
mod destroy;
mod dry_run;
mod journey;
mod secret;
mod sign_in;
