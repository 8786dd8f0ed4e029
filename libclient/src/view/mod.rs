//! Ways to look at a leased frame, and the one to fill a granted slot.
//!
//! Owns one file for each way; never outlives the lease or the grant it looks through.

pub(crate) mod cpu;
pub(crate) mod fill;
