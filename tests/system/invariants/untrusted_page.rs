//! untrusted_page: whatever a client writes into its lease page hurts nobody but itself.
//!
//! Owns the scribblers; the readers beside them are ordinary ones.

use super::{assert_complete, bars, take};
use rustix::fs::{FallocateFlags, SealFlags};
use rustix::io::Errno;
use serde_json::Value;
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, Writable};
use streamem_tests::{Answer, Broker, Consumer};
use streamem_wire::{LEASE_PAGE_BYTES, page};

/// The largest whole number every reader of JSON can hold.
const NUMBER_MAX: u64 = (1 << 53) - 1;

fn lease_page(grant: &Answer) -> Mapping<Writable> {
    Mapping::new(grant.fd("lease"), LEASE_PAGE_BYTES, Writable).expect("a page")
}

#[test]
fn untrusted_page() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let options = [
        "mode=every",
        "depth=100",
        "leases=4",
        "check=bars",
        "hold=2",
    ];
    let mut readers: Vec<Consumer> = (0..2)
        .map(|_| Consumer::start(&broker.socket(), "cam", &options))
        .collect();
    let scribbler = Consumer::start(&broker.socket(), "cam", &["scribble=1"]);
    for reader in &mut readers {
        assert_complete(&take(reader, 200));
    }
    let inspection = broker.inspect();
    let subscriptions = inspection["subscriptions"].as_array().expect("a list");
    let scribbled = subscriptions
        .iter()
        .find(|entry| entry["pid"] == scribbler.pid());
    let scribbled = scribbled.unwrap_or_else(|| panic!("not in {inspection}"));
    assert!(
        scribbled["held"].as_u64() <= Some(4),
        "more than its leases: {scribbled}"
    );
    let stream = broker.stream("cam");
    assert_eq!(
        stream["counters"]["dropped_no_slot"], 0,
        "the source was held up: {stream}"
    );
    for reader in readers {
        assert_complete(&reader.finish());
    }
}

#[test]
fn untrusted_page_cannot_be_taken_from_under_the_broker() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", 2);
    let page = grant.fd("lease");
    for length in [0, 1, 1 << 20] {
        let cut = rustix::fs::ftruncate(page, length);
        assert_eq!(cut, Err(Errno::PERM), "it was cut to {length} bytes");
    }
    for seal in [SealFlags::WRITE, SealFlags::FUTURE_WRITE, SealFlags::GROW] {
        let sealed = rustix::fs::fcntl_add_seals(page, seal);
        assert_eq!(sealed, Err(Errno::PERM), "{seal:?} could be added");
    }
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(page, punch, 0, 4096).expect("its own page may be emptied");
    let mut reader = Consumer::start(&broker.socket(), "cam", &["mode=every", "depth=100"]);
    assert_complete(&take(&mut reader, 50));
    assert!(broker.is_alive());
}

#[test]
fn untrusted_page_numbers_are_passed_on_as_numbers_others_can_read() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let mut wire = broker.connect();
    let page = lease_page(&wire.subscribe("cam", 2));
    let written = [
        ("taken", page::TAKEN),
        ("last_sequence", page::LAST_SEQUENCE),
        ("last_taken_ns", page::LAST_TAKEN_NS),
        ("missed", page::MISSED),
        ("refused", page::REFUSED),
    ];
    for (value, shown) in [(u64::MAX, NUMBER_MAX), (NUMBER_MAX, NUMBER_MAX), (7, 7)] {
        for (_, at) in written {
            page.words()[at].store(value, Relaxed);
        }
        page.words()[page::WAITING].store(value, Relaxed);
        let inspection = broker.inspect();
        let subscription = &inspection["subscriptions"][0];
        for (name, _) in written {
            assert_eq!(subscription[name], shown, "{name} of {subscription}");
        }
        assert_eq!(subscription["waiting"], true, "{subscription}");
        assert!(
            subscription["behind"].as_u64() <= Some(NUMBER_MAX),
            "{subscription}"
        );
    }
}

#[test]
fn untrusted_page_of_one_reader_hides_no_refusals_of_another() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let (mut honest, mut liar) = (broker.connect(), broker.connect());
    let honest_page = lease_page(&honest.subscribe("cam", 2));
    let liars_page = lease_page(&liar.subscribe("cam", 2));
    let refused = |page: &Mapping<Writable>, value: u64| {
        page.words()[page::REFUSED].store(value, Relaxed);
        broker.stream("cam")["counters"]["refused_leases"].clone()
    };
    assert_eq!(refused(&honest_page, 7), 7);
    let Value::Number(lied) = refused(&liars_page, u64::MAX) else {
        panic!("no number");
    };
    let lied = lied.as_u64().filter(|sum| (7..=NUMBER_MAX).contains(sum));
    let lied = lied.expect("the sum of both, and a number others can read");
    assert_eq!(refused(&honest_page, 9), lied + 2, "two more are hidden");
    drop(liar);
    streamem_tests::eventually("the liar is gone", || {
        (broker.stream("cam")["subscriptions"] == 1).then_some(())
    });
    assert_eq!(
        refused(&honest_page, 10),
        lied + 3,
        "the leaver took some along"
    );
}
