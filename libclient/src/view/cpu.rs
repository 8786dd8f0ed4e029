//! A leased frame as bytes in this process's memory.
//!
//! Owns the step from a lease to a slice; never copies, never hands out a byte beyond the slot.
//!
//! # Safety
//!
//! A shared slice promises that nobody writes its bytes while it is borrowed. That is what the lease
//! protocol promises too: the broker writes no slot that a lease names. The slice borrows the lease,
//! and the lease word is cleared only when that is dropped. The pool is mapped read-only, so nothing
//! in this process can write there either. The broker is trusted in this one point: it owns the
//! memory and could always write to it. The same goes for the publisher of a stream that is filled from
//! outside: it has the slots mapped for writing, as a driver has its buffers. It is the source: what it
//! writes into a published slot damages its own frames.
#![allow(unsafe_code)]

use crate::lease::Lease;

/// The first `used` bytes of the leased slot, less if the slot is shorter.
pub(crate) fn bytes(lease: &Lease, used: u64) -> &[u8] {
    let slot_bytes = lease.memory().ring().shape().slot_bytes;
    let length = usize::try_from(used).map_or(slot_bytes, |used| used.min(slot_bytes));
    let Some((map, start)) = lease.memory().place(lease.slot()) else {
        return &[];
    };
    lease.begin_reading();
    // SAFETY: the lease names this slot for as long as the slice can live, so nobody writes it.
    let leased = unsafe { map.leased(start, length) };
    leased.unwrap_or_default()
}
