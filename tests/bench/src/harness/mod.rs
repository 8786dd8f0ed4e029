//! The harness: starts processes, tells them what to do, collects what they saw.
//!
//! It owns everything that is the same for all peers. It never knows how a peer works.

pub mod company;
pub mod ledger;
pub mod litter;
pub mod participant;
pub mod picture;
pub mod processes;
pub mod run;
