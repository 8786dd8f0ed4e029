//! Tests on real kernels, in virtual machines without hardware help.
//!
//! Owns the lists of kernels and boots, what is in a machine, starting it, and what its end means;
//! never fetches anything (`scripts/vm-kit.sh` does).

pub mod archive;
pub mod boots;
pub mod guest;
pub mod kernels;
pub mod kit;
pub mod machine;
pub mod modules;
pub mod verdict;
