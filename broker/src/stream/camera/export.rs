//! Frames in the driver's own memory, which is handed out for reading: a slot is a buffer of the driver.
//!
//! Owns which buffers the driver has; never gives it back one that somebody reads.

use super::copy::used_bytes;
use super::filler::{Filler, Taken};
use crate::pool::Claimed;
use crate::source::v4l2::Camera;
use std::sync::Arc;
use streamem_v4l2::{Error, Memory};
use streamem_wire::Layout;

pub(super) struct Export {
    camera: Arc<Camera>,
    /// Those the driver has, by their number, which is that of the slot.
    given: Vec<Option<Claimed>>,
    in_hand_max: usize,
}

impl Export {
    /// Of a camera whose buffers were made and exported when it was opened.
    pub(super) fn new(camera: Arc<Camera>, slots: usize, in_hand: u32) -> Export {
        let given = (0..slots).map(|_| None).collect();
        Export {
            camera,
            given,
            in_hand_max: in_hand as usize,
        }
    }
}

impl Filler for Export {
    fn wants(&self) -> bool {
        self.given.iter().flatten().count() < self.in_hand_max
    }

    fn give(&mut self, claimed: Claimed) -> Result<(), Error> {
        let slot = claimed.slot().index();
        let index = u32::try_from(slot).unwrap_or(u32::MAX);
        let planes = self.camera.format.planes.len();
        self.camera
            .device
            .queue_mmap(self.camera.queue, index, planes)?;
        self.given[slot] = Some(claimed);
        Ok(())
    }

    fn take(&mut self, layout: &Layout) -> Result<Option<Taken>, Error> {
        let planes = self.camera.format.planes.len();
        let said = self
            .camera
            .device
            .dequeue(self.camera.queue, Memory::Mmap, planes)?;
        let Some(said) = said else {
            return Ok(None);
        };
        let claimed = self
            .given
            .get_mut(said.index as usize)
            .and_then(Option::take);
        Ok(Some(Taken {
            claimed,
            used_bytes: used_bytes(&said, layout),
            said,
        }))
    }
}
