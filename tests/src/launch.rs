//! Starting a program the way a service manager does: with descriptors from number 3 on.
//!
//! Owns putting the descriptors in their places; never decides what they are.
//!
//! # Safety
//!
//! Between fork and exec only `dup2` is called, on numbers prepared before the fork.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

const FIRST: i32 = 3;
const OUT_OF_THE_WAY: i32 = 64;

/// A command that runs `program` with `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES` set and the
/// descriptors in their places.
///
/// # Panics
///
/// When the process has no descriptors left.
#[must_use]
pub fn with_descriptors(program: &Path, named: &[(String, BorrowedFd<'_>)]) -> Command {
    let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    let places: Vec<OwnedFd> = named
        .iter()
        .map(|(_, fd)| {
            rustix::io::fcntl_dupfd_cloexec(fd, OUT_OF_THE_WAY).expect("a descriptor is free")
        })
        .collect();
    let mut command = Command::new("sh");
    command
        .args(["-c", "LISTEN_PID=$$ exec \"$@\"", "sh"])
        .arg(program)
        .env("LISTEN_FDS", places.len().to_string())
        .env("LISTEN_FDNAMES", names.join(":"));
    let into_place = move || {
        for (place, number) in places.iter().zip(FIRST..) {
            // SAFETY: the number is only a target for dup2; ManuallyDrop never closes it.
            let mut target = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
            rustix::io::dup2(place.as_fd(), &mut target)?;
            debug_assert_eq!(target.as_raw_fd(), number);
        }
        Ok(())
    };
    // SAFETY: the closure only calls dup2, which may be called between fork and exec.
    unsafe { command.pre_exec(into_place) };
    command
}
