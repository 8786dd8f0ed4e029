//! The submission protocol: how a publisher is granted slots and hands them back filled, without a lock.
//!
//! Owns the memory orderings of both ends; never waits, and never reads back at one end what that end
//! wrote.
//!
//! ```text
//! broker                                publisher
//! grants[n] = slot                      sees granted move on, reads grants[n]
//! granted = n + 1                       fills the slot
//! sees submitted move on, copies        entries[m] = what it says of the frame
//!   entries[m] once, checks the copy    submitted = m + 1
//! ```
//!
//! Either end that finds nothing announces that it waits, looks once more, and sleeps on its futex; the
//! other moves that word on and wakes it only if it waits. The same source runs under loom.

use crate::id::{Generation, Sequence, Slot};
use crate::lease::Stamp;
use crate::lease_page::lease_word;
use crate::ring::{SIDE_BYTES_MAX, record};
pub use crate::submission_entry::{Entry, Rejection};
use crate::submission_page::{ENTRIES_MAX, SubmissionPage, submission_words};
use crate::sync::{Acquire, Relaxed, Release, SeqCst, fence};

fn announce(page: &SubmissionPage<'_>, futex: usize, waiting: usize) -> u32 {
    let expected = page.word(futex).load(Relaxed);
    page.word(waiting).store(1, Relaxed);
    fence(SeqCst);
    (expected & 0xffff_ffff) as u32
}

/// Moves a futex on if the other end waits there. Returns whether it must be woken.
fn must_wake(page: &SubmissionPage<'_>, futex: usize, waiting: usize, moved: &mut u32) -> bool {
    fence(SeqCst);
    if page.word(waiting).load(Relaxed) == 0 {
        return false;
    }
    *moved = moved.wrapping_add(1);
    page.word(futex).store(u64::from(*moved), Release);
    true
}

/// The broker's end: what it granted and took so far.
#[derive(Debug, Default)]
pub struct Intake {
    granted: u64,
    taken: u64,
    rejected: u64,
    moved: u32,
}

impl Intake {
    /// How many entries were rejected.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Grants a slot. The caller then asks [`Intake::must_wake`], once for several.
    pub fn grant(&mut self, page: &SubmissionPage<'_>, generation: Generation, slot: Slot) {
        let word = lease_word(generation, slot);
        page.grant(self.granted).store(word, Relaxed);
        self.granted += 1;
        page.word(submission_words::GRANTED)
            .store(self.granted, Release);
    }

    /// Whether the publisher waits; if so its futex has been moved on and must be woken.
    #[must_use]
    pub fn must_wake(&mut self, page: &SubmissionPage<'_>) -> bool {
        let moved = &mut self.moved;
        must_wake(
            page,
            submission_words::GRANT_WAKE,
            submission_words::PUBLISHER_WAITING,
            moved,
        )
    }

    /// Takes the next entry, if there is one; it counts as taken when it is accepted or rejected. A counter that cannot be is believed from here on, and
    /// what it passed over is not.
    pub fn take(&mut self, page: &SubmissionPage<'_>) -> Option<Result<Entry, Rejection>> {
        let submitted = page.word(submission_words::SUBMITTED).load(Acquire);
        let taken = match submitted.wrapping_sub(self.taken) {
            0 => return None,
            ahead if ahead <= ENTRIES_MAX as u64 => {
                let entry = Entry::copy(page.entry(self.taken));
                self.taken = self.taken.wrapping_add(1);
                Ok(entry)
            }
            _ => {
                self.taken = submitted;
                Err(Rejection::Overrun)
            }
        };
        Some(taken)
    }

    /// Says which frame an entry became.
    pub fn accept(&self, page: &SubmissionPage<'_>, sequence: Sequence) {
        page.word(submission_words::LAST_SEQUENCE)
            .store(sequence.0, Relaxed);
        page.word(submission_words::TAKEN)
            .store(self.taken, Release);
    }

    /// Says that an entry was not published, and why.
    pub fn reject(&mut self, page: &SubmissionPage<'_>, why: Rejection) {
        self.rejected += 1;
        page.word(submission_words::LAST_REJECTION)
            .store(why as u64, Relaxed);
        page.word(submission_words::REJECTED)
            .store(self.rejected, Release);
        page.word(submission_words::TAKEN)
            .store(self.taken, Release);
    }

