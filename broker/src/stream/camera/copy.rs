//! Frames copied from the driver's memory: what works with every driver.
//!
//! Owns the driver's buffers while it lasts; each frame is written once more than it need be.

use super::filler::{Filler, Taken};
use crate::pool::Claimed;
use crate::source::v4l2::Camera;
use std::sync::Arc;
use streamem_v4l2::{Dequeued, Error, Mapped, Memory};
use streamem_wire::{Kind, Layout};

/// The driver fills one while the others wait to be filled or copied.
const BUFFERS: u32 = 4;

pub(super) struct Copy {
    camera: Arc<Camera>,
    buffers: Vec<Vec<Mapped>>,
    spare: Option<Claimed>,
}

impl Copy {
    /// Has the driver make its buffers and gives it all of them.
    pub(super) fn new(camera: Arc<Camera>) -> Result<Copy, Error> {
        let (device, queue, planes) = (&camera.device, camera.queue, camera.format.planes.len());
        let count = device.request(queue, Memory::Mmap, BUFFERS)?;
        let mut buffers = Vec::new();
        for index in 0..count {
            let places = device.query(queue, Memory::Mmap, index, planes)?;
            let mapped = places.iter().map(|place| Mapped::of(device, *place));
            buffers.push(mapped.collect::<Result<Vec<Mapped>, Error>>()?);
            device.queue_mmap(queue, index, planes)?;
        }
        Ok(Copy {
            camera,
            buffers,
            spare: None,
        })
    }

    fn copy(&self, said: &Dequeued, layout: &Layout, slot: &mut [u8]) -> usize {
        let planes = self
            .buffers
            .get(said.index as usize)
            .map_or(&[][..], Vec::as_slice);
        let mut end = 0;
        for (index, (plane, used)) in planes.iter().zip(said.planes.iter()).enumerate() {
            let from = used.offset as usize;
            let offset = if planes.len() > 1 {
                layout.planes.get(index).map_or(0, |plane| plane.offset)
            } else {
                0
            };
            let target = slot
                .get_mut(usize::try_from(offset).unwrap_or(usize::MAX)..)
                .unwrap_or_default();
            let length = plane
                .len()
                .min(used.bytes as usize)
                .saturating_sub(from)
                .min(target.len());
            if !plane.copy_to(from, &mut target[..length]) {
                continue;
            }
            end = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .saturating_add(length)
                .max(end);
        }
        end
    }
}

impl Filler for Copy {
    fn wants(&self) -> bool {
        self.spare.is_none()
    }

    fn give(&mut self, claimed: Claimed) -> Result<(), Error> {
        self.spare = Some(claimed);
        Ok(())
    }

    fn take(&mut self, layout: &Layout) -> Result<Option<Taken>, Error> {
        let (device, queue, planes) = (
            &self.camera.device,
            self.camera.queue,
            self.camera.format.planes.len(),
        );
        let Some(said) = device.dequeue(queue, Memory::Mmap, planes)? else {
            return Ok(None);
        };
        let mut claimed = self.spare.take();
        let used_bytes = match &mut claimed {
            Some(claimed) => self.copy(&said, layout, claimed.bytes()),
            None => 0,
        };
        device.queue_mmap(queue, said.index, planes)?;
        Ok(Some(Taken {
            claimed,
            used_bytes,
            said,
        }))
    }
}

/// Bytes that count, by what the driver says it wrote into each buffer.
pub(super) fn used_bytes(said: &Dequeued, layout: &Layout) -> usize {
    let end = match &said.planes[..] {
        [only] => u64::from(only.bytes),
        several => {
            let ends = several
                .iter()
                .zip(&layout.planes)
                .map(|(used, plane)| plane.offset + u64::from(used.bytes));
            ends.max().unwrap_or(0)
        }
    };
    usize::try_from(end.min(layout.bytes)).unwrap_or(usize::MAX)
}

/// Whether the driver wrote less than a picture has.
pub(super) fn is_short(used_bytes: usize, layout: &Layout) -> bool {
    let needs = layout
        .planes
        .iter()
        .map(streamem_wire::Plane::end)
        .max()
        .unwrap_or(1);
    layout.kind == Kind::Video && (used_bytes as u64) < needs
}
