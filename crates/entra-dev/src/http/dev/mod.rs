//! The tenant's own endpoints, below `/_dev`: the directory, isolated tenants, and controls for
//! tests.
//!
//! Pages of other sites cannot use them: every change needs a method or a media type for which the
//! browser sends a preflight request, and no preflight succeeds
//! (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

mod body;
mod controls;
mod directory;
mod preconditions;
mod problem;
mod run;
mod tenants;

pub(super) use self::{
    controls::{
        audit, clear_fault, clear_faults, clock, faults, forge, plan_fault, rotate_keys, set_clock,
    },
    directory::{add, export, patch, put, remove, reset, show},
    problem::explain_errors,
    tenants::{create, describe_one, discard, list},
};
