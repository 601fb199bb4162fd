//! The HTML pages. They work without scripts; the only script saves a click.

mod advice;
mod assets;
mod audit;
pub(super) mod device;
mod directory;
mod error;
mod faults;
mod form_post;
mod icon;
mod layout;
mod locked;
pub(super) mod logout;
mod person;
mod redirect_uris;
pub(super) mod setup;
mod sign_in;
pub(super) mod start;
mod table;

pub(super) use assets::{FORM_POST_PATH, STYLESHEET_PATH, form_post_script, stylesheet};
pub(super) use error::{not_found, refused};
pub(super) use form_post::form_post;
pub(super) use layout::with_notice;
pub(super) use locked::locked;
pub(super) use sign_in::SignInPage;
