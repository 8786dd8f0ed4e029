//! The right to write into one slot: what a source is granted, fills, and hands back.
//!
//! Owns exclusive use of the slot's bytes; there is one such value for a slot at a time, and it is
//! made only after the lease protocol found nobody reading.
//!
//! # Safety
//!
//! [`Claimed::bytes`] is sound because `Claimed` is neither cloned nor made twice for a slot (the
//! stream's slot table says `Granted` until it comes back), and no reader leases a slot whose
//! sequence is 0, which the claim stored before it looked for leases.
#![allow(unsafe_code)]

use super::Memory;
use std::sync::Arc;
use streamem_wire::{Generation, Slot};

/// A slot nobody else reads or writes.
#[derive(Debug)]
pub struct Claimed {
    memory: Option<Arc<Memory>>,
    slot: Slot,
    generation: Generation,
    from: usize,
    length: usize,
}

impl Claimed {
    /// Made by a stream, for a slot it has just reclaimed; without memory where the broker has none.
    pub(crate) fn new(
        memory: Option<Arc<Memory>>,
        slot: Slot,
        generation: Generation,
        from: usize,
        length: usize,
    ) -> Claimed {
        Claimed {
            memory,
            slot,
            generation,
            from,
            length,
        }
    }

    /// Which slot.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Of which memory.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The slot's bytes; none if they are not the broker's.
    pub fn bytes(&mut self) -> &mut [u8] {
        let Some(memory) = &self.memory else {
            return &mut [];
        };
        // SAFETY: see the module's safety section; `&mut self` makes it the only use in this process.
        let bytes = unsafe { memory.map.claimed(self.from, self.length) };
        bytes.unwrap_or_default()
    }
}
