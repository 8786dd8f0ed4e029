//! Memory of the kernel's DMA-BUF heaps: ordinary pages, or adjacent ones that were set aside at boot.
//!
//! Owns `/dev/dma_heap` and which of its heaps are tried, in which order; never asks for a descriptor that can
//! write.
//!
//! # Safety
//!
//! One ioctl, whose argument is a struct of the kernel's layout that outlives the call, and which fills in a
//! descriptor that belongs to nobody yet.
#![allow(unsafe_code)]

use super::allotted::Maker;
use super::open_maker;
use rustix::fs::OFlags;
use rustix::ioctl::{Updater, ioctl, opcode};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};

const PLACE: &str = "/dev/dma_heap";
const DENIED: &str = " (give it to the broker's user, as udev/70-streamem.rules does)";
const ALLOCATE: rustix::ioctl::Opcode = opcode::read_write::<Allocation>(b'H', 0);
/// Memory no processor may read; to try could be the end of who reads.
const UNREADABLE: [&str; 3] = ["secure", "protected", "restricted"];
/// Memory that processors read slowly.
const UNCACHED: &str = "uncached";

#[repr(C)]
#[derive(Debug)]
struct Allocation {
    bytes: u64,
    fd: u32,
    fd_flags: u32,
    heap_flags: u64,
}

const _: () = assert!(size_of::<Allocation>() == 24);

/// A heap.
#[derive(Debug)]
pub struct DmaHeap {
    path: PathBuf,
}

impl DmaHeap {
    /// All there are. That of ordinary pages is the first: what was set aside for devices is little, and
    /// whether a driver needs it is found out.
    pub fn all() -> io::Result<Vec<DmaHeap>> {
        DmaHeap::all_in(Path::new(PLACE))
    }

    fn all_in(folder: &Path) -> io::Result<Vec<DmaHeap>> {
        let named = |why: io::Error| {
            let place = folder.display();
            io::Error::new(
                why.kind(),
                format!("{place}: {why}: the kernel has no heaps, or CONFIG_DMABUF_HEAPS is off"),
            )
        };
        let entries = fs::read_dir(folder).map_err(named)?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| !UNREADABLE.iter().any(|word| name.contains(word)))
            .collect();
        names.sort_by_key(|name| (name.contains(UNCACHED), name != "system", name.clone()));
        let heap = |name| DmaHeap {
            path: folder.join(name),
        };
        Ok(names.into_iter().map(heap).collect())
    }
}

impl Maker for DmaHeap {
    fn kind(&self) -> &'static str {
        "dma_heap"
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn make(&self, bytes: u64, count: usize) -> io::Result<Vec<OwnedFd>> {
        let heap = open_maker(&self.path, OFlags::RDONLY, "", DENIED)?;
        (0..count).map(|_| allocate(heap.as_fd(), bytes)).collect()
    }
}

fn allocate(heap: BorrowedFd<'_>, bytes: u64) -> io::Result<OwnedFd> {
    let mut wanted = Allocation {
        bytes,
        fd: 0,
        fd_flags: (OFlags::RDONLY | OFlags::CLOEXEC).bits(),
        heap_flags: 0,
    };
    // SAFETY: `ALLOCATE` takes a pointer to this very struct, and fills in the descriptor.
    let call = unsafe { Updater::<ALLOCATE, Allocation>::new(&mut wanted) };
    // SAFETY: as above; the heap is open while it is borrowed.
    unsafe { ioctl(heap, call) }?;
    // SAFETY: the call succeeded, so this is a descriptor that was just made for us.
    Ok(unsafe { OwnedFd::from_raw_fd(wanted.fd.cast_signed()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heaps_are_tried_in_the_order_of_what_they_cost() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "reserved",
            "system-uncached",
            "system",
            "linux,cma",
            "vframe-secure",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let heaps = DmaHeap::all_in(folder.path()).unwrap();
        let names: Vec<&str> = heaps
            .iter()
            .filter_map(|heap| heap.path.file_name()?.to_str())
            .collect();
        assert_eq!(
            names,
            ["system", "linux,cma", "reserved", "system-uncached"]
        );
    }

    #[test]
    fn a_kernel_without_heaps_is_named() {
        let why = DmaHeap::all_in(Path::new("/nowhere"))
            .unwrap_err()
            .to_string();
        assert!(
            why.contains("/nowhere") && why.contains("CONFIG_DMABUF_HEAPS"),
            "{why}"
        );
    }

    #[test]
    fn what_is_no_heap_makes_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let heap = DmaHeap {
            path: file.path().to_owned(),
        };
        assert!(heap.make(4096, 1).is_err());
    }
}
