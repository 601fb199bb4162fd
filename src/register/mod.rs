//! The two app registrations in Microsoft Entra ID: what they must contain, what they contain now,
//! and the calls to Microsoft Graph v1.0 that lead from one to the other.
//!
//! - [`Wanted`]: what the registrations must contain. Scopes and roles come from the declaration.
//! - [`State`]: what Microsoft Graph has now.
//! - [`next_step`]: compares both. A pure function, so a dry run needs no network.
//! - [`Graph`]: sends a call; waits out throttling and the delay of replication.
//! - [`Session`]: reads the state and carries out the steps.

mod call;
mod declared;
mod directory;
mod error;
mod graph;
mod merge;
mod permission;
mod plan;
mod preview;
mod read;
mod refusal;
mod removal;
mod resources;
mod secret;
mod session;
mod state;
mod step;
mod stop;
mod wait;
mod wanted;

pub use self::{
    call::Call,
    directory::{Home, directory_file},
    error::Failure,
    graph::Graph,
    permission::Permission,
    plan::next_step,
    preview::preview,
    removal::{Purge, Removal, Unlink},
    resources::{Application, Organization},
    secret::NewSecret,
    session::{Outcome, Session},
    state::{Registration, State},
    step::Step,
    stop::Stop,
    wait::Pause,
    wanted::{Audience, ClientIds, NEW_CLIENT_ID, Names, Wanted, Which},
};
