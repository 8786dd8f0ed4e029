//! The package in a whole Debian whose first process is systemd: installed, used, upgraded, removed.
//!
//! Owns what an administrator does; never starts a broker by itself.

mod debian;
mod hololens;
mod removal;
mod rights;
mod sandbox;
mod service;
mod upgrade;
mod user;
