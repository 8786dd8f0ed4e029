//! The client against a broker made for tests from the specification alone.
//!
//! Owns nothing; never starts a process.

mod asking;
mod fake;
mod going_on;
mod hostile;
mod memory;
mod reading;
