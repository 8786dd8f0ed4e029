//! The broker under a service manager: readiness, watchdog, sockets and memory that outlive it.
//!
//! Owns a stand-in for the manager's side of the protocol; the broker is the real one.

mod activation;
mod kept;
mod notices;
