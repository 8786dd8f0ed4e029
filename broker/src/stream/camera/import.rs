//! Frames the driver writes where they are to be: its buffers are our slots.
//!
//! Owns which slot the driver has under which number; never touches a pixel.

use super::copy::used_bytes;
use super::filler::{Filler, Taken};
use super::pool::planes;
use crate::pool::Claimed;
use crate::source::v4l2::Camera;
use crate::stream::StreamMemory;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use streamem_sys::dma_buf;
use streamem_v4l2::{Error, Memory};
use streamem_wire::Layout;

pub(super) struct Import {
    camera: Arc<Camera>,
    memory: Arc<StreamMemory>,
    parts: Vec<Range<u64>>,
    /// By the driver's number.
    buffers: Vec<Buffer>,
    in_hand_max: usize,
}

#[derive(Default)]
struct Buffer {
    claimed: Option<Claimed>,
    /// The slot it was last; the driver need not map it anew if it is that again.
    was: Option<usize>,
}

impl Import {
    /// Agrees with the driver on how many buffers there are.
    pub(super) fn new(
        camera: Arc<Camera>,
        memory: Arc<StreamMemory>,
        in_hand: u32,
    ) -> Result<Import, Error> {
        let slots = memory.shape().slots;
        let wanted = u32::try_from(slots).unwrap_or(u32::MAX).clamp(in_hand, 32);
        let count = camera
            .device
            .request(camera.queue, Memory::DmaBuf, wanted)?;
        let buffers = (0..count).map(|_| Buffer::default()).collect();
        Ok(Import {
            parts: camera.parts(),
            camera,
            memory,
            buffers,
            in_hand_max: in_hand.min(count) as usize,
        })
    }

    /// What of a slot the driver writes.
    fn of_slot(&self, slot: usize) -> &[OwnedFd] {
        let each = self.parts.len().max(1);
        let all = self.memory.pool.for_drivers();
        all.chunks(each).nth(slot).unwrap_or_default()
    }

    fn number_for(&self, slot: usize) -> Option<usize> {
        let free = |index: &usize| self.buffers[*index].claimed.is_none();
        let is_old = |index: &usize| self.buffers[*index].was == Some(slot);
        let is_new = |index: &usize| self.buffers[*index].was.is_none();
        let mut all = (0..self.buffers.len()).filter(free);
        let found = all
            .clone()
            .find(is_old)
            .or_else(|| all.clone().find(is_new));
        found.or_else(|| all.next())
    }
}

impl Filler for Import {
    fn wants(&self) -> bool {
        self.buffers
            .iter()
            .filter(|buffer| buffer.claimed.is_some())
            .count()
            < self.in_hand_max
    }

    fn give(&mut self, claimed: Claimed) -> Result<(), Error> {
        let slot = claimed.slot().index();
        let Some(number) = self.number_for(slot) else {
            return Ok(());
        };
        let planes = planes(&self.parts, self.of_slot(slot));
        let index = u32::try_from(number).unwrap_or(u32::MAX);
        self.camera
            .device
            .queue_dma_buf(self.camera.queue, index, &planes)?;
        self.buffers[number] = Buffer {
            claimed: Some(claimed),
            was: Some(slot),
        };
        Ok(())
    }

    fn take(&mut self, layout: &Layout) -> Result<Option<Taken>, Error> {
        let planes = self.camera.format.planes.len();
        let Some(said) = self
            .camera
            .device
            .dequeue(self.camera.queue, Memory::DmaBuf, planes)?
        else {
            return Ok(None);
        };
        let buffer = self.buffers.get_mut(said.index as usize);
        let claimed = buffer.and_then(|buffer| buffer.claimed.take());
        // Readers of a memfd cannot say that they read what a device wrote; so it is said here.
        let parts = match &claimed {
            Some(claimed) if self.memory.pool.made().is_some() => {
                self.of_slot(claimed.slot().index())
            }
            _ => &[],
        };
        for part in parts {
            let _needs_no_word =
                dma_buf::begin_reading(part).and_then(|()| dma_buf::end_reading(part));
        }
        Ok(Some(Taken {
            claimed,
            used_bytes: used_bytes(&said, layout),
            said,
        }))
    }
}
