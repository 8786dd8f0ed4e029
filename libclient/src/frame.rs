//! A frame in a program's hands.
//!
//! Owns the lease and what the ring said of the frame when it was taken; never copies its bytes.

use crate::lease::Lease;
use crate::view::cpu;
use std::fmt;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_sys::dma_buf;
use streamem_wire::lease::{self, Stamp};
use streamem_wire::{Layout, Newest, Sequence, SideData};

/// One frame, held until it is dropped.
///
/// Its bytes are the broker's own memory and do not change while it is held. It can be sent to
/// another thread and outlive its subscription. Hold it no longer than it is needed: a subscription
/// may hold only as many frames as it asked for with [`leases`](crate::Builder::leases).
pub struct Frame {
    lease: Lease,
    sequence: Sequence,
    missed: u64,
    stamp: Stamp,
}

impl Frame {
    pub(crate) fn new(lease: Lease, found: Newest, missed: u64) -> Frame {
        let stamp = lease::stamp(&lease.memory().ring(), lease.slot());
        Frame {
            lease,
            sequence: found.sequence,
            missed,
            stamp,
        }
    }

    /// What the source wrote, where the broker put it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        cpu::bytes(&self.lease, self.stamp.used_bytes)
    }

    /// The same bytes as a part of a file: the descriptor of the pool, or of the slot where the publisher
    /// brought each its own, and where in it they lie.
    ///
    /// For handing the frame on to another process or to a library that maps by itself. Whoever has
    /// the descriptor can read the whole file, and only these bytes stay as they are, and only while
    /// this frame is held.
    #[must_use]
    pub fn memory(&self) -> (BorrowedFd<'_>, Range<u64>) {
        let (file, start) = self
            .lease
            .memory()
            .file(self.lease.slot())
            .expect("a leased slot is one of the pool's");
        (file, start..start + self.bytes().len() as u64)
    }

    /// The same bytes as a part of a DMA-BUF, for a device to import; `None` where the slot is none, or
    /// [`dma_buf`](crate::Builder::dma_buf) was not asked for and is needed.
    ///
    /// A device that has imported it sees every frame this slot will have. It is to read this one only
    /// while it is held, and to write none.
    #[must_use]
    pub fn dma_buf(&self) -> Option<(BorrowedFd<'_>, Range<u64>)> {
        let file = self.lease.memory().dma_buf(self.lease.slot())?;
        Some((file, 0..self.bytes().len() as u64))
    }

    /// A file that becomes readable when the device that writes this frame is done, as Vulkan and EGL take
    /// it (`sync_file`); `None` where this reader has no DMA-BUF of it, as where no device writes it. A program that
    /// reads with the processor needs none.
    pub fn sync_file(&self) -> Option<std::io::Result<OwnedFd>> {
        let file = self.lease.memory().dma_buf(self.lease.slot())?;
        Some(dma_buf::writing_is_done(file).map_err(Into::into))
    }

    /// The rows of one plane; `None` if there is no such plane or the frame is too short for it.
    #[must_use]
    pub fn plane(&self, index: usize) -> Option<&[u8]> {
        let plane = self.layout().planes.get(index)?;
        let start = usize::try_from(plane.offset).ok()?;
        let end = usize::try_from(plane.end()).ok()?;
        self.bytes().get(start..end)
    }

    /// How the bytes are to be read.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.lease.memory().layout()
    }

    /// The frame's number within its stream, beginning with 1.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence.0
    }

    /// When it was captured, by CLOCK_MONOTONIC.
    #[must_use]
    pub fn captured(&self) -> Duration {
        Duration::from_nanos(self.stamp.captured_ns)
    }

    /// When it was captured, CLOCK_MONOTONIC in nanoseconds.
    #[must_use]
    pub fn captured_ns(&self) -> u64 {
        self.stamp.captured_ns
    }

    /// When the broker made it visible, CLOCK_MONOTONIC in nanoseconds.
    #[must_use]
    pub fn published_ns(&self) -> u64 {
        self.stamp.published_ns
    }

    /// How long ago it was captured.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_nanos(monotonic_ns().saturating_sub(self.stamp.captured_ns))
    }

    /// How many frames there were between the one taken before and this one.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// What the source's own clock said, and what that clock counts: see [`clock`](crate::clock).
    #[must_use]
    pub fn source_clock(&self) -> (u32, u64) {
        (self.stamp.clock_domain, self.stamp.source_clock)
    }

    /// The source's own number for the frame, where it has one.
    #[must_use]
    pub fn source_sequence(&self) -> u64 {
        self.stamp.source_sequence
    }

    /// What is special about it: see [`flags`](crate::flags).
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.stamp.flags
    }

    /// What the source knows of the frame besides its bytes.
    #[must_use]
    pub fn side_data(&self) -> Vec<SideData> {
        let ring = self.lease.memory().ring();
        SideData::decode_all(&lease::side_data(&ring, self.lease.slot()))
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Frame")
            .field("sequence", &self.sequence.0)
            .field("missed", &self.missed)
            .field("bytes", &self.stamp.used_bytes)
            .field("captured_ns", &self.stamp.captured_ns)
            .finish_non_exhaustive()
    }
}
