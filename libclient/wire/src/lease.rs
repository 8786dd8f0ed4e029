//! The lease protocol: how a reader comes to hold a slot and a writer to reuse one, without a lock.
//!
//! Owns the memory orderings; never waits. A lease is a hazard pointer:
//!
//! ```text
//! reader                                writer, before it reuses a slot
//! lease word = slot                     record.sequence = 0
//! full fence                            full fence
//! record.sequence still the same?       any lease word names the slot?
//!   yes: leased                           yes: put the sequence back, take another slot
//!   no:  lease word = 0, refused          no:  the slot is the writer's
//! ```
//!
//! Of the two fences one comes first, so either the reader sees the 0 or the writer sees the lease.
//! The same source runs under loom (`--cfg loom`), where every interleaving is tried.

use crate::id::{Generation, Sequence, Slot};
use crate::lease_page::{LeasePage, lease_word, page};
use crate::ring::{Newest, Ring, SIDE_BYTES_MAX, header, record};
use crate::sync::{Acquire, AtomicU64, Relaxed, Release, SeqCst, fence};

/// Why a reader did not get the frame it asked for. Not an error: go on to a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The slot holds another frame by now.
    Stale,
    /// The ring names a slot the pool does not have: the ring cannot be trusted.
    NoSuchSlot,
}

/// Reader: leases the frame `wanted` through the lease word `place`, which must be free.
///
/// On success the slot's bytes and record stay as they are until [`release`].
pub fn lease(ring: &Ring<'_>, place: &AtomicU64, wanted: Newest) -> Result<(), Refused> {
    let record = ring.record(wanted.slot).ok_or(Refused::NoSuchSlot)?;
    // Looked at once before, while the lease word is still on its way here: both come from cold memory.
    if record[record::SEQUENCE].load(Relaxed) != wanted.sequence.0 {
        return Err(Refused::Stale);
    }
    place.store(lease_word(ring.shape().generation, wanted.slot), Relaxed);
    fence(SeqCst);
    if record[record::SEQUENCE].load(Acquire) == wanted.sequence.0 {
        return Ok(());
    }
    release(place);
    Err(Refused::Stale)
}

/// Reader: gives a lease back.
pub fn release(place: &AtomicU64) {
    place.store(0, Release);
}

/// Reader: the newest frame there is.
#[must_use]
pub fn newest(ring: &Ring<'_>) -> Option<Newest> {
    Newest::unpack(ring.header(header::HEAD).load(Acquire))
}

/// Reader: where the frame `sequence` is, if the history still names it.
#[must_use]
pub fn find(ring: &Ring<'_>, sequence: Sequence) -> Option<Newest> {
    Newest::unpack(ring.order(sequence).load(Acquire)).filter(|found| found.sequence == sequence)
}

/// Writer: whether this page holds a lease on the slot. Reads every lease word, trusts none.
#[must_use]
pub fn holds(page: &LeasePage<'_>, generation: Generation, slot: Slot) -> bool {
    let wanted = lease_word(generation, slot);
    page.leases()
        .iter()
        .any(|word| word.load(Acquire) == wanted)
}

/// Writer: takes the slot for writing unless `held` finds a lease on it.
///
/// Returns whether the slot is the writer's now; if not, it is as readable as before.
pub fn reclaim(ring: &Ring<'_>, slot: Slot, held: impl Fn() -> bool) -> bool {
    let Some(record) = ring.record(slot) else {
        return false;
    };
    let sequence = record[record::SEQUENCE].load(Relaxed);
    record[record::SEQUENCE].store(0, Relaxed);
    fence(SeqCst);
    if held() {
        record[record::SEQUENCE].store(sequence, Release);
        return false;
    }
    true
}

/// What the ring says of a frame besides its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Capture time, CLOCK_MONOTONIC.
    pub captured_ns: u64,
    /// Publish time, CLOCK_MONOTONIC.
    pub published_ns: u64,
    /// The source's own clock.
    pub source_clock: u64,
    /// What that clock counts.
    pub clock_domain: u32,
    /// See [`crate::flags`].
    pub flags: u32,
    /// Bytes of the slot that hold data.
    pub used_bytes: u64,
    /// The source's own frame counter.
    pub source_sequence: u64,
}

