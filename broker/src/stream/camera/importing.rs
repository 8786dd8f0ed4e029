//! Which memory of ours a camera's driver writes into: found out by giving it some.
//!
//! Owns the trial of each kind of memory; never decides whether another way is taken.

use super::opening::Wanted;
use super::pool::{device_pool, planes};
use crate::pool::{Allocator, Allotted, Card, DmaHeap, Maker, Protection, Request, Udmabuf, allot};
use crate::source::v4l2::{Camera, DeviceMemory};
use crate::stream::{BROUGHT_MAX, Pool, published_slot_bytes};
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use streamem_v4l2::Memory;

/// Buffers of one memory that are tried. One may lie by luck as a device needs it that can only write to
/// adjacent pages.
const TRIED: u32 = 3;

/// Memory of ours that a driver takes.
#[derive(Debug)]
pub(super) struct Imported {
    /// The slots; none if those the stream has do.
    pub(super) pool: Option<Pool>,
    /// The kinds that did not do, each with what went wrong.
    pub(super) notes: Vec<String>,
}

/// Finds memory this driver writes into.
pub(super) fn import(camera: &Camera, wanted: &Wanted) -> Result<Imported, String> {
    let asked = wanted.wish.memory;
    let kinds = asked
        .as_ref()
        .map_or(&DeviceMemory::UNASKED[..], std::slice::from_ref);
    let mut notes = Vec::new();
    for kind in kinds {
        let tried = match kind {
            DeviceMemory::Udmabuf => udmabuf(camera, wanted),
            DeviceMemory::DmaHeap => each(camera, wanted, DmaHeap::all()),
            DeviceMemory::Drm => each(camera, wanted, Card::all()),
        };
        match tried {
            Ok(pool) => return Ok(Imported { pool, notes }),
            Err(why) => notes.push(format!("{}: {why}", kind.name())),
        }
    }
    Err(notes.join("; "))
}

/// One memory with a DMA-BUF over each slot.
fn udmabuf(camera: &Camera, wanted: &Wanted) -> Result<Option<Pool>, String> {
    let allocator = Udmabuf::open().map_err(|why| why.to_string())?;
    let parts = camera.parts();
    let bytes = parts.last().map_or(0, |part| part.end);
    let shift = |by: u64| {
        parts
            .iter()
            .map(move |part| part.start + by * bytes..part.end + by * bytes)
    };
    let request = Request {
        parts: (0..u64::from(TRIED)).flat_map(shift).collect(),
        ..Request::plain(
            "streamem-trial".to_owned(),
            usize::try_from(bytes * u64::from(TRIED)).unwrap_or(usize::MAX),
            Protection::Sealed,
        )
    };
    let memory = allocator
        .allocate(&request)
        .map_err(|why| why.to_string())?;
    takes(camera, &parts, &memory.parts)?;
    if wanted.has.as_ref() == Some(&camera.layout) {
        return Ok(None);
    }
    let pool = device_pool(
        &allocator,
        &wanted.name,
        &camera.layout,
        wanted.slots,
        &parts,
        wanted.protection,
    );
    let pool = pool.map_err(|why| why.to_string())?;
    Ok(Some(Pool::Made(Arc::new(pool))))
}

/// A DMA-BUF for each slot, from the first maker whose do. The driver is given every one of them, so that
/// none of them lies well by luck.
fn each<M: Maker>(
    camera: &Camera,
    wanted: &Wanted,
    makers: io::Result<Vec<M>>,
) -> Result<Option<Pool>, String> {
    let parts = camera.parts();
    if parts.len() > 1 {
        return Err("a frame lies in more than one buffer, and here a slot is one".to_owned());
    }
    let slots = usize::try_from(wanted.slots).map_or(BROUGHT_MAX, |slots| slots.min(BROUGHT_MAX));
    let (name, bytes) = (wanted.name.as_str(), published_slot_bytes(&camera.layout));
    let mut notes = Vec::new();
    for maker in makers.map_err(|why| why.to_string())? {
        let tried = allot(&maker, name, bytes, slots).map_err(|why| why.to_string());
        let taken = tried.and_then(|allotted: Allotted| {
            takes(camera, &parts, &allotted.slots)?;
            Ok(allotted)
        });
        match taken {
            Ok(allotted) => return Ok(Some(Pool::Allotted(allotted))),
            Err(why) => notes.push(format!("{}: {why}", maker.place())),
        }
    }
    if notes.is_empty() {
        return Err("there is none".to_owned());
    }
    Err(notes.join("; "))
}

/// Whether the driver takes these buffers.
fn takes(camera: &Camera, parts: &[Range<u64>], buffers: &[OwnedFd]) -> Result<(), String> {
    let (device, queue) = (&camera.device, camera.queue);
    let failed = |why: streamem_v4l2::Error| why.to_string();
    let all: Vec<&[OwnedFd]> = buffers.chunks(parts.len().max(1)).collect();
    let wanted = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let count = device
        .request(queue, Memory::DmaBuf, wanted)
        .map_err(failed)?;
    let tried: Result<(), String> = (0..count).zip(all).try_for_each(|(index, buffers)| {
        let planes = planes(parts, buffers);
        device.queue_dma_buf(queue, index, &planes).map_err(failed)
    });
    device.request(queue, Memory::DmaBuf, 0).map_err(failed)?;
    tried
}