    /// Says that the publication is over. Returns whether the publisher waits; if so its futex has been
    /// moved on and must be woken.
    #[must_use]
    pub fn end(&mut self, page: &SubmissionPage<'_>) -> bool {
        page.word(submission_words::ENDED).store(1, Release);
        self.must_wake(page)
    }

    /// Whether there is something to take, or the publisher is done.
    #[must_use]
    pub fn has_news(&self, page: &SubmissionPage<'_>) -> bool {
        page.word(submission_words::SUBMITTED).load(Acquire) != self.taken || is_closed(page)
    }

    /// Announces that the broker is about to wait. Returns the value to wait on; between this call
    /// and the wait it must look once more.
    #[must_use]
    pub fn announce_wait(&self, page: &SubmissionPage<'_>) -> u32 {
        announce(
            page,
            submission_words::KICK,
            submission_words::BROKER_WAITING,
        )
    }

    /// The wait is over.
    pub fn end_wait(&self, page: &SubmissionPage<'_>) {
        page.word(submission_words::BROKER_WAITING)
            .store(0, Relaxed);
    }
}

/// Whether the publisher said that it is done.
#[must_use]
pub fn is_closed(page: &SubmissionPage<'_>) -> bool {
    page.word(submission_words::CLOSED).load(Acquire) != 0
}

/// Whether the broker said that the publication is over.
#[must_use]
pub fn is_ended(page: &SubmissionPage<'_>) -> bool {
    page.word(submission_words::ENDED).load(Acquire) != 0
}

/// The publisher's end: what it was granted and submitted so far.
#[derive(Debug, Default)]
pub struct Outlet {
    granted: u64,
    submitted: u64,
    rejected: u64,
    moved: u32,
}

impl Outlet {
    /// The next slot it was granted, if there is one; of `slots` there are.
    #[must_use]
    pub fn take_grant(&mut self, page: &SubmissionPage<'_>, slots: usize) -> Option<Slot> {
        if !self.has_grant(page) {
            return None;
        }
        let word = page.grant(self.granted).load(Relaxed);
        self.granted = self.granted.wrapping_add(1);
        let slot = u16::try_from((word & 0xffff_ffff).checked_sub(1)?).ok()?;
        (usize::from(slot) < slots).then_some(Slot(slot))
    }

    /// Whether there is a slot to be taken.
    fn has_grant(&self, page: &SubmissionPage<'_>) -> bool {
        page.word(submission_words::GRANTED).load(Acquire) != self.granted
    }

    /// Whether there is a slot to be taken, or the publication is over.
    #[must_use]
    pub fn has_news(&self, page: &SubmissionPage<'_>) -> bool {
        self.has_grant(page) || is_ended(page)
    }

    /// Hands a filled slot over. Returns whether the broker waits; if so its futex has been moved on
    /// and must be woken. Side-data beyond what a record can carry is cut.
    #[must_use]
    pub fn submit(
        &mut self,
        page: &SubmissionPage<'_>,
        generation: Generation,
        slot: Slot,
        stamp: &Stamp,
        side: &[u8],
    ) -> bool {
        let entry = page.entry(self.submitted);
        let put = |at: usize, value: u64| entry[at].store(value, Relaxed);
        put(record::SEQUENCE, lease_word(generation, slot));
        put(record::CAPTURED_NS, stamp.captured_ns);
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
        self.submitted = self.submitted.wrapping_add(1);
        page.word(submission_words::SUBMITTED)
            .store(self.submitted, Release);
        self.kick(page)
    }

    /// Says that nothing more will come. Returns whether the broker must be woken.
    #[must_use]
    pub fn close(&mut self, page: &SubmissionPage<'_>) -> bool {
        page.word(submission_words::CLOSED).store(1, Release);
        self.kick(page)
    }

    /// Whether the broker has taken everything.
    #[must_use]
    pub fn all_taken(&self, page: &SubmissionPage<'_>) -> bool {
        page.word(submission_words::TAKEN).load(Acquire) == self.submitted
    }

    fn kick(&mut self, page: &SubmissionPage<'_>) -> bool {
        must_wake(
            page,
            submission_words::KICK,
            submission_words::BROKER_WAITING,
            &mut self.moved,
        )
    }

    /// Why the last rejected submission was, if one was since this was asked last.
    #[must_use]
    pub fn rejection(&mut self, page: &SubmissionPage<'_>) -> Option<Rejection> {
        let rejected = page.word(submission_words::REJECTED).load(Acquire);
        if rejected == self.rejected {
            return None;
        }
        self.rejected = rejected;
        Rejection::from_code(page.word(submission_words::LAST_REJECTION).load(Relaxed))
    }

