//! The ring: the control page of a stream, written by the broker, read by every subscriber.
//!
//! Owns the layout and the bounds; never maps memory, never decides who may write.
//!
//! The whole ring is an array of aligned 64-bit little-endian words. `RING` names the words of its
//! header, `RECORD` those of the record each slot has; then comes the history. All offsets are in
//! words, except where a name ends in `_bytes`.

use crate::id::{Generation, Sequence, Slot};
use crate::sync::{AtomicU64, Relaxed};

#[cfg(not(target_endian = "little"))]
compile_error!("the shared pages are little-endian; a big-endian port needs a new page version");

/// `STRMRING` in memory order.
pub const RING_MAGIC: u64 = u64::from_le_bytes(*b"STRMRING");
/// Version of ring and lease page together.
pub const PAGE_VERSION: u64 = 1;
/// Most slots a pool can have; a slot must fit in 16 bits beside a sequence.
pub const SLOTS_MAX: usize = 4096;
/// Bytes of side-data a record can carry.
pub const SIDE_BYTES_MAX: usize = (RECORD_WORDS - record::SIDE) * 8;
/// Words of the header.
pub const HEADER_WORDS: usize = 64;
/// Words of one slot's record.
pub const RECORD_WORDS: usize = 64;

/// Words of the header. Those from `HEAD` on change while the ring lives. They are one cache line:
/// it has gone cold by the next frame, and whoever publishes or reads one waits for it once.
pub mod header {
    /// [`super::RING_MAGIC`].
    pub const MAGIC: usize = 0;
    /// [`super::PAGE_VERSION`].
    pub const VERSION: usize = 1;
    /// Which incarnation of the stream's memory this is.
    pub const GENERATION: usize = 2;
    /// How many slots the pool has, and records the ring.
    pub const SLOTS: usize = 3;
    /// Length of the history, a power of two.
    pub const HISTORY: usize = 4;
    /// Distance between slots in the pool.
    pub const SLOT_BYTES: usize = 5;
    /// First word of the records.
    pub const RECORDS_AT: usize = 6;
    /// First word of the history.
    pub const HISTORY_AT: usize = 7;
    /// Digest of the layout, so that a restarted broker can tell whether its memory still fits.
    pub const LAYOUT_DIGEST: usize = 8;
    /// Newest frame: sequence and slot packed, see [`crate::Newest`].
    pub const HEAD: usize = 24;
    /// One of [`crate::RingState`].
    pub const STATE: usize = 25;
    /// Frames published since the stream exists.
    pub const PUBLISHED: usize = 26;
    /// Frames the source had but no slot was free for.
    pub const DROPPED_NO_SLOT: usize = 27;
    /// Frames the source itself lost or flagged as broken.
    pub const DROPPED_BY_SOURCE: usize = 28;
    /// Slots the broker wanted to reuse and found leased.
    pub const HELD_AT_REUSE: usize = 29;
    /// Leases readers asked for and were refused, as they report it.
    pub const REFUSED_LEASES: usize = 30;
    /// How many subscriptions there are. A restarted broker that was handed fewer lease pages than
    /// this must not go on with the memory: it could not see all leases.
    pub const READERS: usize = 31;
}

/// Words of a slot's record.
pub mod record {
    /// The frame in the slot; 0 while it must not be read.
    pub const SEQUENCE: usize = 0;
    /// Capture time, CLOCK_MONOTONIC.
    pub const CAPTURED_NS: usize = 1;
    /// Publish time, CLOCK_MONOTONIC, taken right before the frame became visible.
    pub const PUBLISHED_NS: usize = 2;
    /// The source's own clock; its unit is said by the domain.
    pub const SOURCE_CLOCK: usize = 3;
    /// Low half: clock domain; high half: flags.
    pub const DOMAIN_AND_FLAGS: usize = 4;
    /// Bytes of the slot that hold data.
    pub const USED_BYTES: usize = 5;
    /// The source's own frame counter, where it has one.
    pub const SOURCE_SEQUENCE: usize = 6;
    /// Bytes of side-data that follow.
    pub const SIDE_BYTES: usize = 7;
    /// First word of the side-data.
    pub const SIDE: usize = 8;
}

const SLOT_BITS: u32 = 16;

