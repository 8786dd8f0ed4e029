//! Shared memory the broker gives away for reading: pools of slots, rings, lease pages.
//!
//! Owns the one-verb trait every kind of memory is made through; never decides what goes into it.

mod allotted;
mod allowance;
mod dma_heap;
mod drm;
mod memfd;
mod slot;
mod udmabuf;

pub use self::drm::Card;
pub use allotted::{Allotted, Maker, allot};
pub use dma_heap::DmaHeap;
pub use memfd::{Memfd, Unsealed, adopt, seal};
pub use slot::Claimed;
pub use udmabuf::Udmabuf;

use rustix::fs::{Mode, OFlags, open};
use std::fmt;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use streamem_sys::{MapError, Mapping, Writable};

/// What keeps a client from writing to memory it may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// `F_SEAL_FUTURE_WRITE`: nobody, whoever they are, ever gets another writable mapping. Nor does
    /// a restarted broker, so this memory ends with its maker.
    Sealed,
    /// Descriptors are read-only and the file belongs to the broker's user alone, so that only this
    /// user can open it for writing. A restarted broker can go on with it.
    Guarded,
    /// Written by the client it is given to: a lease page.
    Shared,
    /// Written by a publisher, who maps it before it is sealed; until then no reader is given it.
    Lent,
}

impl Protection {
    /// The word for it on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protection::Sealed => "sealed",
            Protection::Guarded => "guarded",
            Protection::Shared => "shared",
            Protection::Lent => "lent",
        }
    }
}

/// What is asked of an [`Allocator`].
#[derive(Clone, Debug)]
pub struct Request {
    /// For people who look into /proc.
    pub name: String,
    /// How much; rounded up to whole pages.
    pub bytes: usize,
    /// What keeps clients from writing.
    pub protection: Protection,
    /// Whether huge pages are wanted. Where there are none, ordinary ones do.
    pub huge: bool,
    /// What of it devices are to write, each by itself; empty if none are.
    pub parts: Vec<Range<u64>>,
}

impl Request {
    /// Ordinary memory that no device writes.
    #[must_use]
    pub fn plain(name: String, bytes: usize, protection: Protection) -> Request {
        Request {
            name,
            bytes,
            protection,
            huge: false,
            parts: Vec::new(),
        }
    }
}

/// Memory the broker writes and others read.
#[derive(Debug)]
pub struct Memory {
    /// The broker's own look at it.
    pub map: Mapping<Writable>,
    /// What it is made of.
    pub kind: &'static str,
    /// What keeps clients from writing.
    pub protection: Protection,
    /// Whether it has huge pages.
    pub huge: bool,
    /// Its parts as devices know them; empty if they know none.
    pub parts: Vec<OwnedFd>,
    owned: OwnedFd,
    given: OwnedFd,
}

impl Memory {
    /// The descriptor clients are given.
    #[must_use]
    pub fn given(&self) -> BorrowedFd<'_> {
        self.given.as_fd()
    }

    /// The descriptor that can be mapped for writing; it never leaves the broker's own service.
    #[must_use]
    pub fn owned(&self) -> BorrowedFd<'_> {
        self.owned.as_fd()
    }
}

/// A way to come by memory.
pub trait Allocator: fmt::Debug {
    /// Makes memory, zeroed, of which nothing is committed before it is touched.
    fn allocate(&self, request: &Request) -> Result<Memory, PoolError>;
}

/// Opens what makes memory. Whoever is refused is told what it is, and the next step.
fn open_maker(place: &Path, flags: OFlags, absent: &str, denied: &str) -> io::Result<OwnedFd> {
    open(place, flags | OFlags::CLOEXEC, Mode::empty()).map_err(|why| {
        let why = io::Error::from(why);
        let remedy = match why.kind() {
            io::ErrorKind::NotFound => absent,
            io::ErrorKind::PermissionDenied => denied,
            _ => "",
        };
        io::Error::new(why.kind(), format!("{}: {why}{remedy}", place.display()))
    })
}

fn next_step<'a>(known: &'a str, cause: &io::Error) -> &'a str {
    if known.is_empty() {
        streamem_sys::remedy(cause)
    } else {
        known
    }
}

/// Why there is no memory.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// A system call failed.
    #[error(
        "memory {name:?} of {bytes} bytes: {action} failed: {cause}{}",
        next_step(remedy, cause)
    )]
    System {
        /// Whose memory.
        name: String,
        /// How much.
        bytes: usize,
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        cause: io::Error,
        /// What to do, where that is known without asking the cause.
        remedy: &'static str,
    },
    /// It could not be mapped.
    #[error("memory {name:?}: {cause}")]
    Map {
        /// Whose memory.
        name: String,
        /// Why.
        cause: MapError,
    },
}
