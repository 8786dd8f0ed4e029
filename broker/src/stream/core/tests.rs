//! What a source may do with slots before and after another has taken its place.
//!
//! Owns a core of its own for each test; never starts a source's thread.

use super::*;
use crate::config::PoolConfig;
use crate::pool::{Memfd, Protection};
use crate::stream::Terms;
use streamem_wire::message::Mode;
use streamem_wire::{Format, Layout, StreamName};

const OLD: u64 = 1;
const NEW: u64 = 2;

fn memory(generation: u32) -> StreamMemory {
    let name = StreamName::new("cam").unwrap();
    let layout = Layout::video(Format::Gray8, 16, 16, 30.0).unwrap();
    let config = PoolConfig {
        slots_max: 8,
        ..PoolConfig::default()
    };
    let generation = Generation(generation);
    let protection = Protection::Sealed;
    StreamMemory::make(&Memfd, &name, &layout, &config, generation, protection).unwrap()
}

fn core() -> Core {
    let mut core = Core::new(memory(1), false);
    core.begin(OLD, ONE_IN_HAND);
    core
}

fn frame(claimed: Claimed) -> Frame {
    Frame {
        claimed,
        filled: Filled {
            used_bytes: 256,
            source_clock: 0,
            clock_domain: 0,
            flags: 0,
        },
        number: 1,
        captured_ns: 1,
        by_source: 0,
    }
}

#[test]
fn a_source_that_was_replaced_can_claim_nothing() {
    let mut core = core();
    assert!(core.claim(NEW).is_none(), "it has not begun yet");
    assert!(core.claim(OLD).is_some());
    core.begin(NEW, ONE_IN_HAND);
    assert!(core.claim(OLD).is_none());
    assert!(core.claim(NEW).is_some());
}

#[test]
fn a_source_of_the_former_memory_gets_nothing_of_the_next() {
    let mut core = core();
    core.renew(memory(2), false);
    assert!(core.claim(OLD).is_none());
    core.begin(NEW, ONE_IN_HAND);
    assert!(core.claim(NEW).is_some());
}

#[test]
fn a_source_that_was_replaced_can_publish_nothing() {
    let mut core = core();
    let before = core.claim(OLD).unwrap();
    let during = core.claim(OLD).unwrap();
    assert!(core.publish(OLD, &frame(before), &[]).is_some());
    core.begin(NEW, ONE_IN_HAND);
    let published = (core.newest, core.counters.published);
    assert!(core.publish(OLD, &frame(during), &[]).is_none());
    assert_eq!((core.newest, core.counters.published), published);
    let next = core.claim(NEW).unwrap();
    assert!(core.publish(NEW, &frame(next), &[]).is_some());
    assert_eq!(core.newest, published.0.next());
}

/// Slots a replaced source had in hand are its successor's, which must not find them taken for good.
#[test]
fn what_a_replaced_source_had_in_hand_can_be_claimed_again() {
    let mut core = core();
    let mut in_hand = Vec::new();
    while let Some(claimed) = core.claim(OLD) {
        in_hand.push(claimed.slot());
    }
    core.begin(NEW, ONE_IN_HAND);
    let mut claimed = Vec::new();
    while let Some(next) = core.claim(NEW) {
        claimed.push(next.slot());
    }
    assert!(!in_hand.is_empty());
    assert_eq!(claimed, in_hand);
}

#[test]
fn a_slot_of_memory_that_was_renewed_is_not_published() {
    let mut core = core();
    let old = core.claim(OLD).unwrap();
    core.renew(memory(2), false);
    assert!(core.publish(OLD, &frame(old), &[]).is_none());
    assert_eq!(core.counters.published, 0);
}

#[test]
fn memory_is_committed_in_advance_slot_by_slot_up_to_what_is_promised() {
    let mut core = Core::new(memory(1), true);
    let terms = Terms {
        mode: Mode::Latest,
        depth: 1,
        leases: 3,
    };
    let seat = Seat::new(&Memfd, SubscriptionId(1), terms, None).unwrap();
    core.join(Arc::new(seat));
    let mut end = 0;
    while let Some(next) = core.next_commit() {
        assert_eq!(next, end..end + 4096, "one slot, and the next one");
        end = next.end;
        core.committed(Generation(9));
        assert_eq!(core.next_commit(), Some(next), "that was other memory");
        core.committed(Generation(1));
    }
    assert_eq!(end, u64::from(core.slots_needed()) * 4096);
}

/// Its readers went and others came: what they are given first is not what the former saw last.
#[test]
fn frames_that_were_withdrawn_are_given_to_nobody_and_numbers_go_on() {
    let mut core = core();
    let claimed = core.claim(OLD).unwrap();
    let slot = claimed.slot();
    core.publish(OLD, &frame(claimed), &[]).unwrap();
    let memory = Arc::clone(core.memory());
    let newest = lease::newest(&memory.view()).unwrap();
    core.begin(0, ONE_IN_HAND);
    core.withdraw();
    assert_eq!(lease::newest(&memory.view()), None);
    let place = std::sync::atomic::AtomicU64::new(0);
    let refused = lease::lease(&memory.view(), &place, newest);
    assert_eq!(refused, Err(lease::Refused::Stale));
    core.begin(NEW, ONE_IN_HAND);
    let claimed = core.claim(NEW).unwrap();
    assert_eq!(claimed.slot(), slot);
    core.publish(NEW, &frame(claimed), &[]).unwrap();
    let next = lease::newest(&memory.view()).unwrap();
    assert_eq!(next.sequence, newest.sequence.next());
}

#[test]
fn a_seat_of_the_brokers_own_is_promised_a_slot_and_is_no_reader() {
    let mut core = core();
    let terms = Terms {
        mode: Mode::Latest,
        depth: 1,
        leases: 1,
    };
    let before = core.slots_needed();
    let seat = Seat::ours(&Memfd, SubscriptionId(1), terms).unwrap();
    core.join(Arc::new(seat));
    assert_eq!(core.slots_needed(), before + 1);
    let readers = core.memory().view().header(header::READERS).load(Relaxed);
    assert_eq!(readers, 0, "a broker after this one would miss its page");
    let sum = core.figures().sum();
    let slots: u32 = sum.iter().map(|term| term.slots).sum();
    assert_eq!(slots, core.slots_needed());
    assert_eq!(sum.last().map(|term| term.slots), Some(1));
    assert!(sum.last().unwrap().reason.contains("decoded"));
}

#[test]
fn what_a_source_lost_is_counted_unless_it_was_replaced() {
    let mut core = core();
    core.lose_frames(OLD, 3);
    core.lose_frames(NEW, 4);
    assert_eq!(core.counters.dropped_by_source, 3);
}
