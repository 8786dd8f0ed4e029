//! Closing what was not meant for this process.
//!
//! Owns the call that closes a range; never closes 0, 1, 2 or what is kept.
//!
//! # Safety
//! A descriptor is closed under whoever owns it, if the caller has not named it. Rust's own types would then close
//! a number that may be another's by then; that is why `enter` says so and comes first in `main`. Memory is not
//! touched.
#![allow(unsafe_code)]

use crate::SandboxError;
use rustix::io::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The first one that is no standard stream.
const FIRST: u32 = 3;

/// Closes every descriptor above 2 that is not in `kept`.
///
/// # Errors
/// It is refused.
pub fn close_others(kept: &[BorrowedFd<'_>]) -> Result<(), SandboxError> {
    let numbers = kept.iter().map(AsRawFd::as_raw_fd);
    let mut numbers: Vec<u32> = numbers.filter_map(|fd| u32::try_from(fd).ok()).collect();
    numbers.sort_unstable();
    let mut from = FIRST;
    for number in numbers {
        if number > from {
            close(from, number - 1)?;
        }
        from = from.max(number + 1);
    }
    close(from, u32::MAX)
}

/// As the number of a call and not as glibc's function, which older ones do not have.
fn close(first: u32, last: u32) -> Result<(), SandboxError> {
    // SAFETY: takes three numbers and touches no memory; who owns the descriptors was told (see above).
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if closed == 0 {
        return Ok(());
    }
    let cause = std::io::Error::last_os_error();
    let cause = Errno::from_io_error(&cause).unwrap_or(Errno::INVAL);
    Err(SandboxError::refused(
        "to close what is not needed",
        "close_range",
    )(cause))
}