/// A sequence and the slot it is in, packed into one word so that they change together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Which frame.
    pub sequence: Sequence,
    /// Where it is.
    pub slot: Slot,
}

impl Newest {
    /// The word that goes into the ring.
    #[must_use]
    pub fn pack(self) -> u64 {
        self.sequence.0 << SLOT_BITS | u64::from(self.slot.0)
    }

    /// What a word of the ring says; `None` when it says "no frame".
    #[must_use]
    pub fn unpack(word: u64) -> Option<Newest> {
        let sequence = Sequence(word >> SLOT_BITS);
        let slot = Slot((word & 0xffff) as u16);
        (sequence != Sequence::NONE).then_some(Newest { sequence, slot })
    }
}

/// What a ring says of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum RingState {
    /// Frames come.
    Live = 0,
    /// The source is gone for now; subscriptions stay and frames may come again.
    Lost = 1,
    /// The memory was renewed: ask the broker for the new descriptors.
    Retired = 2,
    /// The stream was removed.
    Ended = 3,
}

impl RingState {
    /// The state a word of the ring names; an unknown one is read as `Retired`, since asking the
    /// broker again is the safe answer.
    #[must_use]
    pub fn from_word(word: u64) -> RingState {
        match word {
            0 => RingState::Live,
            1 => RingState::Lost,
            3 => RingState::Ended,
            _ => RingState::Retired,
        }
    }
}

/// How large a ring is and where its parts lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingShape {
    /// Which incarnation of the memory.
    pub generation: Generation,
    /// Slots of the pool.
    pub slots: usize,
    /// Length of the history, a power of two.
    pub history: usize,
    /// Distance between slots in the pool.
    pub slot_bytes: usize,
    /// Digest of the layout.
    pub layout_digest: u64,
}

/// Why a page handed over is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPage {
    /// Not one of our pages at all.
    #[error("the shared page does not begin with its mark; the peer is not a Streamem broker")]
    Magic,
    /// From another version of the specification.
    #[error(
        "the shared page has version {0}, this side speaks version {PAGE_VERSION}: update the older of the two"
    )]
    Version(u64),
    /// A size or an offset that cannot be.
    #[error("the shared page says {0} is {1}, which cannot be")]
    Field(&'static str, u64),
    /// Shorter than it says.
    #[error("the shared page has {has_words} words where its header needs {needs_words}")]
    Short {
        /// Words there are.
        has_words: usize,
        /// Words there should be.
        needs_words: usize,
    },
}

impl RingShape {
    /// The shape for a pool of `slots`; the history is long enough to name every slot twice.
    #[must_use]
    pub fn new(
        generation: Generation,
        slots: usize,
        slot_bytes: usize,
        layout_digest: u64,
    ) -> RingShape {
        let slots = slots.clamp(2, SLOTS_MAX);
        let history = (slots * 2).next_power_of_two();
        RingShape {
            generation,
            slots,
            history,
            slot_bytes,
            layout_digest,
        }
    }

    fn records_at(self) -> usize {
        HEADER_WORDS
    }

    fn history_at(self) -> usize {
        self.records_at() + self.slots * RECORD_WORDS
    }

    /// Words the whole ring takes.
    #[must_use]
    pub fn words(self) -> usize {
        self.history_at() + self.history
    }

    /// Bytes the pool behind the ring takes.
    #[must_use]
    pub fn pool_bytes(self) -> usize {
        self.slots * self.slot_bytes
    }

    /// Writes the constant part of the header into a fresh, zeroed ring.
    pub fn write_header(self, words: &[AtomicU64]) {
        let constants = [
            (header::VERSION, PAGE_VERSION),
            (header::GENERATION, u64::from(self.generation.0)),
            (header::SLOTS, self.slots as u64),
            (header::HISTORY, self.history as u64),
            (header::SLOT_BYTES, self.slot_bytes as u64),
            (header::RECORDS_AT, self.records_at() as u64),
            (header::HISTORY_AT, self.history_at() as u64),
            (header::LAYOUT_DIGEST, self.layout_digest),
            (header::MAGIC, RING_MAGIC),
        ];
        for (at, value) in constants {
            words[at].store(value, Relaxed);
        }
    }

