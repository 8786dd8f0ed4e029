//! Shared memory as a Rust value: mapped once, unmapped when dropped.
//!
//! Owns mapping and unmapping; never maps a file that may become shorter, so that no access can end
//! in SIGBUS because of what another process does.
//!
//! # Safety
//!
//! Every reference handed out points into the mapping and borrows from it. Memory other processes
//! write is only handed out as atomics, or as raw parts whose users must know (by a lease, or by
//! being the writer) that nobody changes it.
#![allow(unsafe_code)]

use crate::file;
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// Why a descriptor could not be mapped.
#[derive(Debug)]
pub enum MapError {
    /// It is shorter than it must be.
    Short {
        /// Bytes there are.
        has: u64,
        /// Bytes there must be.
        needs: u64,
    },
    /// It could be cut short under us.
    CanShrink,
    /// The kernel said no.
    Kernel(&'static str, Errno),
}

impl std::fmt::Display for MapError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MapError::Short { has, needs } => {
                write!(
                    out,
                    "shared memory has {has} bytes where {needs} are needed"
                )
            }
            MapError::CanShrink => out.write_str(
                "shared memory is not sealed against shrinking, using it could crash this program",
            ),
            MapError::Kernel(call, errno) => {
                write!(out, "{call} of shared memory failed: {errno}")?;
                if *errno == Errno::NOMEM {
                    out.write_str(" (raise RLIMIT_AS or vm.max_map_count)")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for MapError {}

/// How a mapping may be used: [`ReadOnly`] or [`Writable`].
pub trait Access: Copy + std::fmt::Debug + Send + Sync + 'static {
    #[doc(hidden)]
    const PROTECTION: ProtFlags;
}

/// Mapped for reading; storing to its words would be a fault, and there is no other way to write.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnly;

/// Mapped for reading and writing.
#[derive(Clone, Copy, Debug)]
pub struct Writable;

impl Access for ReadOnly {
    const PROTECTION: ProtFlags = ProtFlags::READ;
}

impl Access for Writable {
    const PROTECTION: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);
}

/// A shared mapping of a whole file.
#[derive(Debug)]
pub struct Mapping<A: Access> {
    start: NonNull<u8>,
    bytes: usize,
    access: A,
}

// SAFETY: a mapping is plain memory that belongs to the process, not to a thread; what it hands out
// is atomics or raw parts.
unsafe impl<A: Access> Send for Mapping<A> {}
// SAFETY: as above; no method changes the mapping itself through a shared reference.
unsafe impl<A: Access> Sync for Mapping<A> {}

impl<A: Access> Mapping<A> {
    /// Maps the first `bytes` of a memfd that is sealed against shrinking.
    pub fn new(file: impl AsFd, bytes: usize, access: A) -> Result<Mapping<A>, MapError> {
        let (has, _) = file::size_and_inode(&file).map_err(|e| MapError::Kernel("fstat", e))?;
        let needs = bytes as u64;
        if has < needs || bytes == 0 {
            return Err(MapError::Short { has, needs });
        }
        if !file::cannot_shrink(&file).map_err(|_| MapError::CanShrink)? {
            return Err(MapError::CanShrink);
        }
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing, and the
        // file stays at least this long.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                A::PROTECTION,
                MapFlags::SHARED,
                file,
                0,
            )
        };
        let start = start.map_err(|e| MapError::Kernel("mmap", e))?;
        let start = NonNull::new(start.cast()).ok_or(MapError::Kernel("mmap", Errno::FAULT))?;
        Ok(Mapping {
            start,
            bytes,
            access,
        })
    }

    /// Length of the mapping.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Always false; there is no empty mapping.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The mapping as words. For a [`ReadOnly`] one they are to be loaded only.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: a mapping is page-aligned, lives as long as `self`, and atomics may be changed by
        // others at any time.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.bytes / 8) }
    }

    /// Bytes `from..from + length`, if they lie in the mapping.
    ///
    /// # Safety
    ///
    /// While the result is used nobody may write these bytes: the caller holds a lease on them.
    #[must_use]
    pub unsafe fn leased(&self, from: usize, length: usize) -> Option<&[u8]> {
        let at = self.at(from, length)?;
        // SAFETY: the range is inside the mapping, and the caller promises that it stays unchanged.
        Some(unsafe { std::slice::from_raw_parts(at.as_ptr(), length) })
    }

    /// Where bytes `from..from + length` begin, if they lie in the mapping. Who uses the address sees to it that the
    /// mapping is still there.
    #[must_use]
    pub fn at(&self, from: usize, length: usize) -> Option<NonNull<u8>> {
        let end = from.checked_add(length)?;
        if end > self.bytes {
            return None;
        }
        // SAFETY: `from` is at most `bytes`, so the result is inside the mapping or one past it.
        Some(unsafe { self.start.add(from) })
    }
}

impl Mapping<Writable> {
    /// Bytes `from..from + length` for writing, if they lie in the mapping.
    ///
    /// # Safety
    ///
    /// While the result is used the caller must be the only one in this process who uses these
    /// bytes, and by the lease protocol no other process may read them.
    #[must_use]
    #[allow(
        clippy::mut_from_ref,
        reason = "exclusive by the protocol, not by the borrow"
    )]
    pub unsafe fn claimed(&self, from: usize, length: usize) -> Option<&mut [u8]> {
        let at = self.at(from, length)?;
        // SAFETY: the range is inside the mapping, and the caller promises exclusive use.
        Some(unsafe { std::slice::from_raw_parts_mut(at.as_ptr(), length) })
    }
}

impl<A: Access> Drop for Mapping<A> {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made by `new`, and every reference into it has ended.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) };
        debug_assert!(unmapped.is_ok(), "{:?}", self.access);
    }
}
