//! Memory of this process as DMA-BUFs, made by /dev/udmabuf.
//!
//! Owns the call; never makes one of memory that could be shrunk away.
//!
//! # Safety
//!
//! The call takes a structure of numbers, whose size is in the call's own number.
#![allow(unsafe_code)]

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, opcode};
use std::ffi::c_void;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const PAGE: u64 = 4096;

/// Memory that devices can import, and the file to look at it through.
#[derive(Debug)]
pub struct Imported {
    pub file: File,
    pub dma_buf: OwnedFd,
    pub bytes: u32,
}

#[repr(C)]
struct Create {
    memfd: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

const CLOSE_ON_EXEC: u32 = 1;
const UDMABUF_CREATE: Opcode = opcode::write::<Create>(b'u', 0x42);

// SAFETY: the structure is as the call's number says, and the descriptor that comes back is new.
unsafe impl Ioctl for Create {
    type Output = OwnedFd;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        UDMABUF_CREATE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self).cast()
    }

    unsafe fn output_from_ptr(fd: IoctlOutput, _: *mut c_void) -> Result<OwnedFd, Errno> {
        // SAFETY: the kernel has just made it for this call.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// At least so many bytes, all zero.
pub fn new(bytes: u32) -> Imported {
    let size = u64::from(bytes).next_multiple_of(PAGE);
    let memfd = memfd_create("imported", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
    let file = File::from(memfd.expect("memfd_create"));
    file.set_len(size).expect("ftruncate");
    fcntl_add_seals(&file, SealFlags::SHRINK).expect("it can be sealed");
    let device = File::options().read(true).write(true).open("/dev/udmabuf");
    let create = Create {
        memfd: file.as_raw_fd().cast_unsigned(),
        flags: CLOSE_ON_EXEC,
        offset: 0,
        size,
    };
    // SAFETY: a structure of numbers, borrowed for the call.
    let made = unsafe { rustix::ioctl::ioctl(device.expect("this is root"), create) };
    Imported {
        file,
        dma_buf: made.expect("it is sealed as it must be"),
        bytes: u32::try_from(size).expect("less than 4 GiB"),
    }
}
