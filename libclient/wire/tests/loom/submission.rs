//! The submission protocol under loom: a slot goes to the publisher and comes back filled.
//!
//! Owns the model of both ends' threads; never copies the protocol, except in the controls.

use super::{Futex, words};
use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::Arc;
use streamem_wire::lease::Stamp;
use streamem_wire::submission::{Entry, Intake, Outlet, is_closed, is_ended};
use streamem_wire::{
    Generation, SUBMISSION_PAGE_WORDS, Slot, SubmissionPage, record, submission_words,
};

const GENERATION: Generation = Generation(3);
const SLOT: Slot = Slot(1);
const BYTES: u64 = 7;

/// The page, the bytes of the one slot (a word), and the two futexes.
struct Desk {
    page: Vec<AtomicU64>,
    slot: AtomicU64,
    kick: Futex,
    grant: Futex,
}

impl Desk {
    fn new() -> Arc<Desk> {
        Arc::new(Desk {
            page: words(SUBMISSION_PAGE_WORDS),
            slot: AtomicU64::new(0),
            kick: Futex::default(),
            grant: Futex::default(),
        })
    }

    fn page(&self) -> SubmissionPage<'_> {
        SubmissionPage::new(&self.page).unwrap()
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.page[at]
    }

    fn wait_for_grant(&self, outlet: &mut Outlet, announce: AnnounceFn) -> Option<Slot> {
        loop {
            if let Some(slot) = outlet.take_grant(&self.page(), 2) {
                return Some(slot);
            }
            if is_ended(&self.page()) {
                return None;
            }
            let expected = announce(self, Side::Publisher);
            if !outlet.has_news(&self.page()) {
                let word = self.word(submission_words::GRANT_WAKE);
                self.grant.wait(word, expected);
            }
            outlet.end_wait(&self.page());
        }
    }

    fn wait_for_entry(&self, intake: &mut Intake, announce: AnnounceFn) -> Option<Entry> {
        loop {
            if let Some(taken) = intake.take(&self.page()) {
                return Some(taken.expect("the counter is as it should be"));
            }
            if is_closed(&self.page()) {
                return None;
            }
            let expected = announce(self, Side::Broker);
            if !intake.has_news(&self.page()) {
                let word = self.word(submission_words::KICK);
                self.kick.wait(word, expected);
            }
            intake.end_wait(&self.page());
        }
    }

    fn submit(&self, outlet: &mut Outlet, slot: Slot) {
        let stamp = Stamp {
            used_bytes: BYTES,
            ..Stamp::default()
        };
        if outlet.submit(&self.page(), GENERATION, slot, &stamp, &[]) {
            self.kick.wake();
        }
    }

    fn give(&self, intake: &mut Intake) {
        intake.grant(&self.page(), GENERATION, SLOT);
        if intake.must_wake(&self.page()) {
            self.grant.wake();
        }
    }

    fn assert_is_frame(&self, entry: &Entry, sequence: u64) {
        assert_eq!(entry.slot(GENERATION), Ok(SLOT));
        assert_eq!(entry.stamp(BYTES, 1).unwrap().used_bytes, BYTES);
        assert_eq!(self.slot.load(Relaxed), sequence, "bytes of another frame");
    }
}

#[derive(Clone, Copy)]
enum Side {
    Broker,
    Publisher,
}

type AnnounceFn = fn(&Desk, Side) -> u32;

fn announced(desk: &Desk, side: Side) -> u32 {
    match side {
        Side::Broker => Intake::default().announce_wait(&desk.page()),
        Side::Publisher => Outlet::default().announce_wait(&desk.page()),
    }
}

fn announced_without_fence(desk: &Desk, side: Side) -> u32 {
    let (futex, waiting) = match side {
        Side::Broker => (submission_words::KICK, submission_words::BROKER_WAITING),
        Side::Publisher => (
            submission_words::GRANT_WAKE,
            submission_words::PUBLISHER_WAITING,
        ),
    };
    let expected = desk.word(futex).load(Relaxed);
    desk.word(waiting).store(1, Relaxed);
    u32::try_from(expected).unwrap()
}

