//! untrusted_page: whatever a client writes into its lease page hurts nobody but itself.
//!
//! Owns the scribblers; the readers beside them are ordinary ones.

use super::{assert_complete, bars, take};
use rustix::fs::{FallocateFlags, SealFlags};
use rustix::io::Errno;
use streamem_tests::{Broker, Consumer};

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
