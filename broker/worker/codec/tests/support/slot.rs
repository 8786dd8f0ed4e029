//! A slot with nothing behind it: whoever writes or reads beyond its end is killed.
//!
//! Owns a file in memory, mapped before a page nobody may touch.
//!
//! # Safety
//!
//! The pages are mapped for as long as there is the slot, which each target made of it keeps. Tests look at it only
//! while no decoder runs.
#![allow(unsafe_code)]

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use streamem_codec::{Planes, Target};

const PAGE: usize = 4096;
/// What lies before the slot.
const CANARY: u8 = 0xa5;

#[derive(Debug)]
pub struct Slot {
    all: NonNull<c_void>,
    mapped: usize,
    start: usize,
    pub bytes: usize,
}

// SAFETY: it is memory, which belongs to no thread.
unsafe impl Send for Slot {}
// SAFETY: it is looked at while nobody writes.
unsafe impl Sync for Slot {}

impl Slot {
    /// Of so many bytes, which end where the forbidden page begins.
    pub fn new(bytes: usize) -> Arc<Slot> {
        let mapped = (bytes + PAGE).next_multiple_of(PAGE);
        let file = memfd_create("slot", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&file, mapped as u64).unwrap();
        // SAFETY: a new place, nowhere in use.
        let all = unsafe {
            mmap_anonymous(
                null_mut(),
                mapped + PAGE,
                ProtFlags::empty(),
                MapFlags::PRIVATE,
            )
        };
        let all = all.unwrap();
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: it takes the place of what was just mapped, all but the last page.
        let front = unsafe {
            mmap(
                all,
                mapped,
                access,
                MapFlags::SHARED | MapFlags::FIXED,
                &file,
                0,
            )
        };
        front.unwrap();
        // SAFETY: so many bytes are mapped there.
        unsafe { all.cast::<u8>().write_bytes(CANARY, mapped) };
        Arc::new(Slot {
            all: NonNull::new(all).unwrap(),
            mapped,
            start: mapped - bytes,
            bytes,
        })
    }

    pub fn base(&self) -> NonNull<u8> {
        // SAFETY: it lies within.
        unsafe { self.all.cast::<u8>().add(self.start) }
    }

    fn whole(&self) -> &[u8] {
        // SAFETY: so many bytes are mapped, and nobody writes now.
        unsafe { std::slice::from_raw_parts(self.all.as_ptr().cast(), self.mapped) }
    }

    pub fn look(&self) -> &[u8] {
        &self.whole()[self.start..]
    }

    /// Whether nothing was written before it.
    pub fn is_front_untouched(&self) -> bool {
        self.whole()[..self.start]
            .iter()
            .all(|byte| *byte == CANARY)
    }

    pub fn overwrite(&self, byte: u8) {
        // SAFETY: so many bytes lie there, and nobody looks now.
        unsafe { self.base().write_bytes(byte, self.bytes) };
    }

    pub fn target(self: &Arc<Self>, planes: Planes) -> Target {
        let owner = Arc::clone(self);
        // SAFETY: the target keeps the slot, and so its mapping.
        unsafe { Target::new(self.base(), self.bytes, planes, owner) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: nobody has it any more.
        let _ = unsafe { munmap(self.all.as_ptr(), self.mapped + PAGE) };
    }
}