    /// Reads the shape of a ring somebody handed over, trusting nothing in it: what this returns
    /// fits into `words` and a pool of `pool_bytes`.
    pub fn read(words: &[AtomicU64], pool_bytes: u64) -> Result<RingShape, BadPage> {
        if words.len() < HEADER_WORDS {
            return Err(BadPage::Short {
                has_words: words.len(),
                needs_words: HEADER_WORDS,
            });
        }
        let at = |index: usize| words[index].load(Relaxed);
        if at(header::MAGIC) != RING_MAGIC {
            return Err(BadPage::Magic);
        }
        if at(header::VERSION) != PAGE_VERSION {
            return Err(BadPage::Version(at(header::VERSION)));
        }
        let checked = |name, index, legal: &dyn Fn(u64) -> bool| {
            let value = at(index);
            match usize::try_from(value) {
                Ok(size) if legal(value) => Ok(size),
                _ => Err(BadPage::Field(name, value)),
            }
        };
        let slots = checked("slots", header::SLOTS, &|n| {
            (2..=SLOTS_MAX as u64).contains(&n)
        })?;
        let history = checked("history", header::HISTORY, &|n| {
            n.is_power_of_two() && (2..=4 * SLOTS_MAX as u64).contains(&n)
        })?;
        let slot_bytes = checked("slot_bytes", header::SLOT_BYTES, &|n| {
            n > 0
                && n.checked_mul(slots as u64)
                    .is_some_and(|all| all <= pool_bytes)
        })?;
        let generation = u32::try_from(at(header::GENERATION))
            .map_err(|_| BadPage::Field("generation", at(header::GENERATION)))?;
        let layout_digest = at(header::LAYOUT_DIGEST);
        let shape = RingShape {
            generation: Generation(generation),
            slots,
            history,
            slot_bytes,
            layout_digest,
        };
        checked("records_at", header::RECORDS_AT, &|n| {
            n == shape.records_at() as u64
        })?;
        checked("history_at", header::HISTORY_AT, &|n| {
            n == shape.history_at() as u64
        })?;
        if words.len() < shape.words() {
            return Err(BadPage::Short {
                has_words: words.len(),
                needs_words: shape.words(),
            });
        }
        Ok(shape)
    }
}

/// A ring whose shape has been checked against its memory: every access is in bounds.
#[derive(Clone, Copy, Debug)]
pub struct Ring<'a> {
    words: &'a [AtomicU64],
    shape: RingShape,
}

impl<'a> Ring<'a> {
    /// Looks at `words` as a ring of this shape.
    pub fn new(words: &'a [AtomicU64], shape: RingShape) -> Result<Ring<'a>, BadPage> {
        if words.len() < shape.words() {
            return Err(BadPage::Short {
                has_words: words.len(),
                needs_words: shape.words(),
            });
        }
        Ok(Ring { words, shape })
    }

    /// The checked shape.
    #[must_use]
    pub fn shape(&self) -> RingShape {
        self.shape
    }

    /// A word of the header, by its name in [`header`].
    #[must_use]
    pub fn header(&self, at: usize) -> &'a AtomicU64 {
        &self.words[..HEADER_WORDS][at]
    }

    /// The record of a slot; `None` for a slot the pool does not have.
    #[must_use]
    pub fn record(&self, slot: Slot) -> Option<&'a [AtomicU64]> {
        if slot.index() >= self.shape.slots {
            return None;
        }
        let first = self.shape.records_at() + slot.index() * RECORD_WORDS;
        Some(&self.words[first..first + RECORD_WORDS])
    }

    /// The place in the history where this frame is, or was, or will be named.
    #[must_use]
    pub fn order(&self, sequence: Sequence) -> &'a AtomicU64 {
        let mask = self.shape.history as u64 - 1;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "masked to the history's length"
        )]
        let index = (sequence.0 & mask) as usize;
        &self.words[self.shape.history_at() + index]
    }

    /// What the ring says of its stream.
    #[must_use]
    pub fn state(&self) -> RingState {
        RingState::from_word(self.header(header::STATE).load(crate::sync::Acquire))
    }
}

const _: () = {
    assert!(record::SIDE < RECORD_WORDS);
    assert!(SIDE_BYTES_MAX == 448);
    assert!(header::READERS < HEADER_WORDS);
    assert!(header::HEAD / 8 == header::READERS / 8);
    assert!(SLOTS_MAX <= 1 << SLOT_BITS);
};
