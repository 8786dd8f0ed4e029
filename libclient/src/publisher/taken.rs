//! Slots that are held several at a time, and where they lie.
//!
//! Owns what keeps their memory mapped; never writes a byte there.

use std::any::Any;
use std::ptr::NonNull;
use std::sync::Arc;
use streamem_sys::{Mapping, Writable};
use streamem_wire::Slot;

/// A slot in hand. See [`Publisher::take`](crate::Publisher::take).
#[derive(Debug, PartialEq, Eq)]
pub struct Granted {
    pub(super) slot: Slot,
    pub(super) hold: u64,
}

impl Granted {
    /// Which slot it is.
    #[must_use]
    pub fn index(&self) -> usize {
        self.slot.index()
    }
}

/// Where a slot lies. The memory stays mapped as long as this, or a clone of it, is there.
#[derive(Clone, Debug)]
pub struct SlotMemory {
    pool: Arc<Mapping<Writable>>,
    at: NonNull<u8>,
    bytes: usize,
}

impl SlotMemory {
    pub(super) fn of(
        pool: &Arc<Mapping<Writable>>,
        slot: Slot,
        slot_bytes: u64,
    ) -> Option<SlotMemory> {
        let bytes = usize::try_from(slot_bytes).ok()?;
        let at = pool.at(slot.index().checked_mul(bytes)?, bytes)?;
        let pool = Arc::clone(pool);
        Some(SlotMemory { pool, at, bytes })
    }

    /// Its first byte. Writing there is for who holds the slot, and over when the slot is submitted; reading is not.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        self.at
    }

    /// What keeps the memory mapped.
    #[must_use]
    pub fn keeper(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.pool) as Arc<_>
    }

    /// How many bytes it has, which may be more than a frame.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Always false.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pool.is_empty()
    }
}
