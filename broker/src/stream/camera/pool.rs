//! The pool of a camera whose driver writes into it.
//!
//! Owns which part of it is which buffer; never decides whether there is one.

use crate::pool::{Allocator, Memory, PoolError, Protection, Request, Udmabuf};
use crate::stream::published_slot_bytes;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use streamem_v4l2::DmaPlane;
use streamem_wire::{Layout, StreamName};

/// A pool of so many slots, of each of which a device writes these parts. All its memory is there when this
/// returns, which takes time.
pub(super) fn device_pool(
    allocator: &Udmabuf,
    name: &StreamName,
    layout: &Layout,
    slots: u32,
    parts: &[Range<u64>],
    protection: Protection,
) -> Result<Memory, PoolError> {
    let slot_bytes = published_slot_bytes(layout) as u64;
    let of_slot = |slot: u64| {
        let from = slot * slot_bytes;
        parts
            .iter()
            .map(move |part| from + part.start..from + part.end)
    };
    let bytes = usize::try_from(slot_bytes * u64::from(slots)).unwrap_or(usize::MAX);
    allocator.allocate(&Request {
        parts: (0..u64::from(slots)).flat_map(of_slot).collect(),
        ..Request::plain(format!("streamem-pool-{name}"), bytes, protection)
    })
}

/// The buffers of a slot, as the driver is given them.
pub(super) fn planes<'a>(
    parts: &[Range<u64>],
    buffers: impl IntoIterator<Item = &'a OwnedFd>,
) -> Vec<DmaPlane<'a>> {
    let plane = |(part, buffer): (&Range<u64>, &'a OwnedFd)| DmaPlane {
        fd: buffer.as_fd(),
        length: u32::try_from(part.end - part.start).unwrap_or(u32::MAX),
        offset: 0,
        used: 0,
    };
    parts.iter().zip(buffers).map(plane).collect()
}
