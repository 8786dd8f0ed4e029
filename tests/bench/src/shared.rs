//! Memory that the processes of a measurement share: a memfd mapped for reading and writing.
//!
//! It owns the mapping and never gives out a plain reference to bytes that others change: structures
//! made of atomics through [`Shared::view`], raw bytes only to the one process that writes them.
//!
//! # Safety
//!
//! Mapping memory has no safe interface; this file is where it happens, for the whole package.
#![allow(unsafe_code)]

use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A structure that may live in shared memory.
///
/// # Safety
///
/// Every bit pattern is valid, all zero is its initial state, and all fields are atomics (or arrays of them), so
/// that concurrent change by other processes is defined.
pub unsafe trait Shareable: Sync {}

/// A memfd and its mapping; unmapped on drop.
#[derive(Debug)]
pub struct Shared {
    fd: OwnedFd,
    base: *mut u8,
    length: usize,
}

// SAFETY: the mapping is plain memory that any thread may reach; access goes through atomics (`view`) or needs `&mut self`.
unsafe impl Send for Shared {}
// SAFETY: as above; `&self` only gives out views made of atomics.
unsafe impl Sync for Shared {}

impl Shared {
    /// A new zeroed area of `length` bytes.
    pub fn create(name: &str, length: usize) -> io::Result<Self> {
        let fd = memfd_create(name, MemfdFlags::CLOEXEC)?;
        ftruncate(&fd, length as u64)?;
        Self::map(fd)
    }

    /// Maps the whole of a memfd.
    pub fn map(fd: OwnedFd) -> io::Result<Self> {
        Self::map_with(fd, ProtFlags::READ | ProtFlags::WRITE)
    }

    /// Maps the whole of a memfd for reading; only [`Shared::stable`] may be used.
    pub fn map_read_only(fd: OwnedFd) -> io::Result<Self> {
        Self::map_with(fd, ProtFlags::READ)
    }

    fn map_with(fd: OwnedFd, protection: ProtFlags) -> io::Result<Self> {
        let length = usize::try_from(fstat(&fd)?.st_size).map_err(io::Error::other)?;
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing of ours.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                length,
                protection,
                MapFlags::SHARED,
                &fd,
                0,
            )?
        };
        Ok(Self {
            fd,
            base: base.cast(),
            length,
        })
    }

    /// The start of the area, seen as a `T`.
    #[must_use]
    pub fn view<T: Shareable>(&self) -> &T {
        assert!(
            size_of::<T>() <= self.length,
            "the area is smaller than the structure"
        );
        // SAFETY: the mapping is page-aligned, long enough, lives as long as `self`, and `T` bears concurrent change.
        unsafe { &*self.base.cast::<T>() }
    }

    /// All bytes, for the one process that fills them.
    ///
    /// Other processes look at them only while they know that nobody writes (or through volatile reads).
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: `&mut self` makes this the only slice in this process; readers elsewhere are kept off by the ring protocol.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.length) }
    }

    /// Some bytes that nobody writes for now.
    ///
    /// # Safety
    ///
    /// No process writes to these bytes while the slice lives.
    #[must_use]
    pub unsafe fn stable(&self, offset: usize, length: usize) -> &[u8] {
        assert!(
            offset <= self.length && length <= self.length - offset,
            "outside the area"
        );
        // SAFETY: in bounds of the mapping.
        let start = unsafe { self.base.add(offset) };
        // SAFETY: the mapping lives as long as `self`; the caller keeps writers off.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

impl AsFd for Shared {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `map`; no view outlives `self`.
        let _ = unsafe { munmap(self.base.cast(), self.length) };
    }
}
