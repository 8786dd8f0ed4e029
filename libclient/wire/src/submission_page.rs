//! The submission page: one per publication, written by the publisher and by the broker, each its words.
//!
//! Owns its layout; never trusts a word of it: the whole page can be written by the publisher, so the
//! broker reads only the publisher's words, and those as claims to be checked.

use crate::id::{Generation, PublicationId};
use crate::ring::{BadPage, PAGE_VERSION, RECORD_WORDS};
use crate::sync::{AtomicU64, Relaxed};

/// `STRMPUBL` in memory order.
pub const SUBMISSION_MAGIC: u64 = u64::from_le_bytes(*b"STRMPUBL");
/// Size of a submission page.
pub const SUBMISSION_PAGE_BYTES: usize = 3 * 4096;
/// Words of it that have a meaning.
pub const SUBMISSION_PAGE_WORDS: usize = submission_words::ENTRIES + ENTRIES_MAX * RECORD_WORDS;
/// Submissions that can be under way at a time; so many grants too.
pub const ENTRIES_MAX: usize = 16;
/// Most slots a publisher can have in hand; less than [`ENTRIES_MAX`], so that neither table is overrun.
pub const IN_HAND_MAX: usize = 8;

/// Words of the page.
pub mod submission_words {
    /// [`super::SUBMISSION_MAGIC`].
    pub const MAGIC: usize = 0;
    /// [`crate::ring::PAGE_VERSION`].
    pub const VERSION: usize = 1;
    /// Which publication this page belongs to.
    pub const PUBLICATION: usize = 2;
    /// Which incarnation of the stream's memory it fills.
    pub const GENERATION: usize = 3;
    /// Publisher: how many entries it submitted in all.
    pub const SUBMITTED: usize = 8;
    /// Publisher: low half: the futex the broker waits on; moved on to wake it.
    pub const KICK: usize = 9;
    /// Publisher: 1 once it is done.
    pub const CLOSED: usize = 10;
    /// Broker: how many slots it granted in all.
    pub const GRANTED: usize = 16;
    /// Broker: low half: the futex the publisher waits on; moved on to wake it.
    pub const GRANT_WAKE: usize = 17;
    /// Broker: 1 while it waits for a submission or is about to.
    pub const BROKER_WAITING: usize = 18;
    /// Publisher: 1 while it waits for a slot or is about to.
    pub const PUBLISHER_WAITING: usize = 19;
    /// Broker: how many entries it took in all.
    pub const TAKEN: usize = 20;
    /// Broker: how many of them were rejected.
    pub const REJECTED: usize = 21;
    /// Broker: why the last of those was, see [`crate::submission::Rejection`].
    pub const LAST_REJECTION: usize = 22;
    /// Broker: which frame the last accepted entry became.
    pub const LAST_SEQUENCE: usize = 24;
    /// Broker: 1 once the publication is over; the publisher may publish anew.
    pub const ENDED: usize = 25;
    /// Broker: first of the grants; grant `n` is in word `n % ENTRIES_MAX` and looks like a lease word.
    pub const GRANTS: usize = 32;
    /// Publisher: first word of the entries; entry `n` is the record `n % ENTRIES_MAX`. Its words are
    /// those of [`crate::record`], but the first is the grant it answers.
    pub const ENTRIES: usize = 64;
}

/// A submission page whose size has been checked: every access is in bounds.
#[derive(Clone, Copy, Debug)]
pub struct SubmissionPage<'a> {
    words: &'a [AtomicU64],
}

impl<'a> SubmissionPage<'a> {
    /// The broker's view.
    pub fn new(words: &'a [AtomicU64]) -> Result<SubmissionPage<'a>, BadPage> {
        if words.len() < SUBMISSION_PAGE_WORDS {
            return Err(BadPage::Short {
                has_words: words.len(),
                needs_words: SUBMISSION_PAGE_WORDS,
            });
        }
        Ok(SubmissionPage { words })
    }

    /// The publisher's view of a page it was handed.
    pub fn read(words: &'a [AtomicU64]) -> Result<SubmissionPage<'a>, BadPage> {
        let page = SubmissionPage::new(words)?;
        if page.word(submission_words::MAGIC).load(Relaxed) != SUBMISSION_MAGIC {
            return Err(BadPage::Magic);
        }
        let version = page.word(submission_words::VERSION).load(Relaxed);
        if version != PAGE_VERSION {
            return Err(BadPage::Version(version));
        }
        Ok(page)
    }

    /// Fills in the constant part of a fresh, zeroed page.
    pub fn write_header(&self, publication: PublicationId, generation: Generation) {
        let constants = [
            (submission_words::VERSION, PAGE_VERSION),
            (submission_words::PUBLICATION, publication.0),
            (submission_words::GENERATION, u64::from(generation.0)),
            (submission_words::MAGIC, SUBMISSION_MAGIC),
        ];
        for (at, value) in constants {
            self.word(at).store(value, Relaxed);
        }
    }

    /// A word by its name in [`submission_words`].
    #[must_use]
    pub fn word(&self, at: usize) -> &'a AtomicU64 {
        &self.words[..submission_words::GRANTS][at]
    }

    /// The word of the grant with this number, counted from 0.
    #[must_use]
    pub fn grant(&self, number: u64) -> &'a AtomicU64 {
        &self.words[submission_words::GRANTS + place(number)]
    }

    /// The words of the entry with this number, counted from 0.
    #[must_use]
    pub fn entry(&self, number: u64) -> &'a [AtomicU64] {
        let first = submission_words::ENTRIES + place(number) * RECORD_WORDS;
        &self.words[first..first + RECORD_WORDS]
    }
}

fn place(number: u64) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "less than the number of entries"
    )]
    let place = (number % ENTRIES_MAX as u64) as usize;
    place
}

const _: () = {
    assert!(submission_words::ENDED < submission_words::GRANTS);
    assert!(submission_words::GRANTS + ENTRIES_MAX <= submission_words::ENTRIES);
    assert!(SUBMISSION_PAGE_WORDS == 1088);
    assert!(SUBMISSION_PAGE_WORDS * 8 <= SUBMISSION_PAGE_BYTES);
    assert!(IN_HAND_MAX < ENTRIES_MAX);
};
