//! A granted slot in a program's hands.
//!
//! Owns what will be said of the frame; never publishes it before it is submitted.

use super::Publisher;
use crate::error::Error;
use streamem_wire::lease::Stamp;
use streamem_wire::{Layout, SIDE_BYTES_MAX, SideData, Slot};

/// A slot to be filled and submitted; dropped without that, it stays in hand for the next time.
#[derive(Debug)]
pub struct SlotMut<'a> {
    publisher: &'a mut Publisher,
    slot: Slot,
    stamp: Stamp,
    side: Vec<u8>,
    submitted: bool,
}

impl Drop for SlotMut<'_> {
    fn drop(&mut self) {
        if !self.submitted {
            self.publisher.keep(self.slot);
        }
    }
}

impl<'a> SlotMut<'a> {
    pub(super) fn of(publisher: &'a mut Publisher, slot: Slot) -> SlotMut<'a> {
        let stamp = Stamp {
            used_bytes: publisher.layout.bytes,
            ..Stamp::default()
        };
        SlotMut {
            publisher,
            slot,
            stamp,
            side: Vec::new(),
            submitted: false,
        }
    }

    /// The bytes to fill, as many as a frame has; what was in them before is still there. Empty if
    /// the memory was brought.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.publisher.bytes_of(self.slot)
    }

    /// How the frame is to lie.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.publisher.layout
    }

    /// Which slot it is: of memory that was brought, the place of its descriptor.
    #[must_use]
    pub fn index(&self) -> usize {
        self.slot.index()
    }

    /// When the frame was captured, CLOCK_MONOTONIC; the moment of publishing unless said.
    pub fn captured_ns(&mut self, captured_ns: u64) {
        self.stamp.captured_ns = captured_ns;
    }

    /// How many bytes hold data, where that differs from frame to frame.
    pub fn used_bytes(&mut self, bytes: usize) {
        self.stamp.used_bytes = bytes as u64;
    }

    /// What the source's own clock says, and what it counts: see [`clock`](crate::clock).
    pub fn source_clock(&mut self, domain: u32, value: u64) {
        (self.stamp.clock_domain, self.stamp.source_clock) = (domain, value);
    }

    /// The source's own number for the frame.
    pub fn source_sequence(&mut self, number: u64) {
        self.stamp.source_sequence = number;
    }

    /// What is special about the frame: see [`flags`](crate::flags).
    pub fn flags(&mut self, flags: u32) {
        self.stamp.flags = flags;
    }

    /// What is known of the frame besides its bytes.
    pub fn side_data(&mut self, blocks: &[SideData]) {
        self.side.clear();
        blocks.iter().for_each(|block| block.encode(&mut self.side));
    }

    /// Hands the frame over; the broker publishes it at once. One that is refused here stays in hand.
    pub fn submit(mut self) -> Result<(), Error> {
        let (bytes, most) = (self.stamp.used_bytes, self.publisher.layout.bytes);
        if bytes > most {
            return Err(Error::TooLong { bytes, most });
        }
        let bytes = self.side.len();
        if bytes > SIDE_BYTES_MAX {
            return Err(Error::SideData { bytes });
        }
        self.submitted = true;
        let slot = self.slot;
        match self.publisher.hold_mut() {
            Some(hold) => hold.submit(slot, &self.stamp, &self.side),
            None => Ok(()),
        }
    }
}
