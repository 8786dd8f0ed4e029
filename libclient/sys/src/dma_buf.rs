//! DMA-BUFs as the processor sees them: whoever reads says so, and what a device wrote is there to be read.
//!
//! Owns the two ioctls; never maps anything.
//!
//! # Safety
//!
//! Each ioctl is given a value of the size its number says, which lives longer than the call.
#![allow(unsafe_code)]

use rustix::io::{Errno, retry_on_intr};
use rustix::ioctl::{Setter, Updater, ioctl, opcode};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

const SYNC: rustix::ioctl::Opcode = opcode::write::<u64>(b'b', 0);
const EXPORT_SYNC_FILE: rustix::ioctl::Opcode = opcode::read_write::<SyncFile>(b'b', 2);
const READ: u64 = 1;
const BEGIN: u64 = 0;
const END: u64 = 4;

#[repr(C)]
#[derive(Debug)]
struct SyncFile {
    flags: u32,
    fd: i32,
}

const _: () = assert!(size_of::<SyncFile>() == 8);

fn sync(file: impl AsFd, flags: u64) -> Result<(), Errno> {
    let file = file.as_fd();
    retry_on_intr(|| {
        // SAFETY: `SYNC` takes a pointer to 64 bits of flags and writes nothing.
        let call = unsafe { Setter::<SYNC, u64>::new(flags) };
        // SAFETY: as above; the file is open while it is borrowed.
        unsafe { ioctl(file, call) }
    })
}

/// The processor is going to read it.
///
/// # Errors
///
/// When it is no DMA-BUF.
pub fn begin_reading(file: impl AsFd) -> Result<(), Errno> {
    sync(file, READ | BEGIN)
}

/// The processor has read it.
///
/// # Errors
///
/// When it is no DMA-BUF.
pub fn end_reading(file: impl AsFd) -> Result<(), Errno> {
    sync(file, READ | END)
}

/// A file that becomes readable when all that was writing to the DMA-BUF is done: a `sync_file`, as Vulkan
/// and EGL take it.
///
/// # Errors
///
/// When it is no DMA-BUF, or the kernel is older than 6.0.
pub fn writing_is_done(file: impl AsFd) -> Result<OwnedFd, Errno> {
    let mut wanted = SyncFile {
        flags: u32::try_from(READ).unwrap_or(1),
        fd: -1,
    };
    // SAFETY: `EXPORT_SYNC_FILE` takes a pointer to this very struct, and fills in the descriptor.
    let call = unsafe { Updater::<EXPORT_SYNC_FILE, SyncFile>::new(&mut wanted) };
    // SAFETY: as above; the file is open while it is borrowed.
    unsafe { ioctl(file, call) }?;
    // SAFETY: the call succeeded, so this is a descriptor that was just made for us.
    Ok(unsafe { OwnedFd::from_raw_fd(wanted.fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_dma_buf_is_refused() {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert_eq!(begin_reading(&file), Err(Errno::NOTTY));
        assert_eq!(end_reading(&file), Err(Errno::NOTTY));
        assert!(writing_is_done(&file).is_err());
    }
}
