//! Leases as Rust values: a slot is held for as long as one lives.
//!
//! Owns the lease page and which of its words are free; never takes the last word of a frame that
//! is still held, on whatever thread and of whatever generation it is.

use crate::error::{Error, Fault};
use crate::mapping::{Granted, Memory};
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use streamem_sys::{Mapping, Writable, dma_buf};
use streamem_wire::lease::{self, Refused};
use streamem_wire::{LEASE_PAGE_BYTES, LeasePage, Newest, Slot, page};

/// The lease page of a subscription.
///
/// Frames keep it, and with it the session: were the socket closed under them, the broker would take
/// the leases for given back.
#[derive(Debug)]
pub(crate) struct LeaseMemory {
    page: Mapping<Writable>,
    leases: usize,
    session: Mutex<Arc<OwnedFd>>,
}

impl LeaseMemory {
    pub(crate) fn map(file: &OwnedFd, session: &Arc<OwnedFd>) -> Result<LeaseMemory, Error> {
        let page = Mapping::new(file, LEASE_PAGE_BYTES, Writable);
        let page = page.map_err(|cause| Error::memory("lease page", cause))?;
        let read = LeasePage::read(page.words()).map_err(Error::page("lease page"))?;
        let leases = read.leases().len();
        Ok(LeaseMemory {
            page,
            leases,
            session: Mutex::new(Arc::clone(session)),
        })
    }

    /// Lets this socket keep the session from now on.
    pub(crate) fn keep_alive(&self, session: &Arc<OwnedFd>) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(session);
    }

    pub(crate) fn page(&self) -> LeasePage<'_> {
        LeasePage::new(self.page.words(), self.leases).expect("the page was checked when mapped")
    }

    fn word(&self, place: usize) -> &AtomicU64 {
        &self.page.words()[page::LEASES..][place]
    }

    fn free_place(&self) -> Option<usize> {
        let words = self.page().leases();
        words.iter().position(|word| word.load(Acquire) == 0)
    }

    /// How many leases are held.
    pub(crate) fn held(&self) -> usize {
        let words = self.page().leases();
        words.iter().filter(|word| word.load(Acquire) != 0).count()
    }

    /// The error that says that `wanted` more leases are not to be had.
    pub(crate) fn exhausted(&self, wanted: usize) -> Error {
        Error::LeasesExhausted {
            held: self.held(),
            leases: self.leases,
            wanted,
        }
    }

    /// Whether as many leases are free.
    pub(crate) fn has_free(&self, wanted: usize) -> bool {
        wanted <= self.leases.saturating_sub(self.held())
    }
}

/// The right to one slot; its bytes and its record stay as they are while this lives.
#[derive(Debug)]
pub(crate) struct Lease {
    granted: Arc<Granted>,
    place: usize,
    slot: Slot,
    is_read: OnceLock<()>,
}

impl Lease {
    /// Leases the frame `wanted`; `None` if the writer was faster.
    ///
    /// Only the one thread that owns the subscription takes leases, others at most give them back:
    /// a word found free stays free until it is used here.
    pub(crate) fn take(granted: &Arc<Granted>, wanted: Newest) -> Result<Option<Lease>, Error> {
        let leases = &granted.leases;
        granted.memory.map_slot(wanted.slot)?;
        let place = leases.free_place().ok_or_else(|| leases.exhausted(1))?;
        match lease::lease(&granted.memory.ring(), leases.word(place), wanted) {
            Ok(()) => Ok(Some(Lease {
                granted: Arc::clone(granted),
                place,
                slot: wanted.slot,
                is_read: OnceLock::new(),
            })),
            Err(Refused::Stale) => {
                let refused = leases.page().word(page::REFUSED);
                refused.store(refused.load(Relaxed).wrapping_add(1), Relaxed);
                Ok(None)
            }
            Err(Refused::NoSuchSlot) => Err(Fault::NoSuchSlot.into()),
        }
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.granted.memory
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// Has the processor see what a device wrote, where that takes a word.
    pub(crate) fn begin_reading(&self) {
        if let Some(file) = self.memory().dma_buf(self.slot) {
            // A device whose memory needs none of this may say so with an error.
            self.is_read.get_or_init(|| {
                let _needs_no_word = dma_buf::begin_reading(file);
            });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_read.get().is_some()
            && let Some(file) = self.memory().dma_buf(self.slot)
        {
            let _as_at_its_beginning = dma_buf::end_reading(file);
        }
        lease::release(self.granted.leases.word(self.place));
    }
}
