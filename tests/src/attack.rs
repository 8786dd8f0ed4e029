//! Everything a client could try in order to change memory it was only lent for reading.
//!
//! Owns the attempts; never succeeds at one without saying so.
//!
//! # Safety
//!
//! Mappings made here are unmapped here, and nothing is stored through them.
#![allow(unsafe_code)]

use rustix::fs::{FallocateFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mprotect, munmap};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::null_mut;

const PAGE: usize = 4096;

/// What became of each attempt: `None` is a success, which is what must not be.
#[must_use]
pub fn every_way_to_write(fd: BorrowedFd<'_>) -> Vec<(&'static str, Option<Errno>)> {
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    vec![
        ("mmap for writing", map_writable(fd).err()),
        ("mprotect to writable", upgrade(fd).err()),
        ("pwrite", rustix::io::pwrite(fd, b"x", 0).err()),
        ("ftruncate to nothing", rustix::fs::ftruncate(fd, 0).err()),
        (
            "ftruncate to more",
            rustix::fs::ftruncate(fd, 1 << 40).err(),
        ),
        (
            "fallocate a hole",
            rustix::fs::fallocate(fd, punch, 0, PAGE as u64).err(),
        ),
        (
            "fchmod",
            rustix::fs::fchmod(fd, Mode::RWXU | Mode::RWXO).err(),
        ),
        (
            "write through a reopened descriptor",
            write_reopened(fd).err(),
        ),
    ]
}

fn map_writable(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a fresh mapping, not used.
    let start = unsafe { mmap(null_mut(), PAGE, protection, MapFlags::SHARED, fd, 0) }?;
    // SAFETY: the mapping just made.
    unsafe { munmap(start, PAGE) }
}

fn upgrade(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: a fresh mapping, not used.
    let start = unsafe { mmap(null_mut(), PAGE, ProtFlags::READ, MapFlags::SHARED, fd, 0) }?;
    let writable = MprotectFlags::READ | MprotectFlags::WRITE;
    // SAFETY: the mapping just made.
    let upgraded = unsafe { mprotect(start, PAGE, writable) };
    // SAFETY: the mapping just made.
    unsafe { munmap(start, PAGE) }?;
    upgraded
}

fn write_reopened(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let reopened = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    map_writable_or_pwrite(&reopened)
}

fn map_writable_or_pwrite(fd: impl std::os::fd::AsFd) -> Result<(), Errno> {
    match map_writable(fd.as_fd()) {
        Ok(()) => Ok(()),
        Err(_) => rustix::io::pwrite(fd, b"x", 0).map(drop),
    }
}
