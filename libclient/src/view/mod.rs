//! Ways to look at a leased frame.
//!
//! Owns one file for each way; never outlives the lease it looks through.

pub(crate) mod cpu;
