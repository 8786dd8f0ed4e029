//! Memory that devices can write too: a memfd, of which each part is also a DMA-BUF.
//!
//! Owns `/dev/udmabuf` and the order of things: a DMA-BUF can only be made while the memfd is not sealed
//! against new writers, and goes on writing when it is. Never gives a DMA-BUF away: whoever has one can
//! write, whatever the seals say.
//!
//! # Safety
//!
//! One ioctl, whose argument is a struct of the kernel's layout that outlives the call, and whose result
//! is a descriptor that belongs to nobody yet.
#![allow(unsafe_code)]

use super::memfd::make;
use super::{Allocator, Memory, PoolError, Request, allowance, open_maker};
use rustix::fs::OFlags;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

const PLACE: &str = "/dev/udmabuf";
const ABSENT: &str = " (modprobe udmabuf)";
const DENIED: &str = " (give it to the broker's user, as udev/70-streamem.rules does)";
const CLOSE_ON_EXEC: u32 = 1;

#[repr(C)]
#[derive(Debug)]
struct Create {
    memfd: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

const _: () = assert!(size_of::<Create>() == 24);

// SAFETY: the opcode is that of `struct udmabuf_create`, which `Create` has the layout of; the kernel
// reads it and writes nothing; it returns a new descriptor.
unsafe impl Ioctl for Create {
    type Output = OwnedFd;
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::write::<Create>(b'u', 0x42)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self).cast()
    }

    unsafe fn output_from_ptr(made: IoctlOutput, _: *mut c_void) -> rustix::io::Result<OwnedFd> {
        // SAFETY: the call succeeded, so this is a descriptor that was just made for us.
        Ok(unsafe { OwnedFd::from_raw_fd(made) })
    }
}

/// The allocator of memory that devices can write.
#[derive(Debug)]
pub struct Udmabuf {
    device: OwnedFd,
}

impl Udmabuf {
    /// Opens the device.
    pub fn open() -> io::Result<Udmabuf> {
        let device = open_maker(Path::new(PLACE), OFlags::RDWR, ABSENT, DENIED)?;
        Ok(Udmabuf { device })
    }

    /// A part of a memfd as a DMA-BUF.
    fn over(&self, memfd: BorrowedFd<'_>, part: &Range<u64>) -> io::Result<OwnedFd> {
        let create = Create {
            memfd: memfd.as_raw_fd().cast_unsigned(),
            flags: CLOSE_ON_EXEC,
            offset: part.start,
            size: part.end - part.start,
        };
        // SAFETY: see the implementation of `Ioctl`; the memfd is open as long as it is borrowed.
        let made = unsafe { ioctl(self.device.as_fd(), create) };
        Ok(made?)
    }
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.raw_os_error() {
        Some(libc::EINVAL) => {
            " (a slot may be larger than the module allows: raise /sys/module/udmabuf/parameters/size_limit_mb)"
        }
        Some(libc::ENOMEM) => {
            " (all slots of such a pool are there at once: lower [pool] device_slots)"
        }
        _ => "",
    }
}

impl Allocator for Udmabuf {
    fn allocate(&self, request: &Request) -> Result<Memory, PoolError> {
        let parts = |memfd: BorrowedFd<'_>| -> Result<Vec<OwnedFd>, PoolError> {
            let made = request.parts.iter().map(|part| self.over(memfd, part));
            made.collect::<io::Result<_>>()
                .map_err(|cause| PoolError::System {
                    name: request.name.clone(),
                    bytes: request.bytes,
                    action: "making DMA-BUFs of it",
                    remedy: remedy(&cause),
                    cause,
                })
        };
        allowance::check(request.bytes).map_err(|cause| PoolError::System {
            name: request.name.clone(),
            bytes: request.bytes,
            action: "taking it at once",
            remedy: " (lower [pool] device_slots, or raise that limit)",
            cause,
        })?;
        // Never huge pages: Linux 6.12 has devices write to the wrong ones.
        let mut memory = make(request, false, parts)?;
        memory.kind = "udmabuf";
        Ok(memory)
    }
}
