//! The simulated headset of a run: a process of its own, so that what it costs is not counted.
//!
//! It owns the process and how its clock is related to this machine's.

use super::conducted::Conducted;
use crate::clock::now_ns;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use streamem_headset::{Config, FIRST_PORT, Headset};

/// An address of this machine alone that nothing else listens at.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 91, 1);

/// A headset that is switched on.
#[derive(Debug)]
pub struct Device {
    _process: Conducted,
    /// What to add to its clock, in nanoseconds, for CLOCK_MONOTONIC.
    pub clock_offset_ns: i64,
}

impl Device {
    /// Switches one on.
    pub fn start() -> io::Result<Self> {
        let process = Conducted::role(&["device"])?;
        let clock_offset_ns = process.hear()?;
        Ok(Self {
            _process: process,
            clock_offset_ns,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> String {
        ADDRESS.to_string()
    }
}

/// The role: a headset until the standard input ends.
pub fn play() -> io::Result<()> {
    let config = Config {
        address: IpAddr::V4(ADDRESS),
        base: FIRST_PORT,
        ..Config::default()
    };
    let headset = Headset::with(config).map_err(io::Error::other)?;
    let ticks = headset.ticks().unwrap_or_default();
    println!("{}", now_ns().cast_signed() - (ticks * 100).cast_signed());
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}
