//! The lease page: one per subscription, written by that client, read by the broker.
//!
//! Owns its layout; never trusts a word of it: whatever a client writes there can only hurt the
//! client itself.

use crate::id::{Generation, Slot, SubscriptionId};
use crate::ring::{BadPage, PAGE_VERSION};
use crate::sync::{AtomicU64, Relaxed};

/// `STRMLEAS` in memory order.
pub const LEASE_MAGIC: u64 = u64::from_le_bytes(*b"STRMLEAS");
/// Size of a lease page.
pub const LEASE_PAGE_BYTES: usize = 4096;
/// Words of a lease page.
pub const LEASE_PAGE_WORDS: usize = LEASE_PAGE_BYTES / 8;
/// Most leases one subscription can hold at a time.
pub const LEASES_MAX: usize = LEASE_PAGE_WORDS - page::LEASES;

/// Words of the page.
pub mod page {
    /// [`super::LEASE_MAGIC`].
    pub const MAGIC: usize = 0;
    /// [`crate::ring::PAGE_VERSION`].
    pub const VERSION: usize = 1;
    /// Which subscription this page belongs to.
    pub const SUBSCRIPTION: usize = 2;
    /// How many lease words are used.
    pub const LEASE_WORDS: usize = 3;
    /// Low half: the futex the client waits on; the broker adds one and wakes.
    pub const WAKE: usize = 8;
    /// Not 0 while the client waits or is about to.
    pub const WAITING: usize = 9;
    /// Frames the client took.
    pub const TAKEN: usize = 16;
    /// The newest frame it took.
    pub const LAST_SEQUENCE: usize = 17;
    /// When it took that, CLOCK_MONOTONIC.
    pub const LAST_TAKEN_NS: usize = 18;
    /// Frames it did not see.
    pub const MISSED: usize = 19;
    /// Leases it was refused because the writer was faster.
    pub const REFUSED: usize = 20;
    /// First lease word.
    pub const LEASES: usize = 64;
}

/// The word that says "this slot of this generation is mine"; 0 says "nothing".
#[must_use]
pub fn lease_word(generation: Generation, slot: Slot) -> u64 {
    u64::from(generation.0) << 32 | (u64::from(slot.0) + 1)
}

/// A lease page whose size has been checked: every access is in bounds.
#[derive(Clone, Copy, Debug)]
pub struct LeasePage<'a> {
    words: &'a [AtomicU64],
    leases: usize,
}

impl<'a> LeasePage<'a> {
    /// The broker's view: it knows the number of leases and does not read it from the page.
    pub fn new(words: &'a [AtomicU64], leases: usize) -> Result<LeasePage<'a>, BadPage> {
        if words.len() < LEASE_PAGE_WORDS {
            return Err(BadPage::Short {
                has_words: words.len(),
                needs_words: LEASE_PAGE_WORDS,
            });
        }
        if leases == 0 || leases > LEASES_MAX {
            return Err(BadPage::Field("leases", leases as u64));
        }
        Ok(LeasePage { words, leases })
    }

    /// The client's view of a page it was handed.
    pub fn read(words: &'a [AtomicU64]) -> Result<LeasePage<'a>, BadPage> {
        if words.len() < LEASE_PAGE_WORDS {
            return Err(BadPage::Short {
                has_words: words.len(),
                needs_words: LEASE_PAGE_WORDS,
            });
        }
        if words[page::MAGIC].load(Relaxed) != LEASE_MAGIC {
            return Err(BadPage::Magic);
        }
        let version = words[page::VERSION].load(Relaxed);
        if version != PAGE_VERSION {
            return Err(BadPage::Version(version));
        }
        let leases = words[page::LEASE_WORDS].load(Relaxed);
        match usize::try_from(leases) {
            Ok(count) if (1..=LEASES_MAX).contains(&count) => Ok(LeasePage {
                words,
                leases: count,
            }),
            _ => Err(BadPage::Field("leases", leases)),
        }
    }

    /// Fills in the constant part of a fresh, zeroed page.
    pub fn write_header(&self, subscription: SubscriptionId) {
        self.word(page::VERSION).store(PAGE_VERSION, Relaxed);
        self.word(page::SUBSCRIPTION).store(subscription.0, Relaxed);
        self.word(page::LEASE_WORDS)
            .store(self.leases as u64, Relaxed);
        self.word(page::MAGIC).store(LEASE_MAGIC, Relaxed);
    }

    /// A word by its name in [`page`].
    #[must_use]
    pub fn word(&self, at: usize) -> &'a AtomicU64 {
        &self.words[..page::LEASES][at]
    }

    /// The words that hold leases.
    #[must_use]
    pub fn leases(&self) -> &'a [AtomicU64] {
        &self.words[page::LEASES..page::LEASES + self.leases]
    }
}

const _: () = assert!(LEASES_MAX == 448);
