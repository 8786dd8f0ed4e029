//! A granted slot as bytes this process writes.
//!
//! Owns the step from a grant to a mutable slice; never hands out a byte beyond the slot.
//!
//! # Safety
//!
//! A mutable slice promises that nobody else reads or writes its bytes while it is borrowed. The broker
//! grants a slot only when no reader has a lease on it, and no reader takes one before the slot is
//! submitted and published. In this process the slice borrows the publisher mutably, so there is one at
//! a time. The broker is trusted in this one point, as with frames that are read: it owns the memory.
#![allow(unsafe_code)]

use streamem_sys::{Mapping, Writable};
use streamem_wire::Slot;

/// The first `length` bytes of a granted slot. Who calls this has the publisher borrowed mutably as long as they are used.
#[allow(
    clippy::mut_from_ref,
    reason = "exclusive by the borrow of the publisher, which shares its mapping with who keeps it mapped"
)]
pub(crate) fn bytes(
    pool: &Mapping<Writable>,
    slot: Slot,
    slot_bytes: usize,
    length: usize,
) -> &mut [u8] {
    let start = slot.index() * slot_bytes;
    // SAFETY: the slot was granted and not submitted yet, and its publisher is borrowed mutably.
    let granted = unsafe { pool.claimed(start, length.min(slot_bytes)) };
    granted.unwrap_or_default()
}
