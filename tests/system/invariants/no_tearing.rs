//! no_tearing: while a lease is held the bytes do not change, however fast the source is.
//!
//! Owns the overload; never looks at fewer than all bytes.

use super::{assert_honest, bars, take};
use streamem_tests::{Broker, Consumer};

#[test]
fn no_tearing() {
    let broker = Broker::with_config(&bars("size=320x240&rate=0&format=bgr24"));
    let options = ["check=bars", "leases=4", "hold=3"];
    let mut readers: Vec<Consumer> = (0..4)
        .map(|_| Consumer::start(&broker.socket(), "cam", &options))
        .collect();
    for reader in &mut readers {
        take(reader, 300);
    }
    let counters = broker.stream("cam")["counters"].clone();
    for reader in readers {
        let report = reader.finish();
        assert_honest(&report);
        assert!(report["looked_twice"].as_u64() >= Some(300), "{report}");
    }
    assert!(
        counters["held_at_reuse"].as_u64() > Some(0),
        "the source never met a lease, so nothing was put to the test: {counters}"
    );
}
