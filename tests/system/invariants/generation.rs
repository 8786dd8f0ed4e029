//! generation: an index of memory that has been renewed is stale, and nothing worse.
//!
//! Owns stale lease words and a stream renewed under its readers.

use super::{assert_honest, bars, take};
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, ReadOnly, Writable};
use streamem_tests::{Broker, Consumer, eventually};
use streamem_wire::{Generation, LEASE_PAGE_BYTES, RingState, Slot, header, lease_word, page};

fn held_at_reuse(broker: &Broker) -> u64 {
    let stream = broker.stream("cam");
    stream["counters"]["held_at_reuse"]
        .as_u64()
        .expect("a number")
}

fn wait_for_frames(broker: &Broker, count: u64) {
    let newest = || broker.stream("cam")["newest"].as_u64().expect("a number");
    let first = newest();
    eventually("frames come", || (newest() >= first + count).then_some(()));
}

#[test]
fn generation_a_stale_lease_holds_nothing() {
    let broker = Broker::with_config(&bars("size=160x120&rate=100"));
    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", 8);
    let stream = &grant.parameters["stream"];
    let current = u32::try_from(stream["generation"].as_u64().expect("a number")).expect("32 bits");
    let lease_page = Mapping::new(grant.fd("lease"), LEASE_PAGE_BYTES, Writable).expect("a page");
    let claim = |generation: u32| {
        for slot in 0..8_u16 {
            let word = lease_word(Generation(generation), Slot(slot));
            lease_page.words()[page::LEASES + usize::from(slot)].store(word, Relaxed);
        }
    };
    claim(current.wrapping_sub(1));
    wait_for_frames(&broker, 50);
    assert_eq!(
        held_at_reuse(&broker),
        0,
        "a lease of an old generation was honoured"
    );
    claim(current);
    wait_for_frames(&broker, 50);
    assert!(
        held_at_reuse(&broker) > 0,
        "a lease of this generation was not honoured"
    );
}

#[test]
fn generation_readers_go_on_when_the_memory_is_renewed() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", 2);
    let old_ring = Mapping::new(grant.fd("ring"), 4096, ReadOnly).expect("a ring");
    let generation = |answer: &serde_json::Value| answer["stream"]["generation"].as_u64();
    let mut reader = Consumer::start(&broker.socket(), "cam", &["mode=every", "depth=50"]);
    let before = take(&mut reader, 10);

    broker.rewrite_config(&bars("size=320x240&rate=50"));
    broker.hangup();
    eventually("the old ring says that it is retired", || {
        let state = RingState::from_word(old_ring.words()[header::STATE].load(Relaxed));
        (state == RingState::Retired).then_some(())
    });
    let renewed = wire.call(
        "Renew",
        json!({"subscription": grant.parameters["subscription"]}),
    );
    assert!(renewed.error.is_none(), "{renewed:?}");
    assert!(
        generation(&renewed.parameters) > generation(&grant.parameters),
        "{renewed:?}"
    );
    assert_eq!(renewed.parameters["stream"]["layout"]["width"], 320);
    let inode = |answer| streamem_sys::file::size_and_inode(answer).expect("fstat").1;
    assert_ne!(inode(renewed.fd("pool")), inode(grant.fd("pool")));

    let after = take(&mut reader, 20);
    assert_honest(&after);
    assert!(
        after["last"].as_u64() > before["last"].as_u64(),
        "the sequence began anew: {after}"
    );
}
