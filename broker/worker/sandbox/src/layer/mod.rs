//! The walls, each on its own.
//!
//! Owns one file for each; none relies on another one standing, and the tests put each to the test by itself.

pub mod calls;
pub mod descriptors;
pub mod files;
pub mod identity;
pub mod limits;
pub mod namespaces;
pub mod process;
