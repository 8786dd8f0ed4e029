//! Calls there are no safe functions for, because nobody should make them.
//!
//! Owns the calls; what they are to prove stands with the deeds.
//!
//! # Safety
//! None of them is given memory but what is named beside it. A process that was forked ends at once.
#![allow(unsafe_code)]

use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::null_mut;

const PAGE: usize = 4096;
const HUGE_PAGE: usize = 2 << 20;

fn done(returned: i64) -> Result<(), Errno> {
    if returned >= 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).expect("an errno"))
}

pub fn fork() -> Result<(), Errno> {
    // SAFETY: there is one thread, and the child does nothing but end.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the process and runs nothing of ours.
        unsafe { libc::_exit(0) };
    }
    done(child.into())
}

pub fn be_traced() -> Result<(), Errno> {
    // SAFETY: takes no memory.
    done(unsafe { libc::ptrace(libc::PTRACE_TRACEME) })
}

pub fn unshare_users_and_mounts() -> Result<(), Errno> {
    // SAFETY: the table of descriptors is not parted.
    unsafe { unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS) }
}

/// Whether this number is still a descriptor, of which the owner is never told.
pub fn is_open(descriptor: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: takes no memory.
    done(unsafe { libc::fcntl(descriptor.as_fd().as_raw_fd(), libc::F_GETFD) }.into())
}

pub fn map_executable() -> Result<(), Errno> {
    let protection = ProtFlags::READ | ProtFlags::EXEC;
    // SAFETY: the kernel chooses a place that is free.
    unsafe { mmap_anonymous(null_mut(), PAGE, protection, MapFlags::PRIVATE) }.map(|_| ())
}

/// None of them is touched, so there need not be any.
pub fn map_huge() -> Result<(), Errno> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    let flags = MapFlags::PRIVATE | MapFlags::HUGETLB | MapFlags::NORESERVE;
    // SAFETY: the kernel chooses a place that is free.
    unsafe { mmap_anonymous(null_mut(), HUGE_PAGE, protection, flags) }.map(|_| ())
}

pub fn make_executable() -> Result<(), Errno> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the kernel chooses a place that is free.
    let page = unsafe { mmap_anonymous(null_mut(), PAGE, protection, MapFlags::PRIVATE) }?;
    // SAFETY: nothing else lies in this page.
    unsafe { mprotect(page, PAGE, MprotectFlags::READ | MprotectFlags::EXEC) }
}

/// Sixty seconds, then this process ends, whatever it hangs in.
pub fn alarm() {
    // SAFETY: takes no memory.
    unsafe { libc::alarm(60) };
}
