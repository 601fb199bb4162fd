//! HTTP: request headers, preconditions, bodies, pages, methods, limits, cross-origin requests, and
//! errors as problem documents.

pub mod code;
pub mod cors;
pub mod edge;
pub mod headers;
mod host;
pub mod json;
pub mod limits;
pub mod methods;
pub mod pages;
pub mod paging;
pub mod preconditions;
pub mod problem;
mod rate_limit;
mod transfer_coding;
