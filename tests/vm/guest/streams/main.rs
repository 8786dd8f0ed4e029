//! A real driver's frames in the slots of a real broker: in every way, and when the camera goes and comes.
//!
//! Owns the parts; `boots` says which of them run with which driver.

mod coming;
mod controls;
mod filling;
mod importing;
mod limits;
mod memory;
mod planes;
mod promises;
mod python;
mod read_only;
mod scene;
mod strict;
mod trouble;
