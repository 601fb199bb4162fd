//! Policies in the signatures of poem-openapi handlers, and in the generated OpenAPI document.

mod document;
mod guard;
mod mark;
mod operations;
mod scheme;
mod slot;
#[cfg(feature = "swagger-ui")]
mod swagger_ui;

pub use document::{Published, publish};
pub use guard::{Denied, Guard, authorize};
pub use operations::{Operation, operations};
pub use scheme::SecurityScheme;
pub use slot::{CallerCheck, CallerSlot};
#[cfg(feature = "swagger-ui")]
pub use swagger_ui::swagger_ui;
