//! A device's buffer as memory of this process, for reading.
//!
//! Owns mapping and unmapping; never maps what may become shorter, and never for writing.
//!
//! # Safety
//!
//! A mapping lives until it is dropped. What lies in it changes when the device writes, so it is copied
//! through raw pointers, and no reference to it is ever made.
#![allow(unsafe_code)]

use crate::buffers::PlanePlace;
use crate::device::Device;
use crate::error::Error;
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;

/// A plane of a device's buffer, mapped for reading; unmapped when dropped.
///
/// It stays when the buffer is freed or the device goes. What is in it changes when the device writes.
#[derive(Debug)]
pub struct Mapped {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: it is memory that belongs to the process, not to a thread.
unsafe impl Send for Mapped {}
// SAFETY: as above; nothing is changed through a shared reference.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Maps a plane of memory [`Device::query`] told of.
    ///
    /// # Errors
    ///
    /// When it is empty, or the kernel does not map it.
    pub fn of(device: &Device, place: PlanePlace) -> Result<Mapped, Error> {
        let mapped = Mapped::new(device.as_fd(), place.length, place.offset);
        mapped.map_err(|errno| device.error("mmap", errno))
    }

    /// Maps the first bytes of what [`Device::export`] gave.
    ///
    /// # Errors
    ///
    /// When this is another kind of file, one that is shorter, or the kernel does not map it.
    pub fn exported(memory: impl AsFd, bytes: u32) -> Result<Mapped, std::io::Error> {
        if !streamem_sys::file::is_dma_buf(&memory) {
            return Err(Errno::BADF.into());
        }
        Ok(Mapped::new(memory.as_fd(), bytes, 0)?)
    }

    fn new(file: BorrowedFd<'_>, bytes: u32, offset: u32) -> Result<Mapped, Errno> {
        let bytes = usize::try_from(bytes).map_err(|_| Errno::INVAL)?;
        let (read, shared) = (ProtFlags::READ, MapFlags::SHARED);
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing; a device's
        // buffer and a DMA-BUF keep their length, beyond which neither can be mapped.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                read,
                shared,
                file,
                offset.into(),
            )
        };
        let start = NonNull::new(start?.cast()).ok_or(Errno::FAULT)?;
        Ok(Mapped { start, bytes })
    }

    /// Length of the plane.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Always false; there is no empty mapping.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Copies the bytes from `from` on; false, and nothing is done, if there are not so many. A buffer
    /// that is queued meanwhile gives parts of two frames.
    #[must_use]
    pub fn copy_to(&self, from: usize, into: &mut [u8]) -> bool {
        let Some(at) = self.place(from, into.len()) else {
            return false;
        };
        // SAFETY: the range is inside the mapping, and what this process borrows mutably is not in it.
        unsafe { at.copy_to_nonoverlapping(NonNull::from(&mut *into).cast(), into.len()) };
        true
    }

    fn place(&self, from: usize, length: usize) -> Option<NonNull<u8>> {
        let end = from.checked_add(length)?;
        if end > self.bytes {
            return None;
        }
        // SAFETY: `from` is at most `bytes`, so the result is inside the mapping or one past it.
        Some(unsafe { self.start.add(from) })
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made by `new`, and there are no references into it.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) };
        debug_assert!(unmapped.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_of_a_fixed_length_is_mapped() {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(Mapped::exported(&file, 1).is_err());
    }
}
