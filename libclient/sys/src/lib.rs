//! The few system calls both sides of Streamem share: mapped pages, futex, clock, descriptor passing.
//!
//! Owns the unsafe code that turns a descriptor into memory; knows nothing of streams, and never
//! hands out memory that could be shrunk away under its user.

pub mod clock;
pub mod dma_buf;
pub mod file;
pub mod futex;
mod map;
mod remedy;
pub mod socket;

pub use map::{MapError, Mapping, ReadOnly, Writable};
pub use remedy::remedy;
