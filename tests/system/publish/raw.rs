//! A publisher without the client crate, which can write anything anywhere it has access to.
//!
//! Owns its connection, page and pool; never checks what it does.

use serde_json::{Value, json};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use streamem_sys::{Mapping, Writable, futex};
use streamem_tests::{Broker, Wire, eventually};
use streamem_wire::submission::{Outlet, Rejection};
use streamem_wire::{
    Generation, SUBMISSION_PAGE_BYTES, Slot, SubmissionPage, lease_word, record, submission_words,
};

/// Bytes of a frame of [`layout`].
pub const FRAME_BYTES: u64 = 64 * 48;

pub fn layout() -> Value {
    json!({"format": "gray8", "width": 64, "height": 48})
}

pub struct Raw {
    pub wire: Wire,
    pub page: Mapping<Writable>,
    pub pool: Mapping<Writable>,
    pub generation: Generation,
    pub outlet: Outlet,
    submitted: u64,
}

impl Raw {
    pub fn begin(broker: &Broker, stream: &str) -> Raw {
        Raw::begin_with(broker, stream, &layout(), 4096)
    }

    /// With frames of this layout in slots of so many bytes.
    pub fn begin_with(broker: &Broker, stream: &str, layout: &Value, slot_bytes: usize) -> Raw {
        let mut wire = broker.connect();
        let asked = json!({"stream": stream, "layout": layout, "slots": 2, "slots_max": 8});
        let permit = wire.call("Publish", asked);
        assert!(permit.error.is_none(), "{permit:?}");
        let page = Mapping::new(permit.fd("page"), SUBMISSION_PAGE_BYTES, Writable);
        let pool = Mapping::new(permit.fd("pool"), 8 * slot_bytes, Writable);
        let publication = permit.parameters["publication"].clone();
        let raw = Raw {
            page: page.expect("the page can be mapped"),
            pool: pool.expect("the pool can be mapped before Begin"),
            generation: Generation(
                u32::try_from(
                    permit.parameters["stream"]["generation"]
                        .as_u64()
                        .expect("one"),
                )
                .expect("a generation"),
            ),
            outlet: Outlet::default(),
            submitted: 0,
            wire,
        };
        let mut raw = raw;
        let begun = raw
            .wire
            .call("Begin", json!({ "publication": publication }));
        assert!(begun.error.is_none(), "{begun:?}");
        raw
    }

    pub fn view(&self) -> SubmissionPage<'_> {
        SubmissionPage::new(self.page.words()).expect("it is long enough")
    }

    pub fn word(&self, at: usize) -> u64 {
        self.view().word(at).load(Acquire)
    }

    pub fn slot(&mut self) -> Slot {
        eventually("a slot is granted", || {
            let page = SubmissionPage::new(self.page.words()).ok()?;
            self.outlet.take_grant(&page, 8)
        })
    }

    /// Submits these words as an entry, whatever they are; then wakes, whether the broker waits or not.
    pub fn submit(&mut self, words: &[(usize, u64)]) {
        let page = SubmissionPage::new(self.page.words()).expect("it is long enough");
        let entry = page.entry(self.submitted);
        entry.iter().for_each(|word| word.store(0, Relaxed));
        for (at, value) in words {
            entry[*at].store(*value, Relaxed);
        }
        self.submitted += 1;
        page.word(submission_words::SUBMITTED)
            .store(self.submitted, Release);
        self.kick();
    }

    pub fn kick(&self) {
        let kick = self.page.words()[submission_words::KICK].fetch_add(1, Relaxed);
        let _ = kick;
        let _ = futex::wake(&self.page.words()[submission_words::KICK], 1);
    }

    /// Sets the counter to what it must not be.
    pub fn jump(&mut self, submitted: u64) {
        self.submitted = submitted;
        self.view()
            .word(submission_words::SUBMITTED)
            .store(submitted, Release);
        self.kick();
    }

    /// An honest frame in this slot.
    pub fn frame(&mut self, slot: Slot) {
        self.frame_of(slot, FRAME_BYTES);
    }

    /// One of so many bytes.
    pub fn frame_of(&mut self, slot: Slot, used_bytes: u64) {
        let named = lease_word(self.generation, slot);
        self.submit(&[(record::SEQUENCE, named), (record::USED_BYTES, used_bytes)]);
    }

    pub fn accepted(&self) -> u64 {
        self.word(submission_words::LAST_SEQUENCE)
    }

    /// Waits until so many submissions were rejected; the last for this reason.
    pub fn is_rejected(&self, count: u64, why: Rejection) {
        eventually("it is rejected", || {
            (self.word(submission_words::REJECTED) == count).then_some(())
        });
        let code = self.word(submission_words::LAST_REJECTION);
        assert_eq!(Rejection::from_code(code), Some(why));
    }

    /// Publishes one more frame, which shows that nothing is lost.
    pub fn goes_on(&mut self, slot: Slot) {
        let before = self.accepted();
        self.frame(slot);
        eventually("the next frame is accepted", || {
            (self.accepted() == before + 1).then_some(())
        });
    }
}
