//! The Streamem broker as a library: everything of `streamemd` but its command line.
//!
//! Owns the devices, the memory and the socket; a frame moves one way through the modules, and
//! imports point only down this list:
//!
//! `source` → `pool` → `stream` (with its ring) → `session` → `broker` (the loop).

pub mod access;
pub mod activation;
pub mod broker;
pub mod config;
pub mod engine;
pub mod hotplug;
pub mod listener;
pub mod logging;
pub mod manager;
pub mod peer;
pub mod pool;
pub mod quota;
pub mod session;
pub mod source;
pub mod store;
pub mod stream;
pub mod streams;
pub mod workers;