    /// Announces that the publisher is about to wait. Returns the value to wait on; between this call
    /// and the wait it must look once more.
    #[must_use]
    pub fn announce_wait(&self, page: &SubmissionPage<'_>) -> u32 {
        announce(
            page,
            submission_words::GRANT_WAKE,
            submission_words::PUBLISHER_WAITING,
        )
    }

    /// The wait is over.
    pub fn end_wait(&self, page: &SubmissionPage<'_>) {
        page.word(submission_words::PUBLISHER_WAITING)
            .store(0, Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::SUBMISSION_PAGE_WORDS;
    use crate::sync::AtomicU64;
    use proptest::prelude::*;

    const FRAME_BYTES: u64 = 4096;

    fn page_of(words: &[AtomicU64]) -> SubmissionPage<'_> {
        SubmissionPage::new(words).unwrap()
    }

    fn empty() -> Vec<AtomicU64> {
        (0..SUBMISSION_PAGE_WORDS)
            .map(|_| AtomicU64::new(0))
            .collect()
    }

    #[test]
    fn what_is_submitted_comes_as_it_went() {
        let words = empty();
        let page = page_of(&words);
        let (mut intake, mut outlet) = (Intake::default(), Outlet::default());
        for round in 0..40_u16 {
            let slot = Slot(round % 3);
            intake.grant(&page, Generation(5), slot);
            assert_eq!(outlet.take_grant(&page, 3), Some(slot));
            let stamp = Stamp {
                captured_ns: u64::from(round) + 1,
                published_ns: 100,
                source_clock: 2,
                clock_domain: 3,
                flags: 4,
                used_bytes: FRAME_BYTES,
                source_sequence: u64::from(round),
            };
            let side = [7; 13];
            let nobody_waits = outlet.submit(&page, Generation(5), slot, &stamp, &side);
            assert!(!nobody_waits);
            let entry = intake.take(&page).unwrap().unwrap();
            assert_eq!(entry.slot(Generation(5)), Ok(slot));
            assert_eq!(entry.stamp(FRAME_BYTES, 100), Ok(stamp));
            let mut taken = Vec::new();
            entry.side_data(&mut taken).unwrap();
            assert_eq!(taken, side);
            assert!(!outlet.all_taken(&page));
            intake.accept(&page, Sequence(u64::from(round) + 1));
            assert!(outlet.all_taken(&page));
        }
        assert!(intake.take(&page).is_none());
        assert!(outlet.take_grant(&page, 3).is_none());
    }

    #[test]
    fn a_rejection_is_told_once() {
        let words = empty();
        let page = page_of(&words);
        let (mut intake, mut outlet) = (Intake::default(), Outlet::default());
        intake.reject(&page, Rejection::TooLong);
        assert_eq!(outlet.rejection(&page), Some(Rejection::TooLong));
        assert_eq!(outlet.rejection(&page), None);
    }

    proptest! {
        #[test]
        fn any_page_is_survived_by_either_end(
            noise in proptest::collection::vec((0..SUBMISSION_PAGE_WORDS, any::<u64>()), 0..200),
            submitted in 0..40_u64,
        ) {
            let words = empty();
            for (at, word) in noise {
                words[at].store(word, Relaxed);
            }
            let page = page_of(&words);
            page.word(submission_words::SUBMITTED).store(submitted, Relaxed);
            let (mut intake, mut outlet) = (Intake::default(), Outlet::default());
            let mut side = Vec::new();
            let mut entries = 0;
            while let Some(taken) = intake.take(&page) {
                entries += 1;
                let Ok(entry) = taken else { continue };
                let _ = entry.slot(Generation(0));
                if let Ok(stamp) = entry.stamp(FRAME_BYTES, 9) {
                    prop_assert!(stamp.used_bytes <= FRAME_BYTES && stamp.captured_ns <= 9);
                }
                if entry.side_data(&mut side).is_ok() {
                    prop_assert!(side.len() <= SIDE_BYTES_MAX);
                }
            }
            prop_assert!(entries <= ENTRIES_MAX);
            if let Some(slot) = outlet.take_grant(&page, 4) {
                prop_assert!(slot.0 < 4);
            }
        }
    }
}