fn one_frame(announce_at_broker: AnnounceFn, announce_at_publisher: AnnounceFn) {
    loom::model(move || {
        let desk = Desk::new();
        let publisher = {
            let desk = Arc::clone(&desk);
            loom::thread::spawn(move || {
                let mut outlet = Outlet::default();
                let slot = desk.wait_for_grant(&mut outlet, announce_at_publisher);
                desk.slot.store(1, Relaxed);
                desk.submit(&mut outlet, slot.expect("it is not over"));
            })
        };
        let mut intake = Intake::default();
        desk.give(&mut intake);
        let entry = desk.wait_for_entry(&mut intake, announce_at_broker);
        desk.assert_is_frame(&entry.expect("it is not closed"), 1);
        publisher.join().unwrap();
    });
}

#[test]
fn a_granted_slot_comes_back_filled_and_no_wake_up_is_lost() {
    one_frame(announced, announced);
}

#[test]
#[should_panic = "deadlock"]
fn control_without_the_brokers_fence_the_model_sees_a_lost_kick() {
    one_frame(announced_without_fence, announced);
}

#[test]
#[should_panic = "deadlock"]
fn control_without_the_publishers_fence_the_model_sees_a_lost_grant() {
    one_frame(announced, announced_without_fence);
}

#[test]
fn a_publisher_that_closes_wakes_the_broker() {
    loom::model(|| {
        let desk = Desk::new();
        let publisher = {
            let desk = Arc::clone(&desk);
            loom::thread::spawn(move || {
                if Outlet::default().close(&desk.page()) {
                    desk.kick.wake();
                }
            })
        };
        let mut intake = Intake::default();
        assert!(desk.wait_for_entry(&mut intake, announced).is_none());
        publisher.join().unwrap();
    });
}

#[test]
fn a_publication_that_ends_wakes_its_publisher() {
    loom::model(|| {
        let desk = Desk::new();
        let publisher = {
            let desk = Arc::clone(&desk);
            loom::thread::spawn(move || desk.wait_for_grant(&mut Outlet::default(), announced))
        };
        if Intake::default().end(&desk.page()) {
            desk.grant.wake();
        }
        assert!(publisher.join().unwrap().is_none());
    });
}

#[test]
fn a_slot_granted_again_has_the_frame_before_it_published_first() {
    loom::model(|| {
        let desk = Desk::new();
        let mut intake = Intake::default();
        desk.give(&mut intake);
        let publisher = {
            let desk = Arc::clone(&desk);
            loom::thread::spawn(move || {
                let mut outlet = Outlet::default();
                let slot = outlet.take_grant(&desk.page(), 2).expect("granted before");
                desk.slot.store(1, Relaxed);
                desk.submit(&mut outlet, slot);
                if let Some(slot) = outlet.take_grant(&desk.page(), 2) {
                    assert_eq!(desk.slot.load(Relaxed), 10, "granted before it was read");
                    desk.slot.store(2, Relaxed);
                    desk.submit(&mut outlet, slot);
                }
            })
        };
        let first = desk.wait_for_entry(&mut intake, announced);
        desk.assert_is_frame(&first.expect("it is not closed"), 1);
        desk.slot.store(10, Relaxed);
        desk.give(&mut intake);
        publisher.join().unwrap();
        if let Some(second) = intake.take(&desk.page()) {
            desk.assert_is_frame(&second.unwrap(), 2);
        }
    });
}

#[test]
#[should_panic = "bytes"]
fn control_without_release_the_model_sees_bytes_of_another_frame() {
    loom::model(|| {
        let desk = Desk::new();
        let publisher = {
            let desk = Arc::clone(&desk);
            loom::thread::spawn(move || {
                desk.slot.store(1, Relaxed);
                let entry = desk.page().entry(0);
                entry[record::SEQUENCE].store(3 << 32 | 2, Relaxed);
                entry[record::USED_BYTES].store(BYTES, Relaxed);
                desk.word(submission_words::SUBMITTED).store(1, Relaxed);
            })
        };
        let submitted = desk.word(submission_words::SUBMITTED).load(Acquire);
        if submitted == 1 {
            assert_eq!(desk.slot.load(Relaxed), 1, "bytes of another frame");
        }
        desk.word(submission_words::CLOSED).store(1, Release);
        publisher.join().unwrap();
    });
}
