//! What a publisher says of a frame it submits, and why the broker may refuse it.
//!
//! Owns the checks of an entry; never reads one from shared memory twice.

use crate::id::{Generation, Slot};
use crate::lease::Stamp;
use crate::ring::{RECORD_WORDS, SIDE_BYTES_MAX, record};
use crate::sync::{AtomicU64, Relaxed};

/// Why the broker did not publish what was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u64)]
pub enum Rejection {
    /// The slot is not in the publisher's hand.
    #[error("it named a slot that was not granted")]
    NotGranted = 1,
    /// The slot is of other memory.
    #[error("it named a slot of memory that was replaced")]
    Stale = 2,
    /// More bytes than a frame has.
    #[error("it said that more bytes are used than a frame of this stream has")]
    TooLong = 3,
    /// More side-data than a record can carry.
    #[error("it said that there is more side-data than a record can carry")]
    SideTooLong = 4,
    /// More submissions than can be under way.
    #[error("its counter jumped; submissions before it were passed over")]
    Overrun = 5,
}

impl Rejection {
    /// The rejection with this code on the page.
    #[must_use]
    pub fn from_code(code: u64) -> Option<Rejection> {
        use Rejection::{NotGranted, Overrun, SideTooLong, Stale, TooLong};
        let all = [NotGranted, Stale, TooLong, SideTooLong, Overrun];
        all.into_iter().find(|known| *known as u64 == code)
    }
}

/// What a publisher submitted: a copy, taken once, so that what is checked is what is used.
#[derive(Clone, Debug)]
pub struct Entry([u64; RECORD_WORDS]);

impl Entry {
    /// Copies the words of an entry.
    #[must_use]
    pub fn copy(words: &[AtomicU64]) -> Entry {
        let mut copy = [0; RECORD_WORDS];
        for (to, from) in copy.iter_mut().zip(words) {
            *to = from.load(Relaxed);
        }
        Entry(copy)
    }

    /// The slot it names, if that is of this generation.
    pub fn slot(&self, generation: Generation) -> Result<Slot, Rejection> {
        let named = self.0[record::SEQUENCE];
        if named >> 32 != u64::from(generation.0) {
            return Err(Rejection::Stale);
        }
        let number = (named & 0xffff_ffff)
            .checked_sub(1)
            .ok_or(Rejection::NotGranted)?;
        let slot = u16::try_from(number).map_err(|_| Rejection::NotGranted)?;
        Ok(Slot(slot))
    }

    /// What it says of the frame; the time of publishing is not the publisher's to say, and a frame
    /// was not captured later than `now_ns`.
    pub fn stamp(&self, frame_bytes: u64, now_ns: u64) -> Result<Stamp, Rejection> {
        let words = &self.0;
        if words[record::USED_BYTES] > frame_bytes {
            return Err(Rejection::TooLong);
        }
        let captured_ns = match words[record::CAPTURED_NS] {
            0 => now_ns,
            said => said.min(now_ns),
        };
        let domain_and_flags = words[record::DOMAIN_AND_FLAGS];
        Ok(Stamp {
            captured_ns,
            published_ns: now_ns,
            source_clock: words[record::SOURCE_CLOCK],
            clock_domain: (domain_and_flags & 0xffff_ffff) as u32,
            flags: (domain_and_flags >> 32) as u32,
            used_bytes: words[record::USED_BYTES],
            source_sequence: words[record::SOURCE_SEQUENCE],
        })
    }

    /// Puts its side-data in place of what `side` had.
    pub fn side_data(&self, side: &mut Vec<u8>) -> Result<(), Rejection> {
        let claimed = usize::try_from(self.0[record::SIDE_BYTES]).unwrap_or(usize::MAX);
        if claimed > SIDE_BYTES_MAX {
            return Err(Rejection::SideTooLong);
        }
        side.clear();
        for word in &self.0[record::SIDE..] {
            side.extend(word.to_le_bytes());
        }
        side.truncate(claimed);
        Ok(())
    }
}
