//! The fixture of the system tests: real brokers, real consumers, and what the kernel says of them.
//!
//! Owns starting, watching and ending processes; never replaces a part of the product by a stand-in,
//! except the service manager's socket.

pub mod attack;
pub mod binaries;
pub mod broker;
pub mod c_library;
pub mod consumer;
pub mod jpeg;
pub mod launch;
pub mod notify;
pub mod patience;
pub mod proc;
pub mod strace;
pub mod terminal;
pub mod varlink;

pub use broker::Broker;
pub use consumer::Consumer;
pub use patience::eventually;
pub use varlink::{Answer, Wire};
