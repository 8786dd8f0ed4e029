//! What the harness outside and the first process inside a machine say to each other.
//!
//! Owns their words; never does anything.

pub mod complaint;
pub mod plan;
