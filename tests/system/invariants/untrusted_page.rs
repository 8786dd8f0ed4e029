//! untrusted_page: whatever a client writes into its lease page hurts nobody but itself.
//!
//! Owns the scribblers; the readers beside them are ordinary ones.

use super::{assert_complete, bars, take};
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
