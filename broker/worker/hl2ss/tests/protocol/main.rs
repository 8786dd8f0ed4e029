//! The protocol against bytes that are known to be right, and against bytes that are not.
//!
//! Owns the known bytes; never talks to a device.

mod clock;
mod commands;
mod depth;
mod hostile;
mod packets;
mod payloads;
mod refused;
mod requests;
mod vectors;
mod zdepth;