/// Writer: makes a reclaimed and filled slot the newest frame. Side-data beyond what a record can
/// carry is cut.
pub fn publish(ring: &Ring<'_>, frame: Newest, stamp: &Stamp, side: &[u8]) {
    let Some(record) = ring.record(frame.slot) else {
        return;
    };
    let put = |at: usize, value: u64| record[at].store(value, Relaxed);
    put(record::CAPTURED_NS, stamp.captured_ns);
    put(record::PUBLISHED_NS, stamp.published_ns);
    put(record::SOURCE_CLOCK, stamp.source_clock);
    put(
        record::DOMAIN_AND_FLAGS,
        u64::from(stamp.flags) << 32 | u64::from(stamp.clock_domain),
    );
    put(record::USED_BYTES, stamp.used_bytes);
    put(record::SOURCE_SEQUENCE, stamp.source_sequence);
    let side = &side[..side.len().min(SIDE_BYTES_MAX)];
    put(record::SIDE_BYTES, side.len() as u64);
    for (index, chunk) in side.chunks(8).enumerate() {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        put(record::SIDE + index, u64::from_le_bytes(word));
    }
    record[record::SEQUENCE].store(frame.sequence.0, Release);
    ring.order(frame.sequence).store(frame.pack(), Release);
    ring.header(header::HEAD).store(frame.pack(), Release);
}

/// Writer: says that there is no frame, as in a ring nothing was published to yet. What its slots hold is
/// reclaimed one by one.
pub fn withdraw(ring: &Ring<'_>) {
    ring.header(header::HEAD).store(0, Release);
}

/// Reader: the stamp of a leased slot; the used length is cut to the slot's.
#[must_use]
pub fn stamp(ring: &Ring<'_>, slot: Slot) -> Stamp {
    let Some(record) = ring.record(slot) else {
        return Stamp::default();
    };
    let get = |at: usize| record[at].load(Relaxed);
    let domain_and_flags = get(record::DOMAIN_AND_FLAGS);
    Stamp {
        captured_ns: get(record::CAPTURED_NS),
        published_ns: get(record::PUBLISHED_NS),
        source_clock: get(record::SOURCE_CLOCK),
        clock_domain: (domain_and_flags & 0xffff_ffff) as u32,
        flags: (domain_and_flags >> 32) as u32,
        used_bytes: get(record::USED_BYTES).min(ring.shape().slot_bytes as u64),
        source_sequence: get(record::SOURCE_SEQUENCE),
    }
}

/// Reader: the side-data of a leased slot.
#[must_use]
pub fn side_data(ring: &Ring<'_>, slot: Slot) -> Vec<u8> {
    let Some(record) = ring.record(slot) else {
        return Vec::new();
    };
    let claimed = usize::try_from(record[record::SIDE_BYTES].load(Relaxed)).unwrap_or(usize::MAX);
    let bytes = claimed.min(SIDE_BYTES_MAX);
    let mut side: Vec<u8> = record[record::SIDE..]
        .iter()
        .take(bytes.div_ceil(8))
        .flat_map(|word| word.load(Relaxed).to_le_bytes())
        .collect();
    side.truncate(bytes);
    side
}

/// Reader: announces that it is about to wait. Returns the value to wait on; between this call and
/// the wait the reader must look once more whether there is something new.
#[must_use]
pub fn announce_wait(lease_page: &LeasePage<'_>) -> u32 {
    let expected = lease_page.word(page::WAKE).load(Relaxed);
    lease_page.word(page::WAITING).store(1, Relaxed);
    fence(SeqCst);
    (expected & 0xffff_ffff) as u32
}

/// Reader: the wait is over, whatever came of it.
pub fn end_wait(lease_page: &LeasePage<'_>) {
    lease_page.word(page::WAITING).store(0, Relaxed);
}

/// Writer: after a publish, orders it before the look at who waits. Once per publish.
pub fn before_wake() {
    fence(SeqCst);
}

/// Writer: whether this reader says that it waits.
#[must_use]
pub fn is_waiting(lease_page: &LeasePage<'_>) -> bool {
    lease_page.word(page::WAITING).load(Relaxed) != 0
}

/// Writer: whether this reader waits; if so its futex has been moved on and must be woken.
#[must_use]
pub fn must_wake(lease_page: &LeasePage<'_>) -> bool {
    if !is_waiting(lease_page) {
        return false;
    }
    let wake = lease_page.word(page::WAKE);
    wake.store(wake.load(Relaxed).wrapping_add(1) & 0xffff_ffff, Release);
    true
}
