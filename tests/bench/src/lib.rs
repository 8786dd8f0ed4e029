//! Streamem measured beside its peers.
//!
//! Reading order: `harness` (what a run is), `peer` (who takes part), `experiment` (what is run how often),
//! `report` (what becomes of it); the rest are their tools. Nothing here is used by the product.

pub mod child;
pub mod clock;
pub mod experiment;
pub mod harness;
pub mod hololens;
pub mod peer;
pub mod quiet;
pub mod report;
pub mod samples;
pub mod shared;
pub mod soak;
